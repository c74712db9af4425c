// The system role: one process looks after the store every few minutes. Identity, room for coming
// months, retention, and whatever duties other parts hand in.

import { retain } from "#control/services/retention";
import { messageOf } from "#core/model/fault";
import { dutyPiecesMax, systemRoleMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { CursorStore } from "#core/ports/cursor-store";
import type { EventFeed } from "#core/ports/event-feed";
import type { LogRetention } from "#core/ports/log-retention";
import { holdRole, type Role } from "./lease.ts";

export interface SystemPorts {
  readonly cursors: CursorStore;
  readonly feed: Pick<EventFeed, "identity">;
  readonly retention: LogRetention;
  readonly clock: Clock;
}

/** Work in bounded pieces: each says how much it did, and none when there is nothing left. */
export interface Duty {
  readonly name: string;
  run(): Promise<number>;
}

export interface SystemOptions {
  /** This process, unlike any other. */
  readonly owner: string;
  readonly report: (message: string) => void;
  /** Executions are kept for so many days after their end; undefined keeps them for ever. */
  readonly retentionDays?: number;
  readonly duties?: readonly Duty[];
  readonly intervalMs?: number;
  readonly leaseMs?: number;
}

export const systemRoleName = "system";

export function systemRole(ports: SystemPorts, options: SystemOptions): Role {
  const { cursors, clock } = ports;
  const { owner, report, leaseMs, intervalMs = systemRoleMs } = options;
  const lease = leaseMs === undefined ? {} : { leaseMs };
  const role = { name: systemRoleName, owner, cursors, clock, report, ...lease };
  return holdRole(role, async (_hold, ended) => {
    while (!ended.aborted) {
      for (const duty of dutiesOf(ports, options, ended)) await attend(duty, ended, report);
      await clock.sleep(intervalMs, ended);
    }
  });
}

function dutiesOf(
  { feed, retention, clock }: SystemPorts,
  { retentionDays: days, duties = [], report }: SystemOptions,
  ended: AbortSignal,
): readonly Duty[] {
  return [
    {
      name: "identity",
      run: async () => {
        await feed.identity();
        return 0;
      },
    },
    {
      name: "retention",
      run: async () => {
        await retain({ retention, clock, days, ended, report });
        return 0;
      },
    },
    ...duties,
  ];
}

/** A duty that fails is tried again at the next round; the others don't wait for it. */
async function attend(
  { name, run }: Duty,
  ended: AbortSignal,
  report: (message: string) => void,
): Promise<void> {
  try {
    for (let pieces = 0; pieces < dutyPiecesMax && !ended.aborted; pieces++) {
      if ((await run()) === 0) return;
    }
  } catch (thrown) {
    report(`${name}: ${messageOf(thrown)}`);
  }
}
