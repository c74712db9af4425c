// Hints on their way into the stream. Nobody waits for them: each is kept until the server says
// that it is stored, and sent again over a new connection or into a stream that was made again;
// the server drops what it has already by the message id. A hint that has grown old is given up.

import { createInbox, headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { hintStreamGoneMs, hintsWaitingMax, hintUsefulMs } from "#core/model/bus-limits";
import type { CommandPointer } from "#core/ports/bus";
import { commandHint, commandHintId } from "#core/wire/subjects";
import { type NatsLink, pause, spreadMs } from "./nats-link.ts";
import type { CommandStreamKeeper } from "./nats-stream.ts";

export interface HintSender {
  hint(pool: string, pointer: CommandPointer): void;
  /** Hints of which it is not known that they were stored. */
  lost(): number;
  close(): void;
}

interface Waiting {
  readonly subject: string;
  readonly data: string;
  readonly messageId: string;
  readonly atMs: number;
  /** The connection it went over, unless the server said that there was no stream. */
  sentOver: NatsConnection | undefined;
}

const noResponders = 503;

export function hintSender(link: NatsLink, keeper: CommandStreamKeeper): HintSender {
  /** By the number of the hint, oldest first. */
  const waiting = new Map<number, Waiting>();
  const inbox = createInbox();
  let stopListening: (() => void) | undefined;
  const ending = new AbortController();
  let makingFor: NatsConnection | undefined;
  let count = 0;
  let lost = 0;

  const send = (number: number, hint: Waiting, connection: NatsConnection): void => {
    const head = headers();
    head.set("Nats-Msg-Id", hint.messageId);
    hint.sentOver = connection;
    try {
      connection.publish(hint.subject, hint.data, { headers: head, reply: `${inbox}.${number}` });
    } catch {
      // It can't be sent over any connection: the limits of the server are against it.
      waiting.delete(number);
      lost += 1;
    }
  };

  const dropOld = (): void => {
    const tooOldMs = performance.now() - hintUsefulMs;
    for (const [number, { atMs }] of waiting) {
      if (atMs > tooOldMs && waiting.size <= hintsWaitingMax) return;
      waiting.delete(number);
      lost += 1;
    }
  };

  const sendUnsent = (connection: NatsConnection): void => {
    dropOld();
    for (const [number, hint] of waiting) {
      if (hint.sentOver !== connection) send(number, hint, connection);
    }
  };

  const makeStream = async (connection: NatsConnection, waitMs: number): Promise<void> => {
    if (makingFor === connection) return;
    makingFor = connection;
    if (waitMs > 0) await pause(waitMs, ending.signal);
    const isMade = await keeper.makeStream(connection);
    if (makingFor === connection) makingFor = undefined;
    if (isMade && !ending.signal.aborted && link.connection() === connection) {
      sendUnsent(connection);
    }
  };

  const heard = (message: Msg, connection: NatsConnection): void => {
    const number = Number(message.subject.slice(inbox.length + 1));
    const hint = waiting.get(number);
    if (hint === undefined) return;
    if (message.headers?.code === noResponders) {
      hint.sentOver = undefined;
      void makeStream(connection, spreadMs(hintStreamGoneMs));
      return;
    }
    waiting.delete(number);
    if (isRefusal(message.string())) lost += 1;
  };

  const onConnected = (connection: NatsConnection): void => {
    connection.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error === null) heard(message, connection);
      },
    });
    void makeStream(connection, 0);
  };

  return {
    hint: (pool, pointer) => {
      if (ending.signal.aborted) return;
      stopListening ??= link.onConnected(onConnected);
      const hint: Waiting = {
        subject: commandHint(pool, pointer.execution_id),
        data: JSON.stringify(pointer),
        messageId: commandHintId(pointer),
        atMs: performance.now(),
        sentOver: undefined,
      };
      count += 1;
      waiting.set(count, hint);
      dropOld();
      const connection = link.connection();
      if (connection !== undefined) send(count, hint, connection);
    },
    lost: () => lost,
    close: () => {
      ending.abort();
      stopListening?.();
      waiting.clear();
    },
  };
}

/** The server's answer is a document of its own; an error stands in it by name. */
function isRefusal(answer: string): boolean {
  return answer.startsWith('{"error"') || answer.includes('"error":');
}
