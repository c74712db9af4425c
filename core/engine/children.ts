// Sub-playbooks (language reference §4.9): the child's id is minted in the parent's event, so a
// child can't be started twice; telling each other is a row written with the cause.

import type { ChildDone, ChildStarted, CommandInput } from "#core/model/event";
import type { CatalogId, CommandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { childDepthMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import type { PlanStep } from "#core/playbook/plan";
import { assembleTasks } from "./assemble.ts";
import { type CatalogFact, catalogKey, MissingFacts } from "./facts.ts";
import { failure, Unusable } from "./failures.ts";
import type { Turn } from "./turn.ts";

export interface ChildPlan {
  readonly target: CatalogFact;
  readonly workload: JsonObject;
  readonly awaited: boolean;
}

/**
 * What the step's rendered config asks for.
 * @throws Unusable for a playbook that is not in the catalog, or too deep a nesting.
 * @throws MissingFacts when the catalog has not been asked yet.
 */
export function planChild(turn: Turn, step: PlanStep, input: CommandInput | undefined): ChildPlan {
  const config = assembleTasks(step, input)[0]?.config ?? {};
  const depth = (turn.state.started?.parent?.depth ?? 0) + 1;
  if (depth > childDepthMax) {
    throw new Unusable(
      failure(
        "playbook",
        `sub-playbooks are nested ${depth} deep, expected at most ${childDepthMax}`,
      ),
    );
  }
  const target = targetOf(turn, config);
  const { input: bound, payload, return_step: returnStep, return_result: returnResult } = config;
  const workload = isJsonObject(bound) ? bound : isJsonObject(payload) ? payload : {};
  return { target, workload, awaited: returnStep !== undefined || returnResult === true };
}

function targetOf(turn: Turn, config: JsonObject): CatalogFact {
  const { path, catalog_id: catalogId, version } = config;
  const key = catalogKey({
    ...(catalogId === undefined ? {} : { catalogId: String(catalogId) }),
    ...(path === undefined ? {} : { path: String(path) }),
    ...(typeof version === "number" ? { version } : {}),
  });
  const target = turn.facts.catalog.get(key);
  if (target === undefined) throw new MissingFacts([{ kind: "catalog", key }]);
  if (target === null) {
    const name = String(path ?? catalogId);
    throw new Unusable(failure("playbook", `playbook ${name} is not in the catalog`, "not_found"));
  }
  return target;
}

/** Emits `child.started`, and the outcome at once where the step doesn't wait for the child. */
export function startChild(turn: Turn, commandId: CommandId, child: ChildPlan): void {
  const { target, workload, awaited } = child;
  const event: ChildStarted = {
    type: "child.started",
    command_id: commandId,
    child_id: turn.facts.childId(),
    catalog_id: target.catalogId as CatalogId,
    path: target.path,
    version: target.version,
    awaited,
    workload,
  };
  turn.journal.emit(event);
  if (awaited) return;
  const data = { status: "started", execution_id: event.child_id, path: target.path, async: true };
  turn.journal.emit({
    type: "call.done",
    command_id: commandId,
    attempt: 1,
    output: { status: "ok", data },
    duration_ms: 0,
  });
}

/** The outcome of an awaited child's command: a failed child fails its step. */
export function childOutput(done: ChildDone, path: string): Output {
  const about = {
    execution_id: done.child_id,
    path,
    status: done.status.toUpperCase(),
    completed: done.status === "completed",
    failed: done.status === "failed",
  };
  const meta: JsonObject = { child: about };
  if (done.status === "completed") {
    return done.result_ref === undefined
      ? { status: "ok", data: childData(done.result ?? null, about), meta }
      : { status: "ok", ref: done.result_ref, meta };
  }
  const error: Failure = {
    kind: "playbook",
    code: done.status,
    message: `sub-playbook ${path} (execution ${done.child_id}) ${done.status}${
      done.error === undefined ? "" : `: ${done.error.message}`
    }`,
    retryable: false,
  };
  return { status: "error", data: about, error, meta };
}

/** The child's own result; where that is a map, what is known of the child shows through. */
function childData(result: Json, about: JsonObject): Json {
  return result === null ? about : result;
}
