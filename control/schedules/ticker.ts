// Starts what schedules say, when they say it. One process at a time looks; were there two, nothing
// would be started twice.

import { holdRole, type Role, type RoleOptions } from "#control/roles/lease";
import type { Executions } from "#control/services/executions";
import { messageOf } from "#core/model/fault";
import {
  scheduleLookMs,
  scheduleStoreAwayMs,
  scheduleTickKeptMs,
  scheduleTicksPurgedMax,
} from "#core/model/schedule-limits";
import { tickRound } from "./round.ts";

export interface TickerOptions extends Pick<RoleOptions, "owner" | "report"> {
  readonly leaseMs?: number;
}

export const tickerRole = "schedules";

/** How often old entries of ticks are looked for. */
const purgeMs = 3_600_000;

/** Resolves its `stop` when nothing is being started any more. */
export function ticker(executions: Executions, options: TickerOptions): Role {
  const { cursors, clock } = executions.context;
  const role = { ...options, name: tickerRole, cursors, clock };
  return holdRole(role, async (_hold, ended) => {
    await Promise.all([
      tickWhile(executions, options.report, ended),
      purgeWhile(executions, options.report, ended),
    ]);
  });
}

async function tickWhile(
  executions: Executions,
  report: (message: string) => void,
  ended: AbortSignal,
): Promise<void> {
  const { clock } = executions.context;
  let isAway = false;
  for (let kept = new Map<string, number>(); !ended.aborted; ) {
    try {
      const moved = await tickRound(executions, { kept, report });
      isAway = false;
      // There may be more, and of a schedule that was missed the next tick.
      await clock.sleep(moved > 0 ? 1 : scheduleLookMs, ended);
    } catch (thrown) {
      if (!isAway) report(`schedules: ${messageOf(thrown)}`);
      isAway = true;
      kept = new Map();
      await clock.sleep(scheduleStoreAwayMs, ended);
    }
  }
}

async function purgeWhile(
  executions: Executions,
  report: (message: string) => void,
  ended: AbortSignal,
): Promise<void> {
  const { clock, schedules } = executions.context;
  while (!ended.aborted) {
    try {
      while (!ended.aborted) {
        const removed = await schedules.purgeTicks(scheduleTickKeptMs, scheduleTicksPurgedMax);
        if (removed < scheduleTicksPurgedMax) break;
      }
    } catch (thrown) {
      report(`ticks of schedules: ${messageOf(thrown)}`);
    }
    await clock.sleep(purgeMs, ended);
  }
}
