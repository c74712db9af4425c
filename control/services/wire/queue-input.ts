// A job as clients of the queue write it: its action as a map, as its JSON text or as that text in
// base64. What no worker could run is refused before it is put into an execution.

import { jobBytesMax } from "#core/model/api-limits";
import { systemPool } from "#core/model/dispatch";
import { Fault, messageOf } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { parsePlaybook } from "#core/playbook/parse";

export interface EnqueueBody {
  readonly node_id: string;
  readonly action: unknown;
  readonly input_context?: unknown;
  readonly context?: unknown;
  readonly pool?: string;
  readonly priority?: number;
}

export interface JobInput {
  readonly nodeId: string;
  readonly action: JsonObject;
  readonly input: JsonObject;
  readonly pool?: string;
  readonly priority?: number;
}

/** Kinds that the engine acts on by itself: they belong to a step. */
const ofSteps: ReadonlySet<string> = new Set(["playbook", "agent", "wait", "workbook"]);

/** @throws Fault `invalid` for an action that is no tool call, `too_large` for a giant one. */
export function jobInput(body: EnqueueBody): JobInput {
  const { node_id: nodeId, pool, priority } = body;
  const action = actionOf(body.action);
  const input = (body.input_context ?? body.context ?? {}) as JsonObject;
  for (const [name, part] of [
    ["action", action],
    ["input_context", input],
  ] as const) {
    if (JSON.stringify(part).length <= jobBytesMax) continue;
    throw new Fault("too_large", `${name}: expected at most ${jobBytesMax} bytes`);
  }
  if (pool === systemPool) throw new Fault("invalid", `pool: ${systemPool} is for the platform`);
  checkAction(action);
  return {
    ...{ nodeId, action, input },
    ...(pool === undefined ? {} : { pool }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function actionOf(action: unknown): JsonObject {
  const value = typeof action === "string" ? parsed(action) : action;
  // It came as JSON.
  if (isJsonObject((value ?? null) as Json)) return value as JsonObject;
  throw new Fault("invalid", "action: expected a tool call as a map, as JSON text or in base64");
}

function parsed(text: string): unknown {
  for (const candidate of [text, fromBase64(text)]) {
    try {
      if (candidate !== undefined) return JSON.parse(candidate);
    } catch {
      // It was not that: the next is tried.
    }
  }
  return undefined;
}

function fromBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** As a step's only task would be checked. */
function checkAction(action: JsonObject): void {
  const { kind } = action;
  if (typeof kind !== "string") throw new Fault("invalid", "action.kind: expected a tool kind");
  if (ofSteps.has(kind)) {
    throw new Fault("invalid", `action.kind: ${kind} belongs into a step of a playbook`);
  }
  const playbook = {
    apiVersion: "noetl.io/v2",
    kind: "Playbook",
    metadata: { name: "job" },
    workflow: [{ step: "job", tool: action }],
  };
  const checked = checkedPlaybook(JSON.stringify(playbook));
  if (checked.ok) return;
  const [first] = checked.problems;
  throw new Fault("invalid", `action: ${first?.message ?? "expected a tool call"}`, {
    details: checked.problems.map(({ message }) => ({ message })),
  });
}

function checkedPlaybook(text: string): ReturnType<typeof parsePlaybook> {
  try {
    return parsePlaybook(text);
  } catch (thrown) {
    throw new Fault("invalid", `action: ${messageOf(thrown)}`);
  }
}
