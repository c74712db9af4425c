// The stream that keeps command hints for a while, and its consumers: made by whoever comes first,
// and made again when somebody has deleted them. Nothing here needs more than NATS 2.9.

import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { type NatsConnection, nanos } from "@nats-io/transport-node";
import {
  busRequestMs,
  hintAckMs,
  hintDeliveriesMax,
  hintsDoubledMs,
  hintsKeptBytesMax,
  hintsKeptMs,
  hintsWaitingMax,
} from "#core/model/bus-limits";
import { messageOf } from "#core/model/fault";
import { allCommandHints, commandConsumer, commandHints, commandStream } from "#core/wire/subjects";
import { pause, retryMs } from "./nats-link.ts";

export interface CommandStreamKeeper {
  /** Makes the stream, trying until it is there: false when the connection is gone before that. */
  makeStream(connection: NatsConnection): Promise<boolean>;
  /** Makes the stream, and then the consumer that all workers of the pool share. */
  makeConsumer(connection: NatsConnection, pool: string): Promise<boolean>;
  /** Why the stream or a consumer can't be made. */
  reason(): string | undefined;
  close(): void;
}

type StreamApi = Awaited<ReturnType<typeof jetstreamManager>>;

/** Error codes of the server's stream API. */
const streamNotFound = 10_059;
const consumerNotFound = 10_014;

/** What this release needs the stream to be; a server may say more, such as replicas. */
const needed = {
  subjects: [allCommandHints],
  max_age: nanos(hintsKeptMs),
  max_bytes: hintsKeptBytesMax,
  duplicate_window: nanos(hintsDoubledMs),
  discard: DiscardPolicy.Old,
} satisfies Partial<StreamConfig>;

/** @param onNotice told why it can't be made, whenever that changes. */
export function commandStreamKeeper(onNotice: (message: string) => void): CommandStreamKeeper {
  const ending = new AbortController();
  let making: { readonly connection: NatsConnection; readonly made: Promise<boolean> } | undefined;
  let reason: string | undefined;

  const untilDone = async (
    connection: NatsConnection,
    make: (api: StreamApi) => Promise<void>,
  ): Promise<boolean> => {
    for (let failures = 0; ; failures++) {
      if (connection.isClosed() || ending.signal.aborted) return false;
      try {
        await make(await jetstreamManager(connection, { checkAPI: false, timeout: busRequestMs }));
        reason = undefined;
        return true;
      } catch (thrown) {
        if (connection.isClosed()) return false;
        reason = `command hints can't be kept: ${messageOf(thrown)}`;
        onNotice(reason);
      }
      await pause(retryMs(failures), ending.signal);
    }
  };

  return {
    makeStream: (connection) => {
      if (making?.connection === connection) return making.made;
      const made = untilDone(connection, makeStream).finally(() => {
        if (making?.made === made) making = undefined;
      });
      making = { connection, made };
      return made;
    },
    makeConsumer: (connection, pool) =>
      untilDone(connection, async (api) => {
        await makeStream(api);
        await makeConsumer(api, pool);
      }),
    reason: () => reason,
    close: () => ending.abort(),
  };
}

async function makeStream(api: StreamApi): Promise<void> {
  const found = await unlessMissing(api.streams.info(commandStream), streamNotFound);
  if (found === undefined) {
    const fixed = { storage: StorageType.File, retention: RetentionPolicy.Limits };
    await api.streams.add({ name: commandStream, ...fixed, ...needed });
    return;
  }
  // Many come at once, and only the first of a new release has something to change.
  if (!isSubset(needed, found.config)) {
    await api.streams.update(commandStream, { ...found.config, ...needed });
  }
}

function consumerConfig(pool: string): Partial<ConsumerConfig> {
  return {
    durable_name: commandConsumer(pool),
    filter_subject: commandHints(pool),
    // Hints from before the first worker of a pool are for that worker.
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(hintAckMs),
    max_deliver: hintDeliveriesMax,
    max_ack_pending: hintsWaitingMax,
    max_waiting: hintsWaitingMax,
  };
}

async function makeConsumer(api: StreamApi, pool: string): Promise<void> {
  const config = consumerConfig(pool);
  const name = commandConsumer(pool);
  const found = await unlessMissing(api.consumers.info(commandStream, name), consumerNotFound);
  if (found !== undefined) {
    if (isSubset(config, found.config)) return;
    // Most of a consumer can't be changed, and all it holds are hints.
    await unlessMissing(api.consumers.delete(commandStream, name), consumerNotFound);
  }
  await api.consumers.add(commandStream, config);
}

async function unlessMissing<Info>(
  asked: Promise<Info>,
  missingCode: number,
): Promise<Info | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof JetStreamApiError && thrown.code === missingCode) return undefined;
    throw thrown;
  }
}

function isSubset(wanted: object, found: object): boolean {
  const values = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted).every(
    ([name, value]) => JSON.stringify(values.get(name)) === JSON.stringify(value),
  );
}
