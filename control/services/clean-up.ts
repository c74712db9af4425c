// Ends executions that have run for too long, of one tenant.

import type { ExecutionId } from "#core/model/ids";
import { executionId, snowflake, snowflakeEpochMs } from "#core/model/ids";
import type { Executions } from "./executions.ts";
import { endExecution } from "./lifecycle.ts";

export interface CleanUp {
  readonly tenant: string;
  readonly olderThanMs: number;
  readonly limit: number;
  /** Only says which would be ended. */
  readonly isDryRun: boolean;
  /** Who asks. */
  readonly by: string;
}

/** The executions that were ended, or would be. Children end with their parents. */
export async function cleanUp(
  executions: Executions,
  { tenant, olderThanMs, limit, isDryRun, by }: CleanUp,
): Promise<readonly ExecutionId[]> {
  const { log, clock } = executions.context;
  const beforeMs = clock.nowMs() - olderThanMs;
  if (beforeMs <= snowflakeEpochMs) return [];
  const before = executionId(snowflake({ timeMs: beforeMs, machine: 0, sequence: 0 }));
  const old = await log.executions({ tenant, status: "running", before, limit });
  const ids = old.map((row) => row.executionId);
  if (isDryRun) return ids;
  const ended: ExecutionId[] = [];
  for (const id of ids) {
    const reason = `ran for longer than ${Math.round(olderThanMs / 60_000)} minutes`;
    if ((await endExecution(executions, id, { by, reason })) === "ended") ended.push(id);
  }
  return ended;
}
