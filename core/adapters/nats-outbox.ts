// Plain messages on their way to the server: without a promise for each, without a wait, and
// without an end to what may pile up. What can't be sent now waits in a bounded queue, whose
// oldest messages are lost first.

import type { NatsConnection } from "@nats-io/transport-node";
import {
  busConfirmBytes,
  busQueueCharsMax,
  busQueueMessagesMax,
  busUnconfirmedBytesMax,
} from "#core/model/bus-limits";
import type { NatsLink } from "./nats-link.ts";

export interface Outbox {
  publish(subject: string, data: string): void;
  /** Messages that were given up. */
  lost(): number;
  close(): void;
}

interface Message {
  readonly subject: string;
  readonly data: string;
}

export function natsOutbox(link: NatsLink): Outbox {
  let queue: Message[] = [];
  /** Of this turn of the event loop: sent together at its end, for writes cost more than messages. */
  let turn: Message[] = [];
  let turnChars = 0;
  let queuedChars = 0;
  let lost = 0;
  let closed = false;
  /** Characters sent over this connection since the server last confirmed that it has all. */
  let unconfirmed = 0;
  let isConfirming = false;

  const isOpen = (): boolean => unconfirmed + turnChars < busUnconfirmedBytesMax;

  const send = (connection: NatsConnection, { subject, data }: Message): void => {
    try {
      connection.publish(subject, data);
      unconfirmed += data.length;
    } catch {
      // A message larger than the server takes would not get through later either.
      if (connection.isClosed()) keep({ subject, data });
      else lost += 1;
    }
    if (unconfirmed >= busConfirmBytes && !isConfirming) confirm(connection);
  };

  /** The server answers in order: what it was sent before has arrived. */
  const confirm = (connection: NatsConnection): void => {
    const sent = unconfirmed;
    isConfirming = true;
    const confirmed = (): void => {
      if (link.connection() !== connection) return;
      isConfirming = false;
      unconfirmed -= sent;
      sendQueued(connection);
    };
    // A flush that fails is one of a connection that is gone; the next one begins anew.
    connection.flush().then(confirmed, () => {});
  };

  const sendQueued = (connection: NatsConnection): void => {
    const due = queue;
    queue = [];
    queuedChars = 0;
    for (const message of due) {
      if (isOpen()) send(connection, message);
      else keep(message);
    }
  };

  const keep = (message: Message): void => {
    queue.push(message);
    queuedChars += message.data.length;
    while (queue.length > busQueueMessagesMax || queuedChars > busQueueCharsMax) {
      queuedChars -= queue.shift()?.data.length ?? 0;
      lost += 1;
    }
  };

  const sendSoon = (message: Message): void => {
    turn.push(message);
    turnChars += message.data.length;
    if (turn.length === 1) setImmediate(sendTurn);
  };

  const sendTurn = (): void => {
    const due = turn;
    turn = [];
    turnChars = 0;
    const connection = link.connection();
    for (const message of due) {
      if (connection === undefined) keep(message);
      else send(connection, message);
    }
  };

  const stopListening = link.onConnected((connection) => {
    unconfirmed = 0;
    isConfirming = false;
    // Not before the others who were told of the connection have subscribed on it.
    queueMicrotask(() => sendQueued(connection));
  });

  return {
    publish: (subject, data) => {
      if (closed) return;
      const isReady = link.connection() !== undefined && queue.length === 0 && isOpen();
      if (isReady) sendSoon({ subject, data });
      else keep({ subject, data });
    },
    lost: () => lost,
    close: () => {
      closed = true;
      sendTurn();
      stopListening();
      lost += queue.length;
      queue = [];
    },
  };
}
