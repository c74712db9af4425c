// Agents (language reference §2.2): a nested playbook whose end is given in the agent's envelope. An
// agent that failed is data for whoever asked; its step only fails where the playbook says so.

import type { ChildDone } from "#core/model/event";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { failure, Unusable } from "./failures.ts";
import type { ChildCall } from "./state.ts";

export interface AgentCall {
  readonly path: string;
  readonly version?: number;
  readonly workload: JsonObject;
  /** What the envelope repeats of the call, and what becomes of a failure. */
  readonly about: JsonObject;
}

const framework = "noetl";

/** @throws Unusable for a config that names no agent of this platform. */
export function agentCall(config: JsonObject): AgentCall {
  const { framework: given, entrypoint, version, on_failure: onFailure } = config;
  if (given !== framework) {
    throw unusable(`framework: expected ${framework}; run an agent of another one in python`);
  }
  if (typeof entrypoint !== "string" || entrypoint.trim() === "") {
    throw unusable("entrypoint: expected the path of a playbook in the catalog");
  }
  if (!isAbsent(onFailure) && onFailure !== "envelope" && onFailure !== "fail") {
    throw unusable("on_failure: expected envelope or fail");
  }
  const path = entrypoint.trim();
  const pinned = versionOf(version);
  return {
    path,
    ...(pinned === undefined ? {} : { version: pinned }),
    workload: workloadOf(config),
    about: { entrypoint: path, ...(onFailure === "fail" ? { on_failure: "fail" } : {}) },
  };
}

/** The first of the maps that has anything in it. */
function workloadOf({ payload, input, invoke_kwargs: kwargs }: JsonObject): JsonObject {
  const maps = [payload, input, kwargs].filter((map) => isJsonObject(map));
  return maps.find((map) => Object.keys(map).length > 0) ?? {};
}

function versionOf(given: Json | undefined): number | undefined {
  if (isAbsent(given) || given === "latest") return undefined;
  // A template inside quotes leaves text behind.
  const version = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  if (typeof version === "number" && Number.isSafeInteger(version) && version > 0) return version;
  throw unusable("version: expected a whole number of at least 1");
}

function isAbsent(given: Json | undefined): given is null | undefined | "" {
  return given === undefined || given === null || given === "";
}

function unusable(message: string): Unusable {
  return new Unusable(failure("agent", message));
}

/**
 * The envelope `{status, framework, entrypoint, data, execution_id, duration?, error?}`. A result too
 * large to carry shows its summary as `data`, and `_ref` where the whole of it is.
 * @param endedMs when the agent's end was known; its `duration` is in seconds.
 */
export function agentOutput(done: ChildDone, child: ChildCall, endedMs?: number): Output {
  const { entrypoint = child.path, on_failure: onFailure } = child.about ?? {};
  const isOk = done.status === "completed";
  const message = isOk
    ? ""
    : (done.error?.message ?? `the agent's execution ${done.child_id} ${done.status}`);
  const data: JsonObject = {
    status: isOk ? "ok" : "error",
    framework,
    entrypoint,
    data: done.result ?? done.result_ref?.extracted ?? null,
    ...(done.result_ref === undefined ? {} : { _ref: done.result_ref.ref }),
    execution_id: done.child_id,
    ...durationOf(child, endedMs),
    ...(isOk ? {} : { error: { message, status: done.status } }),
  };
  if (isOk || onFailure !== "fail") return { status: "ok", data };
  const told = `agent ${String(entrypoint)} (execution ${done.child_id}) ${done.status}`;
  const cause = done.error === undefined ? "" : `: ${done.error.message}`;
  return { status: "error", error: failure("agent", `${told}${cause}`, done.status), data };
}

function durationOf(child: ChildCall, endedMs: number | undefined): JsonObject {
  if (child.startedMs === undefined || endedMs === undefined) return {};
  return { duration: Math.max(0, endedMs - child.startedMs) / 1_000 };
}
