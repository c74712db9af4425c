// One pool's hints for one taker. A fetch asks for as many hints as there is room for, and there is
// one at a time, so that no outage can make fetches pile up. Every hint is answered at once: taken,
// or back for another worker of the pool.

import { createInbox, type Msg, type NatsConnection, nanos } from "@nats-io/transport-node";
import {
  hintAgainMs,
  hintFetchBeatMs,
  hintFetchMs,
  hintStreamGoneMs,
  hintsFetchedMax,
} from "#core/model/bus-limits";
import type { CommandPointer, HintSubscription, HintTaker } from "#core/ports/bus";
import { commandConsumer, commandStream } from "#core/wire/subjects";
import { type NatsLink, pause, spreadMs } from "./nats-link.ts";
import type { CommandStreamKeeper } from "./nats-stream.ts";

export interface HintTakerOptions {
  readonly link: NatsLink;
  readonly keeper: CommandStreamKeeper;
  readonly pool: string;
  readonly taker: HintTaker;
  /** Told of a taker that threw. */
  readonly onError: (thrown: unknown) => void;
}

interface Fetch {
  readonly connection: NatsConnection;
  left: number;
  heardAtMs: number;
  end(): void;
}

const taken = "+ACK";
const again = `-NAK ${JSON.stringify({ delay: nanos(hintAgainMs) })}`;
const never = "+TERM";

const heartbeat = 100;
/** The fetch found nothing, or its time is over: the next one may follow. */
const isOver = (code: number): boolean => code === 404 || code === 408;

/** Fetches hints from now on, over each connection there is. */
export function natsHintTaker(options: HintTakerOptions): HintSubscription {
  const { link, keeper, pool, taker, onError } = options;
  const ending = new AbortController();
  /** The connection over which the consumer is known to be there. */
  let ready: NatsConnection | undefined;
  let fetch: Fetch | undefined;

  const prepare = async (connection: NatsConnection, waitMs: number): Promise<void> => {
    ready = undefined;
    fetch?.end();
    fetch = undefined;
    if (waitMs > 0) await pause(waitMs, ending.signal);
    if (ending.signal.aborted || !(await keeper.makeConsumer(connection, pool))) return;
    if (ending.signal.aborted || link.connection() !== connection) return;
    ready = connection;
    pump();
  };

  const pump = (): void => {
    if (fetch !== undefined || ready === undefined || ready !== link.connection()) return;
    if (ending.signal.aborted) return;
    const wanted = Math.min(taker.room(), hintsFetchedMax);
    if (wanted > 0) fetch = begin(ready, wanted);
  };

  const begin = (connection: NatsConnection, wanted: number): Fetch => {
    const inbox = createInbox();
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null) heard(own, message);
        else lose(own);
      },
    });
    const watch = setInterval(() => {
      if (performance.now() - own.heardAtMs > 2 * hintFetchBeatMs) lose(own);
    }, hintFetchBeatMs);
    const own: Fetch = {
      connection,
      left: wanted,
      heardAtMs: performance.now(),
      end: () => {
        clearInterval(watch);
        if (!connection.isClosed()) subscription.unsubscribe();
      },
    };
    const request = {
      batch: wanted,
      expires: nanos(hintFetchMs),
      idle_heartbeat: nanos(hintFetchBeatMs),
    };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${commandStream}.${commandConsumer(pool)}`;
    connection.publish(subject, JSON.stringify(request), { reply: inbox });
    return own;
  };

  const finish = (own: Fetch): void => {
    if (fetch !== own) return;
    own.end();
    fetch = undefined;
    // What was taken just now is claimed before more is asked for.
    setImmediate(pump);
  };

  /** The consumer is gone, or nobody can tell. */
  const lose = (own: Fetch): void => {
    if (fetch === own) void prepare(own.connection, spreadMs(hintStreamGoneMs));
  };

  const heard = (own: Fetch, message: Msg): void => {
    own.heardAtMs = performance.now();
    const code = message.headers?.code ?? 0;
    if (code === heartbeat) return;
    if (isOver(code)) return finish(own);
    if (code !== 0) return lose(own);
    own.left -= 1;
    const isTaken = answer(message);
    // Who has no room leaves the rest of the fetch to the others.
    if (!isTaken || own.left === 0) finish(own);
  };

  const answer = (message: Msg): boolean => {
    const pointer = pointerIn(message.string());
    if (pointer === undefined) {
      message.respond(never);
      return true;
    }
    const isTaken = offer(pointer);
    message.respond(isTaken ? taken : again);
    return isTaken;
  };

  const offer = (pointer: CommandPointer): boolean => {
    try {
      return taker.take(pointer);
    } catch (thrown) {
      onError(thrown);
      return true;
    }
  };

  const stopListening = link.onConnected((connection) => {
    void prepare(connection, 0);
  });
  return {
    wake: pump,
    close: () => {
      ending.abort();
      stopListening();
      fetch?.end();
      fetch = undefined;
    },
  };
}

/** Undefined for what no control plane of ours has sent. */
function pointerIn(text: string): CommandPointer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const isPointer = "execution_id" in value && "command_id" in value && "step" in value;
    // Takers use it as a sign that there is work, and look for the rest in the log.
    return isPointer ? (value as CommandPointer) : undefined;
  } catch {
    return undefined;
  }
}
