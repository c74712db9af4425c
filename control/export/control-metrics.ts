// The numbers of a control plane: what was asked of it, what went into the log, and how the store
// and the roles over it stand.

import type { Observe } from "#control/access/admission";
import type { ControlContext } from "#control/services/context";
import { statusOfEvent } from "#control/services/views";
import { type Event, terminalStatus } from "#core/model/event";
import { metricsLookMs } from "#core/model/export-limits";
import { messageOf } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { EventLog, Transition } from "#core/ports/event-log";
import type { Metrics } from "#core/ports/metrics";

/** Counts the answers of routes, by the route and never by what it was asked about. */
export function requestObserver(metrics: Metrics): Observe {
  const requests = metrics.counter("noetl_request_total", "Requests, by route and status.", [
    "method",
    "route",
    "status",
  ]);
  const seconds = metrics.histogram(
    "noetl_request_duration_seconds",
    "From a request's arrival to its answer; a stream counts when it begins.",
    ["method", "route"],
  );
  return ({ method, path }, status, durationMs) => {
    requests.add(1, { method, route: path, status: String(status) });
    seconds.observe(durationMs / 1_000, { method, route: path });
  };
}

/** Counts what goes into the log; nothing else of the log changes. */
export function countedLog(log: EventLog, metrics: Metrics, clock: Pick<Clock, "nowMs">): EventLog {
  const numbers = logNumbers(metrics);
  return {
    ...log,
    append: async (transitions) => {
      const beganMs = clock.nowMs();
      const verdicts = await log.append(transitions).catch((thrown: unknown) => {
        numbers.failed(clock.nowMs() - beganMs);
        throw thrown;
      });
      numbers.appended(clock.nowMs() - beganMs);
      for (const [at, transition] of transitions.entries()) {
        if (verdicts[at] !== "conflict") numbers.accepted(transition);
        else numbers.conflict();
      }
      return verdicts;
    },
  };
}

function logNumbers(metrics: Metrics) {
  const events = metrics.counter("noetl_events_ingested_total", "Events put into the log.", [
    "event_type",
    "status",
  ]);
  const outcomes = metrics.counter("noetl_execute_outcomes_total", "Executions begun and ended.", [
    "entry",
    "outcome",
  ]);
  const commands = metrics.counter("noetl_command_publish_total", "Commands handed to a pool.", [
    "pool",
  ]);
  const writes = metrics.counter("noetl_write_requests_total", "Writes to the log, by their end.", [
    "outcome",
  ]);
  const seconds = metrics.histogram("noetl_write_duration_seconds", "Time of a write to the log.");
  const perEvent = metrics.histogram(
    "noetl_event_ingest_duration_seconds",
    "Time of the write that a transition was part of.",
  );
  const count = (event: Event): void => {
    events.add(1, { event_type: event.type, status: statusOfEvent(event) });
    if (event.type === "command.issued") commands.add(1, { pool: event.pool });
    if (event.type === "playbook.started") outcomes.add(1, { entry: "start", outcome: "started" });
    const ended = terminalStatus(event);
    if (ended !== undefined) outcomes.add(1, { entry: "end", outcome: ended });
  };
  return {
    accepted: ({ events: logged }: Transition): void => {
      writes.add(1, { outcome: "accepted" });
      for (const { event } of logged) count(event);
    },
    conflict: (): void => writes.add(1, { outcome: "conflict" }),
    appended: (ms: number): void => {
      seconds.observe(ms / 1_000);
      perEvent.observe(ms / 1_000);
    },
    failed: (ms: number): void => {
      writes.add(1, { outcome: "error" });
      seconds.observe(ms / 1_000);
    },
  };
}

/** What only the store knows; asked for when somebody looks, and not more often than that helps. */
export function storeNumbers(
  { clock, log, feed, cursors, engineVersion, report }: ControlContext,
  metrics: Metrics,
): () => Promise<void> {
  processNumbers(metrics, engineVersion, clock);
  const up = metrics.gauge("noetl_up", "Whether the store answers.");
  const feedLag = metrics.gauge(
    "noetl_feed_lag_seconds",
    "Age of the oldest write that has begun and not ended: readers of the feed wait for it.",
  );
  const held = metrics.gauge("noetl_role_held", "Whether some process has the role.", ["role"]);
  const waits = metrics.gauge("noetl_pool_waiting", "Whether a pool has something to claim.", [
    "pool",
  ]);
  const suspects = metrics.gauge(
    "noetl_pool_suspect_wait_seconds",
    "How long the oldest command has waited that needs an idle worker.",
    ["pool"],
  );
  const seenPools = new Set<string>();
  const look = async (): Promise<void> => {
    const [lag, roles, queues] = await Promise.all([feed.lag(), cursors.list(), log.queues()]);
    feedLag.set(lag.lagMs / 1_000);
    for (const { name: role, held: isHeld } of roles) held.set(isHeld ? 1 : 0, { role });
    // A pool that nobody waits in any more is not told by the store.
    for (const pool of seenPools) waits.set(0, { pool });
    for (const { pool, waits: isWaiting, suspectWaitedMs = 0 } of queues) {
      seenPools.add(pool);
      waits.set(isWaiting ? 1 : 0, { pool });
      suspects.set(suspectWaitedMs / 1_000, { pool });
    }
  };
  let lookedMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.nowMs() - lookedMs < metricsLookMs) return;
    lookedMs = clock.nowMs();
    try {
      await look();
      up.set(1);
    } catch (thrown) {
      up.set(0);
      report(`metrics: ${messageOf(thrown)}`);
    }
  };
}

function processNumbers(metrics: Metrics, version: string, clock: Pick<Clock, "nowMs">): void {
  const about = { version, name: "noetl-control" };
  metrics.gauge("noetl_info", "What this process is.", ["version", "name"]).set(1, about);
  metrics.gauge("noetl_server_build_info", "Which version it is.", ["version"]).set(1, { version });
  metrics
    .gauge("noetl_process_start_time_seconds", "When this process began, in seconds since 1970.")
    .set(clock.nowMs() / 1_000);
}
