// The projector: keeps projections up with the log by reading it from a position on. What it has
// done is in the projections themselves, event by event; its cursor only saves reading again.

import { type ProjectionPorts, projectEvents } from "#control/services/projections";
import { Fault, messageOf } from "#core/model/fault";
import { projectorEntriesMax, projectorWaitMs, projectorWaitMsMax } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { CursorStore, HeldCursor } from "#core/ports/cursor-store";
import type { EventFeed, FeedPage } from "#core/ports/event-feed";
import type { Metrics } from "#core/ports/metrics";
import { holdRole, type Role, restMs } from "./lease.ts";
import { roleLag } from "./role-lag.ts";

export interface ProjectorPorts extends Omit<ProjectionPorts, "report"> {
  readonly feed: EventFeed;
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly metrics?: Metrics;
}

export interface ProjectorOptions {
  /** This process, unlike any other. */
  readonly owner: string;
  readonly report: (message: string) => void;
  readonly leaseMs?: number;
  readonly waitMs?: number;
  /** Of the time, while there is something to project; all of it without it. */
  readonly share?: number;
}

export const projectorRole = "projector";

/** Projects as long as this process has the role. */
export function projector(ports: ProjectorPorts, options: ProjectorOptions): Role {
  const { cursors, clock } = ports;
  const { owner, report, leaseMs } = options;
  const lease = leaseMs === undefined ? {} : { leaseMs };
  return holdRole({ name: projectorRole, owner, cursors, clock, report, ...lease }, (hold, ended) =>
    projectFrom({ ...ports, ...options, hold, ended }),
  );
}

interface Projecting extends ProjectorPorts, ProjectorOptions {
  readonly hold: HeldCursor;
  readonly ended: AbortSignal;
}

async function projectFrom(run: Projecting): Promise<void> {
  const { clock, ended, report, waitMs = projectorWaitMs, share = 1 } = run;
  const tellLag = roleLag(projectorRole, run);
  let { position } = run.hold;
  for (let failures = 0; !ended.aborted; ) {
    try {
      const beganMs = clock.nowMs();
      const page = await pageAfter(run.feed, position);
      await projectEvents(
        run,
        page.entries.map(({ event }) => event),
      );
      // Another process has the role by now: it starts from the cursor, and counts nothing twice.
      if (page.next !== position && !(await run.cursors.advance(run.hold, page.next))) return;
      position = page.next;
      tellLag(page);
      failures = 0;
      const tookMs = clock.nowMs() - beganMs;
      await clock.sleep(page.more ? restMs(tookMs, share) : waitMs, ended);
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.retryable)) throw thrown;
      if (failures === 0) report(`projector: ${messageOf(thrown)}`);
      failures += 1;
      await clock.sleep(Math.min(waitMs * 2 ** failures, projectorWaitMsMax), ended);
    }
  }
}

/** A log that went back to an earlier time took its projections along: they are only read again. */
async function pageAfter(feed: EventFeed, position: string | undefined): Promise<FeedPage> {
  try {
    return await feed.after(position, { limit: projectorEntriesMax });
  } catch (thrown) {
    if (!(thrown instanceof Fault && thrown.code === "conflict")) throw thrown;
    return feed.after(undefined, { limit: projectorEntriesMax });
  }
}
