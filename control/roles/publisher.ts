// The publisher: mirrors the log, in its order, to where readers without a database find it. The
// cursor moves on only after the mirror has a batch, so that dying anywhere writes something twice
// and leaves nothing out; a mirror that was lost is written again.

import { type Envelopes, envelopes, type FeedEvent } from "#control/services/event-envelope";
import { Fault, messageOf } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import {
  mirrorEventsMax,
  mirrorMessageBytesMax,
  mirrorPollMs,
  mirrorRetryMsMax,
} from "#core/model/limits";
import { eventReference } from "#core/model/references";
import { shardOf } from "#core/model/shards";
import type { Clock } from "#core/ports/clock";
import type { CursorStore, HeldCursor } from "#core/ports/cursor-store";
import type { EventFeed, FeedPage } from "#core/ports/event-feed";
import type { EventLog } from "#core/ports/event-log";
import type { EventMirror, MirrorMessage } from "#core/ports/event-mirror";
import type { Metrics } from "#core/ports/metrics";
import { mirroredEvent } from "#core/wire/subjects";
import { pageAfter } from "./feed-page.ts";
import { holdRole, type Role, restMs } from "./lease.ts";
import { roleLag } from "./role-lag.ts";

export interface PublisherPorts {
  readonly log: Pick<EventLog, "events">;
  readonly feed: EventFeed;
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly mirror: EventMirror;
  readonly metrics?: Metrics;
}

export interface PublisherOptions {
  /** This process, unlike any other. */
  readonly owner: string;
  readonly report: (message: string) => void;
  readonly leaseMs?: number;
  readonly pollMs?: number;
  /** Of the time, while there is something to mirror; all of it without it. */
  readonly share?: number;
}

export const publisherRole = "publisher";

/** How far the mirror is written; kept as JSON. */
interface Progress {
  /** Which mirror: another one has none of it. */
  readonly mirror: string;
  readonly position?: string;
  /** Events older than this would have left the mirror already when it was begun. */
  readonly sinceMs: number;
}

/** Mirrors as long as this process has the role; the mirror is the caller's to close. */
export function publisher(ports: PublisherPorts, options: PublisherOptions): Role {
  const { cursors, clock } = ports;
  const { owner, report, leaseMs } = options;
  const wrap = envelopes(ports.log);
  const tellLag = roleLag(publisherRole, ports);
  return holdRole(
    {
      name: publisherRole,
      owner,
      cursors,
      clock,
      report,
      ...(leaseMs === undefined ? {} : { leaseMs }),
    },
    (hold, ended) => mirrorFrom({ ...ports, ...options, hold, ended, wrap, tellLag }),
  );
}

interface Mirroring extends PublisherPorts, PublisherOptions {
  readonly tellLag: (page: FeedPage) => void;
  readonly hold: HeldCursor;
  readonly ended: AbortSignal;
  readonly wrap: Envelopes;
}

async function mirrorFrom(run: Mirroring): Promise<void> {
  const { clock, ended, report, pollMs = mirrorPollMs, share = 1 } = run;
  let progress = progressOf(run.hold.position);
  for (let failures = 0; !ended.aborted; ) {
    try {
      const beganMs = clock.nowMs();
      const step = await mirrorOn(run, progress);
      if (step === "lost") return;
      progress = step.progress;
      failures = 0;
      const tookMs = clock.nowMs() - beganMs;
      await clock.sleep(step.more ? restMs(tookMs, share) : pollMs, ended);
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.retryable)) throw thrown;
      if (failures === 0) report(`publisher: ${messageOf(thrown)}`);
      failures += 1;
      await clock.sleep(Math.min(pollMs * 2 ** failures, mirrorRetryMsMax), ended);
    }
  }
}

/** One batch. What is noted names the mirror it was written to, even if that is gone by then. */
async function mirrorOn(
  run: Mirroring,
  before: Progress | undefined,
): Promise<{ readonly progress: Progress; readonly more: boolean } | "lost"> {
  const { mirror, clock, cursors, hold, ended } = run;
  const name = await mirror.incarnation();
  const from =
    before?.mirror === name ? before : { mirror: name, sinceMs: clock.nowMs() - mirror.windowMs };
  const page = await pageAfter(run.feed, from.position, mirrorEventsMax);
  const wanted = page.entries.filter(({ event }) => event.time >= from.sinceMs);
  const messages = (await run.wrap(wanted)).map(messageFor);
  if (ended.aborted) return "lost";
  if (messages.length > 0) await mirror.publish(messages);
  const progress: Progress = { ...from, position: page.next };
  const hasMoved = from !== before || progress.position !== before.position;
  if (hasMoved && !(await cursors.advance(hold, JSON.stringify(progress)))) return "lost";
  run.tellLag(page);
  return { progress, more: page.more };
}

function progressOf(text: string | undefined): Progress | undefined {
  if (text === undefined) return undefined;
  // Only this role writes its own cursor.
  return JSON.parse(text) as Progress;
}

function messageFor(event: FeedEvent): MirrorMessage {
  const id = executionId(event.execution_id);
  const { tenant_id: tenant, organization_id: organization } = event;
  const whole = JSON.stringify(event);
  // A character may take three bytes: what is surely small enough is not counted.
  const isLarge =
    whole.length * 3 > mirrorMessageBytesMax &&
    new TextEncoder().encode(whole).byteLength > mirrorMessageBytesMax;
  return {
    subject: mirroredEvent(id, shardOf(id), { tenant, organization }),
    id: event.event_id,
    body: isLarge ? withoutData(event) : whole,
  };
}

/** The reader fetches what is too large for a message from the log. */
function withoutData(event: FeedEvent): string {
  const { result: _result, ...rest } = event;
  const payloadRef = eventReference(executionId(event.execution_id), event.seq);
  return JSON.stringify({ ...rest, context: {}, payload_ref: payloadRef });
}
