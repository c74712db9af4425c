// What is stored of an execution behind references: named, looked at by step, and removed once the
// execution has ended.

import { StoredValue } from "#core/engine/variables";
import { resultsListedMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import type { Executions } from "./executions.ts";
import { fetchResult } from "./results.ts";

export interface StoredName {
  readonly ref: string;
  readonly name: string;
  readonly bytes: number;
}

const under = (id: ExecutionId): string => `noetl://execution/${id}/`;

/** All of it, or what is stored under one name; at most so many. @throws Fault `not_found`. */
export async function storedResults(
  executions: Executions,
  id: ExecutionId,
  { name, limit }: { readonly name?: string | undefined; readonly limit: number },
): Promise<readonly StoredName[]> {
  await requireExecution(executions, id);
  const own = name === undefined ? "" : `result/${encodeURIComponent(name)}/`;
  const wanted = Math.min(limit, resultsListedMax);
  const found = await executions.context.results.list(`${under(id)}${own}`, wanted);
  return found.map(({ ref, bytes }) => ({ ref, bytes, name: nameIn(ref) }));
}

async function requireExecution({ context }: Executions, id: ExecutionId) {
  const head = await context.log.head(id);
  if (head !== undefined) return head;
  throw new Fault("not_found", `execution ${id} does not exist`);
}

/** `noetl://execution/<id>/result/<name>/<digest>` */
function nameIn(ref: string): string {
  try {
    return decodeURIComponent(ref.split("/")[5] ?? "");
  } catch {
    return "";
  }
}

export interface StepResult {
  readonly status: string;
  readonly ref: string | null;
  readonly result?: Json;
}

/** What a step came to last; a stored value only where it is asked for. @throws Fault `not_found`. */
export async function stepResult(
  executions: Executions,
  id: ExecutionId,
  { step, isResolved }: { readonly step: string; readonly isResolved: boolean },
): Promise<StepResult> {
  await requireExecution(executions, id);
  const known = (await executions.states.replay(id)).steps.get(step);
  if (known?.output === undefined) {
    throw new Fault("not_found", `step ${step} of execution ${id} has no result`);
  }
  const { output, results } = known;
  const held = output.ref === undefined ? results : new StoredValue(output.ref);
  if (!(held instanceof StoredValue)) {
    return { status: output.status, ref: null, result: held ?? output.data ?? null };
  }
  const { ref } = held.ref;
  if (!isResolved) return { status: output.status, ref };
  return { status: output.status, ref, result: await fetchResult(executions.context, ref) };
}

/** Removes it; how many there were. @throws Fault `conflict` while the execution runs. */
export async function removeResults(
  executions: Executions,
  id: ExecutionId,
  name?: string,
): Promise<number> {
  const { row } = await requireExecution(executions, id);
  if (row.status === "running") {
    throw new Fault("conflict", `execution ${id} runs, and may still read what it has stored`);
  }
  let removed = 0;
  for (;;) {
    const page = await storedResults(executions, id, { name, limit: resultsListedMax });
    await executions.context.results.remove(page.map(({ ref }) => ref));
    removed += page.length;
    if (page.length < resultsListedMax) return removed;
  }
}
