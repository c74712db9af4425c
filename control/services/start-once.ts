// Starts what is wanted once: a key stands for an execution before that is started, so that whoever
// comes with the same key starts that one or finds it started. A process that dies in between leaves
// nothing that hinders the next.

import { tenantDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import { requestKeyCharsMax, requestKeyMsMax, startsAtOnceMax } from "#core/model/request-limits";
import { storableText } from "#core/model/storable-text";
import type { KeyRequest, TakenKey } from "#core/ports/request-keys";
import type { Executions } from "./executions.ts";
import { type Started, type StartRequest, startExecution } from "./lifecycle.ts";

export interface OnceRequest {
  /** Its id is the key's: none is given. */
  readonly request: Omit<StartRequest, "executionId">;
  readonly dedup: {
    /** What the key is a key of: `execute`, `schedule/<id>`. */
    readonly scope: string;
    readonly key: string;
    /** For how long the key stands for what was started. */
    readonly windowMs: number;
  };
}

/**
 * Starts each, or finds what its key stands for already: `existed`, with the version that was
 * started then. A key that was taken stays taken where starting fails; the next who has it tries.
 * @throws Fault `invalid` for a key that can't be kept; what the first that failed was refused with,
 * once all have been tried.
 */
export async function startOnce(
  executions: Executions,
  list: readonly OnceRequest[],
): Promise<readonly Started[]> {
  const tried = await startEachOnce(executions, list);
  return tried.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}

/** The same, where one that fails is told beside those that don't. */
export async function startEachOnce(
  executions: Executions,
  list: readonly OnceRequest[],
): Promise<readonly PromiseSettledResult<Started>[]> {
  const { requestKeys, ids } = executions.context;
  const keys = list.map(({ request, dedup }): KeyRequest => {
    checkKey(dedup);
    const { tenant = tenantDefault } = request;
    return { tenant, ...dedup, executionId: ids.executionId() };
  });
  const taken = await requestKeys.take(keys);
  const tried: PromiseSettledResult<Started>[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const at = next++;
      const [asked, key] = [list[at], taken[at]];
      if (asked === undefined || key === undefined) return;
      const [done] = await Promise.allSettled([startTaken(executions, asked.request, key)]);
      tried[at] = done;
    }
  };
  await Promise.all(Array.from({ length: Math.min(startsAtOnceMax, list.length) }, lane));
  return tried;
}

function checkKey({ scope, key, windowMs }: OnceRequest["dedup"]): void {
  for (const text of [scope, key]) {
    if (text === "" || text.length > requestKeyCharsMax || text !== storableText(text)) {
      throw new Fault("invalid", `expected a key of 1 to ${requestKeyCharsMax} plain characters`);
    }
  }
  if (!(windowMs > 0 && windowMs <= requestKeyMsMax)) {
    throw new Fault("invalid", `expected a key's time of up to ${requestKeyMsMax} ms`);
  }
}

async function startTaken(
  executions: Executions,
  request: OnceRequest["request"],
  { executionId, isNew }: TakenKey,
): Promise<Started> {
  const known = isNew ? undefined : await startedBefore(executions, request, executionId);
  if (known !== undefined) return known;
  const started = await startExecution(executions, { ...request, executionId });
  if (!started.existed) return started;
  return (await startedBefore(executions, request, executionId)) ?? started;
}

/** What the key stands for, in the version that it was started in; undefined if it never was. */
async function startedBefore(
  { context }: Executions,
  { tenant = tenantDefault }: OnceRequest["request"],
  executionId: TakenKey["executionId"],
): Promise<Started | undefined> {
  const head = await context.log.head(executionId);
  if (head === undefined) return undefined;
  const entry = await context.plans.version({ tenant, catalogId: head.row.catalogId });
  return entry === undefined
    ? undefined
    : { executionId, entry, commandsGenerated: 0, existed: true };
}
