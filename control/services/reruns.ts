// Executions that do others over: from their beginning, in the same version or in another one.

import type { PlaybookStarted } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { isJsonObject, type JsonObject } from "#core/model/json";
import type { Executions } from "./executions.ts";
import type { Started } from "./lifecycle.ts";
import { fetchResult } from "./results.ts";
import { startAsked } from "./start-asked.ts";
import type { StartInput } from "./start-input.ts";

export interface RerunRequest {
  /** Laid over the workload that the execution had, key by key. */
  readonly workload: JsonObject;
  readonly version: "same" | "newest" | number;
  readonly dedup?: StartInput["dedup"];
  /** Who asks, if that was proven. */
  readonly subject?: string | undefined;
}

/** @throws Fault `not_found` for an unknown execution, or where the playbook is gone. */
export async function rerun(
  executions: Executions,
  id: ExecutionId,
  { workload, version, dedup, subject }: RerunRequest,
): Promise<Started> {
  const first = await firstEvent(executions, id);
  const request = {
    workload: { ...(await workloadOf(executions, first)), ...workload },
    ...playbookOf(first, version),
    ...startedLike(first, id, subject),
  };
  return startAsked(executions, dedup === undefined ? { request } : { request, dedup });
}

/** What an execution that does another one over has of it, beside its workload. */
export function startedLike(first: PlaybookStarted, id: ExecutionId, subject: string | undefined) {
  const { origin, trace, priority, tenant } = first;
  const { parent: _, dead_letter: __, ...kept } = origin ?? {};
  return {
    origin: { ...kept, ...(subject === undefined ? {} : { subject }), rerun_of: id },
    ...(trace === undefined ? {} : { trace }),
    ...(priority === undefined ? {} : { priority }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

function playbookOf(first: PlaybookStarted, version: RerunRequest["version"]) {
  if (version === "same") return { catalogId: first.catalog_id };
  return { path: first.path, ...(version === "newest" ? {} : { version }) };
}

/** @throws Fault `not_found` for an execution that isn't, or isn't kept any more. */
export async function firstEvent(
  { context }: Executions,
  id: ExecutionId,
): Promise<PlaybookStarted> {
  const [first] = await context.log.events(id, 0, 1);
  if (first?.event.type === "playbook.started") return first.event;
  throw new Fault("not_found", `execution ${id} does not exist`);
}

/** What the execution was started with, wherever it is kept. */
export async function workloadOf(
  { context }: Executions,
  { workload, workload_ref: ref }: PlaybookStarted,
): Promise<JsonObject> {
  if (ref === undefined) return workload ?? {};
  const value = await fetchResult(context, ref.ref);
  return isJsonObject(value) ? value : {};
}
