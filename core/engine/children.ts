// Sub-playbooks and agents (language reference §§2.5, 4.9): the child's id is minted in the parent's
// event, so a child can't be started twice; telling each other is a row written with the cause.

import type { ChildDone, ChildStarted } from "#core/model/event";
import type { CatalogId, CommandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { childDepthMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import type { PlanStep } from "#core/playbook/plan";
import { agentCall, agentOutput } from "./agents.ts";
import { type CatalogFact, catalogKey, MissingFacts } from "./facts.ts";
import { failure, Unusable } from "./failures.ts";
import type { ChildCall } from "./state.ts";
import type { Turn } from "./turn.ts";
import { eventTimeMs, secondsMs } from "./waits.ts";

export interface ChildPlan {
  readonly target: CatalogFact;
  readonly workload: JsonObject;
  /** What the step is given of the child's end; it does not wait for it otherwise. */
  readonly as?: NonNullable<ChildStarted["as"]>;
  readonly resultStep?: string;
  readonly timeoutMs?: number;
  readonly about?: JsonObject;
}

/**
 * What the step's rendered config asks for.
 * @throws Unusable for a playbook that is not in the catalog, or too deep a nesting.
 * @throws MissingFacts when the catalog has not been asked yet.
 */
export function planChild(turn: Turn, step: PlanStep, config: JsonObject): ChildPlan {
  const depth = (turn.state.started?.parent?.depth ?? 0) + 1;
  if (depth > childDepthMax) {
    const found = `sub-playbooks are nested ${depth} deep, expected at most ${childDepthMax}`;
    throw new Unusable(failure("playbook", found));
  }
  const timeoutMs = timeoutOf(config, step);
  const timed = timeoutMs === undefined ? {} : { timeoutMs };
  if (step.kind === "agent") {
    const { path, version, workload, about } = agentCall(config);
    const named: JsonObject = version === undefined ? { path } : { path, version };
    return { target: targetOf(turn, named), workload, as: "agent", about, ...timed };
  }
  const mode = modeOf(config);
  const { result_step: resultStep } = config;
  return {
    target: targetOf(turn, config),
    workload: workloadOf(config),
    ...(mode === undefined ? {} : { as: mode, ...timed }),
    ...(mode === "result" && isName(resultStep) ? { resultStep: String(resultStep) } : {}),
  };
}

/** `return_result` gives the result, `return_step`, whatever it names, what became of the child. */
function modeOf(config: JsonObject): "result" | "status" | undefined {
  const { return_result: result, return_step: step } = config;
  if (result === true || result === "true" || result === "True") return "result";
  return isName(step) ? "status" : undefined;
}

const isName = (value: Json | undefined): boolean =>
  value !== undefined && value !== null && value !== "" && value !== false;

/** The step's input, of which nothing is compiled where it is empty, else `payload`. */
function workloadOf({ input, payload }: JsonObject): JsonObject {
  if (isJsonObject(input)) return input;
  return isJsonObject(payload) ? payload : {};
}

/** A child holds no slot: without a time it is waited for until it ends. */
function timeoutOf(config: JsonObject, { timeoutMs }: PlanStep): number | undefined {
  const given = config.timeout ?? config.timeout_seconds;
  return given === undefined || given === null ? timeoutMs : secondsMs(given, "timeout");
}

function targetOf(turn: Turn, config: JsonObject): CatalogFact {
  const { path, catalog_id: catalogId } = config;
  const version = versionOf(config.version ?? null);
  const key = catalogKey({
    ...(catalogId === undefined ? {} : { catalogId: String(catalogId) }),
    ...(path === undefined ? {} : { path: String(path) }),
    ...(version === undefined ? {} : { version }),
  });
  const target = turn.facts.catalog.get(key);
  if (target === undefined) throw new MissingFacts([{ kind: "catalog", key }]);
  if (target === null) {
    const name = `${String(path ?? catalogId)}${version === undefined ? "" : ` version ${version}`}`;
    throw new Unusable(failure("playbook", `playbook ${name} is not in the catalog`, "not_found"));
  }
  return target;
}

/** A number, or text that says one; nothing and `latest` are the newest. */
function versionOf(given: Json): number | undefined {
  if (given === null || given === "" || given === "latest") return undefined;
  const version = typeof given === "string" ? Number(given) : given;
  if (typeof version === "number" && Number.isInteger(version) && version >= 1) return version;
  throw new Unusable(
    failure("playbook", "'version' is no version, expected a whole number from 1 or latest"),
  );
}

/** Emits `child.started`, and the outcome at once where the step doesn't wait for the child. */
export function startChild(turn: Turn, commandId: CommandId, child: ChildPlan): void {
  const { target, workload, as, resultStep, timeoutMs, about } = child;
  const due = timeoutMs === undefined ? undefined : eventTimeMs(turn) + timeoutMs;
  const event: ChildStarted = {
    type: "child.started",
    command_id: commandId,
    child_id: turn.facts.childId(),
    catalog_id: target.catalogId as CatalogId,
    path: target.path,
    version: target.version,
    awaited: as !== undefined,
    workload,
    ...(as === undefined ? {} : { as }),
    ...(resultStep === undefined ? {} : { result_step: resultStep }),
    ...(due === undefined ? {} : { due }),
    ...(about === undefined ? {} : { about }),
  };
  turn.journal.emit(event);
  if (as !== undefined) return;
  const data = { status: "started", execution_id: event.child_id, path: target.path, async: true };
  turn.journal.emit({
    type: "call.done",
    command_id: commandId,
    attempt: 1,
    output: { status: "ok", data },
    duration_ms: 0,
  });
}

/**
 * The outcome of an awaited child's command: a failed child fails its step, an agent's answer is data.
 * @param endedMs when that is decided.
 */
export function childOutput(done: ChildDone, child: ChildCall, endedMs: number): Output {
  if (child.as === "agent") return agentOutput(done, child, endedMs);
  const about = aboutChild(done, child.path);
  const meta: JsonObject = { child: about };
  if (done.status !== "completed") {
    const error = childFailure(done, child.path);
    return { status: "error", data: statusData(done, about), error, meta };
  }
  if (child.as === "status") return { status: "ok", data: statusData(done, about), meta };
  return done.result_ref === undefined
    ? { status: "ok", data: done.result ?? about, meta }
    : { status: "ok", ref: done.result_ref, meta };
}

function aboutChild({ child_id: id, status }: ChildDone, path: string): JsonObject {
  return {
    execution_id: id,
    path,
    status: status.toUpperCase(),
    completed: status === "completed",
    failed: status === "failed",
  };
}

/** What became of the child: the fields of its result, under those that are about it. */
function statusData(done: ChildDone, about: JsonObject): JsonObject {
  const { result, result_ref: ref, current_step: step, progress, status } = done;
  return {
    ...(isJsonObject(result) ? result : {}),
    ...about,
    ...(step === undefined ? {} : { current_step: step }),
    ...(progress === undefined ? {} : { progress: { ...progress } }),
    is_cancelled: status === "cancelled",
    ...(ref === undefined
      ? { result: result ?? null }
      : { _ref: ref.ref, extracted: ref.extracted ?? null }),
  };
}

function childFailure({ child_id: id, status, error }: ChildDone, path: string): Failure {
  const cause = error === undefined ? "" : `: ${error.message}`;
  return failure("playbook", `sub-playbook ${path} (execution ${id}) ${status}${cause}`, status);
}

/** What the step is given when its child is waited for no longer: the child itself goes on. */
export function lateChildOutput({ id, path, startedMs = 0 }: ChildCall, nowMs: number): Output {
  const waitedMs = Math.max(0, nowMs - startedMs);
  const message = `sub-playbook ${path} (execution ${id}) has not ended within ${waitedMs} ms`;
  return {
    status: "error",
    data: { execution_id: id, path, status: "RUNNING", completed: false, failed: false },
    error: failure("timeout", message),
  };
}
