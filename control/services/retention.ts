// Keeps the log within bounds: room for the months to come, and the end of months that are older
// than wanted. It works in small pieces, each whole by itself; whoever dies in between leaves the
// rest to the next run.

import { partitionDropRetryMs, partitionDropsMax, purgeExecutionsMax } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { DropVerdict, LogMonth, LogRetention } from "#core/ports/log-retention";

export interface RetentionRun {
  readonly retention: LogRetention;
  readonly clock: Pick<Clock, "sleep">;
  /** Months that ended longer ago may go; undefined keeps everything. */
  readonly days: number | undefined;
  /** Aborted when another process may be at it. */
  readonly ended: AbortSignal;
  /** Told of each month that went, and of each that had to wait. */
  readonly report: (message: string) => void;
}

/** One look at everything. @returns how many months were dropped. */
export async function retain(run: RetentionRun): Promise<number> {
  const { retention, days, ended, report } = run;
  await retention.prepare();
  if (days === undefined) return 0;
  let dropped = 0;
  for (const month of await retention.expired(days)) {
    const executions = await purge(run, month);
    if (ended.aborted) return dropped;
    const verdict = await drop(run, month);
    if (verdict === "dropped") dropped += 1;
    report(`retention: ${month.name} with ${executions} executions: ${words[verdict]}`);
  }
  return dropped;
}

const words: Readonly<Record<DropVerdict, string>> = {
  dropped: "dropped",
  kept: "kept, an execution of it is there",
  busy: "not dropped, the log was busy all the time",
};

async function purge({ retention, ended }: RetentionRun, month: LogMonth): Promise<number> {
  let removed = 0;
  while (!ended.aborted) {
    const count = await retention.purge(month, purgeExecutionsMax);
    removed += count;
    if (count < purgeExecutionsMax) break;
  }
  return removed;
}

/** A log that is always busy is asked again and again, never made to wait long. */
async function drop({ retention, clock, ended }: RetentionRun, month: LogMonth) {
  for (let tries = 1; ; tries++) {
    const verdict = await retention.drop(month);
    if (verdict !== "busy" || tries >= partitionDropsMax || ended.aborted) return verdict;
    await clock.sleep(partitionDropRetryMs, ended);
  }
}
