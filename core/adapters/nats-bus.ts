// The bus over NATS: plain messages for what is worth something only now, a stream for hints. It
// works from the start and through every outage: what is asked of it meanwhile holds as soon as
// there is a server.

import type { NatsConnection, Subscription as NatsSubscription } from "@nats-io/transport-node";
import { messageOf } from "#core/model/fault";
import type { Bus, BusMessage, Subscription } from "#core/ports/bus";
import { hintSender } from "./nats-hint-sender.ts";
import { natsHintTaker } from "./nats-hint-taker.ts";
import { type NatsLink, type NatsLinkOptions, natsLink } from "./nats-link.ts";
import { natsOutbox } from "./nats-outbox.ts";
import { commandStreamKeeper } from "./nats-stream.ts";

export interface NatsBusOptions extends NatsLinkOptions {
  /** Told of a handler that threw, with its subject or pool; the others never notice. */
  readonly onError?: (thrown: unknown, subject: string) => void;
}

/** Returns at once and connects in the background. @throws Fault `invalid` for bad servers. */
export function natsBus(options: NatsBusOptions): Bus {
  return natsBusOver(natsLink(options), options.onError);
}

/** A bus over a connection that serves others too; closing the bus closes it. */
export function natsBusOver(link: NatsLink, onError?: NatsBusOptions["onError"]): Bus {
  const outbox = natsOutbox(link);
  const keeper = commandStreamKeeper(link.notice);
  const sender = hintSender(link, keeper);
  const open = new Set<Subscription>();
  let closed = false;

  const tracked = <Of extends Subscription>(subscription: Of): Of => {
    open.add(subscription);
    const close = (): void => {
      if (open.delete(subscription)) subscription.close();
    };
    return { ...subscription, close };
  };

  return {
    publish: outbox.publish,
    subscribe: (pattern, handler, { group } = {}) => {
      if (closed) return { close: () => {} };
      return tracked(subscribe({ link, pattern, handler, group, onError }));
    },
    hint: sender.hint,
    hints: (pool, taker) => {
      if (closed) return { wake: () => {}, close: () => {} };
      const failed = (thrown: unknown): void => onError?.(thrown, pool);
      return tracked(natsHintTaker({ link, keeper, pool, taker, onError: failed }));
    },
    status: () => {
      const status = link.status();
      const reason = status.reason ?? keeper.reason();
      return {
        ...status,
        ...(reason === undefined ? {} : { reason }),
        messagesLost: outbox.lost(),
        hintsLost: sender.lost(),
      };
    },
    close: async () => {
      closed = true;
      for (const subscription of [...open]) subscription.close();
      open.clear();
      outbox.close();
      sender.close();
      keeper.close();
      await link.close();
    },
  };
}

interface Subscribing {
  readonly link: NatsLink;
  readonly pattern: string;
  readonly handler: (message: BusMessage) => void;
  readonly group: string | undefined;
  readonly onError: NatsBusOptions["onError"];
}

/** Holds over every connection until it is closed. */
function subscribe({ link, pattern, handler, group, onError }: Subscribing): Subscription {
  let current: NatsSubscription | undefined;
  const heard = (subject: string, data: string): void => {
    try {
      handler({ subject, data });
    } catch (thrown) {
      onError?.(thrown, subject);
    }
  };
  const onConnected = (connection: NatsConnection): void => {
    current = connection.subscribe(pattern, {
      ...(group === undefined ? {} : { queue: group }),
      callback: (error, message) => {
        if (error === null) heard(message.subject, message.string());
        else link.notice(`${pattern} can't be heard: ${messageOf(error)}`);
      },
    });
  };
  const stopListening = link.onConnected(onConnected);
  return {
    close: () => {
      stopListening();
      if (current?.isClosed() === false) current.unsubscribe();
    },
  };
}
