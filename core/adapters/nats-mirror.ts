// The mirror of the log as a JetStream stream: made when it is missing, kept for a day, and known
// by the moment it was made. Nothing here needs more than NATS 2.9.

import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import { busRequestMs } from "#core/model/bus-limits";
import { Fault, messageOf } from "#core/model/fault";
import { mirrorDoubledMs, mirrorSettleMs, mirrorWindowMs } from "#core/model/limits";
import type { EventMirror, MirrorMessage } from "#core/ports/event-mirror";
import { allMirroredEvents, eventStream } from "#core/wire/subjects";
import { type NatsLink, type NatsLinkOptions, natsLink, pause } from "./nats-link.ts";

/** The server's codes: there is no such stream, and it can't store the message. */
const streamNotFound = 10_059;
const storeFailed = 10_077;

/** Returns at once and connects in the background. @throws Fault `invalid` for bad servers. */
export function natsMirror(options: NatsLinkOptions): EventMirror {
  return natsMirrorOver(natsLink(options));
}

/** A mirror over a connection that is the mirror's own: closing one closes the other. */
export function natsMirrorOver(link: NatsLink): EventMirror {
  const connected = (): NatsConnection => {
    const connection = link.connection();
    if (connection !== undefined) return connection;
    const { reason = "not connected" } = link.status();
    throw new Fault("unavailable", `the mirror of the log is out of reach: ${reason}`);
  };
  return {
    windowMs: mirrorWindowMs,
    incarnation: () => reached(() => streamMade(connected())),
    publish: (batch) =>
      reached(async () => {
        const connection = connected();
        await publishAll(jetstream(connection, { timeout: busRequestMs }), batch).catch(
          async (thrown: unknown) => {
            await removeBroken(connection, thrown);
            throw thrown;
          },
        );
      }),
    close: () => link.close(),
  };
}

/** Whatever goes wrong on the way may go well the next time. */
async function reached<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const message = `the mirror of the log can't be written: ${messageOf(thrown)}`;
    throw new Fault("unavailable", message, { cause: thrown });
  }
}

type StreamApi = Awaited<ReturnType<typeof jetstreamManager>>;

const managerOptions = { checkAPI: false, timeout: busRequestMs };

/** When the stream was made; it is made now if there is none. */
async function streamMade(connection: NatsConnection): Promise<string> {
  const { streams } = await jetstreamManager(connection, managerOptions);
  const made = async (): Promise<string | undefined> => {
    try {
      return (await streams.info(eventStream)).created;
    } catch (thrown) {
      if (thrown instanceof JetStreamApiError && thrown.code === streamNotFound) return undefined;
      throw thrown;
    }
  };
  const there = await made();
  if (there !== undefined) return there;
  // A stream that was just deleted is gone before its files are: they would take those of a new
  // one along.
  await pause(mirrorSettleMs, new AbortController().signal);
  return (await made()) ?? addStream(streams);
}

async function addStream(streams: StreamApi["streams"]): Promise<string> {
  const added = await streams.add({
    name: eventStream,
    subjects: [allMirroredEvents],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(mirrorWindowMs),
    duplicate_window: nanos(mirrorDoubledMs),
  });
  return added.created;
}

/**
 * A stream that was made too soon after all can store nothing and never will. It goes if it is
 * empty; the next writer makes another.
 */
async function removeBroken(connection: NatsConnection, thrown: unknown): Promise<void> {
  if (!(thrown instanceof JetStreamApiError && thrown.code === storeFailed)) return;
  const { streams } = await jetstreamManager(connection, managerOptions);
  const { state } = await streams.info(eventStream);
  if (state.messages === 0) await streams.delete(eventStream);
}

/** All at once; the first failure is told when all have an answer, so that none comes late. */
async function publishAll(client: JetStreamClient, batch: readonly MirrorMessage[]): Promise<void> {
  const expect = { streamName: eventStream };
  const answers = await Promise.allSettled(
    batch.map(({ subject, id, body }) =>
      client.publish(subject, body, { msgID: id, expect, timeout: busRequestMs }),
    ),
  );
  const failed = answers.find((answer) => answer.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
