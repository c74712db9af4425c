// The role that tells one place of the log, in the log's order. The cursor moves on only after the
// place has taken a page, so that dying anywhere sends something twice and leaves nothing out. One
// page is under way at a time; the rest waits in the log.

import { pageAfter } from "#control/roles/feed-page";
import { holdRole, type Role, restMs } from "#control/roles/lease";
import { aboutsOf } from "#control/services/event-envelope";
import { exportEventsMax, exportPollMs } from "#core/model/export-limits";
import { Fault, messageOf } from "#core/model/fault";
import type { Json } from "#core/model/json";
import type { Clock } from "#core/ports/clock";
import type { CursorStore, HeldCursor } from "#core/ports/cursor-store";
import type { EventFeed, FeedEntry } from "#core/ports/event-feed";
import type { EventLog } from "#core/ports/event-log";
import type { Metrics } from "#core/ports/metrics";
import { askOver } from "./ask.ts";
import { type Delivering, deliver, rest } from "./deliver.ts";
import type { Ask, Conversion, ExportedEvent, ExportSink } from "./sink.ts";

export interface ExporterPorts {
  readonly log: Pick<EventLog, "events">;
  readonly feed: EventFeed;
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly metrics?: Metrics;
}

export interface ExporterOptions {
  /** This process, unlike any other. */
  readonly owner: string;
  readonly report: (message: string) => void;
  /** Where it starts that has never run. */
  readonly from: "begin" | "now";
  /** Of the time, while there is something to tell; all of it without it. */
  readonly share?: number;
  readonly leaseMs?: number;
  readonly pageEvents?: number;
  readonly bodyBytesMax?: number;
  readonly random?: () => number;
  /** In place of requests over the network. */
  readonly ask?: (signal: AbortSignal) => Ask;
}

/** How far a place has been told; kept as JSON. */
interface Progress {
  /** Which place it is: another one has none of it. */
  readonly place: string;
  readonly position?: string;
  readonly state?: Json;
}

/** Tells the place as long as this process has the role. */
export function exportRole(ports: ExporterPorts, sink: ExportSink, options: ExporterOptions): Role {
  const { cursors, clock } = ports;
  const { owner, report, leaseMs } = options;
  const lease = leaseMs === undefined ? {} : { leaseMs };
  const name = `export:${sink.name}`;
  const abouts = aboutsOf(ports.log);
  const numbers = numbersOf(sink, ports.metrics);
  return holdRole({ name, owner, cursors, clock, report, ...lease }, (hold, ended) => {
    const { ask = (signal) => askOver({ signal }), random = Math.random } = options;
    const delivering = { sink, clock, ended, report, random, ask: ask(ended), ...numbers };
    const bytes = options.bodyBytesMax === undefined ? {} : { bodyBytesMax: options.bodyBytesMax };
    const told = async (entries: readonly FeedEntry[]): Promise<readonly ExportedEvent[]> => {
      const known = await abouts(entries);
      return entries.flatMap(({ position, event }) => {
        const about = known.get(event.execution_id);
        const { tenant, path, version } = about ?? {};
        if (tenant === undefined || path === undefined || version === undefined) return [];
        return [{ position, event, tenant, path, version }];
      });
    };
    return exportFrom({
      ...ports,
      ...options,
      sink,
      hold,
      ended,
      told,
      numbers,
      ...{
        delivering: { ...delivering, ...bytes },
      },
    });
  });
}

interface Exporting extends ExporterPorts, ExporterOptions {
  readonly sink: ExportSink;
  readonly hold: HeldCursor;
  readonly ended: AbortSignal;
  readonly told: (entries: readonly FeedEntry[]) => Promise<readonly ExportedEvent[]>;
  readonly delivering: Delivering;
  readonly numbers: Numbers;
}

async function exportFrom(run: Exporting): Promise<void> {
  const { clock, ended, sink, share = 1, delivering } = run;
  let progress = await beginning(run);
  await prepared(run);
  let conversion = sink.begin(progress.state, ended);
  for (let failures = 0; !ended.aborted; ) {
    try {
      const beganMs = clock.nowMs();
      const step = await exportOn(run, conversion, progress);
      if (step === "lost") return;
      ({ progress, conversion } = step);
      failures = 0;
      const tookMs = clock.nowMs() - beganMs;
      await clock.sleep(step.more ? restMs(tookMs, share) : exportPollMs, ended);
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.retryable)) throw thrown;
      // What it knows may be ahead of what was noted.
      conversion = sink.begin(progress.state, ended);
      await rest(delivering, failures, { reason: messageOf(thrown) });
      failures += 1;
    }
  }
}

/** Where the last holder was. Where there was none, the log's end counts from this moment on. */
async function beginning(run: Exporting): Promise<Progress> {
  const { hold, from, cursors, feed, sink } = run;
  const { place } = sink;
  // Only this role writes its own cursor.
  const held = hold.position === undefined ? undefined : (JSON.parse(hold.position) as Progress);
  if (held?.place === place) return held;
  if (from === "begin") return { place };
  const progress: Progress = { place, position: await feed.end() };
  await cursors.advance(hold, JSON.stringify(progress));
  return progress;
}

async function prepared({ sink, ended, delivering }: Exporting): Promise<void> {
  for (let tries = 0; sink.prepare !== undefined && !ended.aborted; tries++) {
    try {
      await sink.prepare(delivering.ask);
      return;
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      await rest(delivering, tries, { reason: messageOf(thrown) });
    }
  }
}

interface Step {
  readonly progress: Progress;
  readonly conversion: Conversion;
  readonly more: boolean;
}

/** One page: read, told, and only then noted. */
async function exportOn(
  run: Exporting,
  current: Conversion,
  before: Progress,
): Promise<Step | "lost"> {
  const { feed, hold, cursors, ended, numbers, clock, pageEvents = exportEventsMax } = run;
  const page = await pageAfter(feed, before.position, pageEvents);
  const conversion = page.restarted ? run.sink.begin(undefined, ended) : current;
  const events = await run.told(page.entries);
  const items = await conversion.items(events);
  if (ended.aborted) return "lost";
  const last = events.at(-1)?.event.time;
  if (last !== undefined) numbers.lag(clock.nowMs() - last);
  if (!(await deliver(run.delivering, items))) return "lost";
  if (!page.more) numbers.lag(0);
  const state = conversion.state?.();
  const { place } = before;
  const progress = { place, position: page.next, ...(state === undefined ? {} : { state }) };
  const { more } = page;
  if (page.next === before.position) return { progress: before, conversion, more };
  if (!(await cursors.advance(hold, JSON.stringify(progress)))) return "lost";
  return { progress, conversion, more };
}

interface Numbers extends Pick<Delivering, "onRetry" | "onSent" | "onRejected"> {
  lag(ms: number): void;
}

function numbersOf({ name }: ExportSink, metrics: Metrics | undefined): Numbers {
  const labels = { sink: name };
  const counter = (what: string, help: string) =>
    metrics?.counter(`noetl_export_${what}_total`, help, ["sink"]);
  const sent = counter("sent", "Items that a place outside has taken.");
  const rejected = counter(
    "rejected",
    "Items that a place outside refused, and that were left out.",
  );
  const retries = counter("retries", "Requests to a place outside that were held up.");
  const lag = metrics?.gauge(
    "noetl_export_lag_seconds",
    "Age of the event that a place outside is being told of; 0 when it knows all.",
    ["sink"],
  );
  return {
    onSent: (items) => sent?.add(items, labels),
    onRejected: (items) => rejected?.add(items, labels),
    onRetry: () => retries?.add(1, labels),
    lag: (ms) => lag?.set(Math.max(0, ms) / 1_000, labels),
  };
}
