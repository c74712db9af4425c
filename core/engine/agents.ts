// Agents (language reference §2.2): a nested playbook whose end is given in the agent's envelope.

import type { ChildDone } from "#core/model/event";
import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { failure, Unusable } from "./failures.ts";
import type { ChildCall } from "./state.ts";

export interface AgentCall {
  readonly path: string;
  readonly version?: number;
  readonly workload: JsonObject;
  /** What the envelope repeats of the call. */
  readonly about: JsonObject;
}

/** @throws Unusable for a config that names no agent of this platform. */
export function agentCall(_config: JsonObject): AgentCall {
  throw new Unusable(failure("agent", "agents are not supported by this version"));
}

/** The envelope: an agent's failure is data, and never fails its step. */
export function agentOutput(done: ChildDone, _child: ChildCall): Output {
  return { status: "ok", data: { status: done.status } };
}
