// How far a role is behind the log, told as a number of its process.

import type { Clock } from "#core/ports/clock";
import type { FeedPage } from "#core/ports/event-feed";
import type { Metrics } from "#core/ports/metrics";

export interface LagPorts {
  readonly metrics?: Metrics;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Told of each page that the role has done with. */
export function roleLag(role: string, { metrics, clock }: LagPorts): (page: FeedPage) => void {
  const seconds = metrics?.gauge(
    "noetl_role_lag_seconds",
    "Age of the last event that the role has read; 0 when it knows all.",
    ["role"],
  );
  const read = metrics?.counter("noetl_events_projected_total", "Events that a role has read.", [
    "role",
  ]);
  return ({ entries, more }) => {
    const last = entries.at(-1)?.event.time;
    read?.add(entries.length, { role });
    const lagMs = more && last !== undefined ? Math.max(0, clock.nowMs() - last) : 0;
    seconds?.set(lagMs / 1_000, { role });
  };
}
