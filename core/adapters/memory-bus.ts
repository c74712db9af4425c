// The bus of one process: every subscriber has its own bounded queue, and messages are handed
// over in a later turn of the event loop, never inside `publish`. Like any bus it may lose: a
// queue that is full drops its oldest message.

import { busQueueMessagesMax } from "#core/model/bus-limits";
import type { Bus, BusMessage, Subscription } from "#core/ports/bus";
import { memoryHints } from "./memory-hints.ts";

export interface MemoryBusOptions {
  /** Messages that wait for one subscriber before the oldest are dropped. */
  readonly queueMessagesMax?: number;
  /** Told of a handler that threw, with its subject or pool; the others never notice. */
  readonly onError?: (thrown: unknown, subject: string) => void;
}

interface Subscriber {
  readonly tokens: readonly string[];
  readonly group: string | undefined;
  readonly handler: (message: BusMessage) => void;
  queue: BusMessage[];
}

/** A bus that lives and dies with this process. */
export function memoryBus(options: MemoryBusOptions = {}): Bus {
  const { queueMessagesMax = busQueueMessagesMax, onError } = options;
  const subscribers = new Set<Subscriber>();
  const waiting = new Set<Subscriber>();
  const { hint, hints, ...hinting } = memoryHints(onError);
  let turns = 0;
  let lost = 0;
  let scheduled = false;
  let closed = false;

  const handOver = (subscriber: Subscriber): void => {
    const messages = subscriber.queue;
    subscriber.queue = [];
    for (const message of messages) {
      if (!subscribers.has(subscriber)) return;
      try {
        subscriber.handler(message);
      } catch (thrown) {
        onError?.(thrown, message.subject);
      }
    }
  };

  /** One turn hands over what was waiting when it began; what handlers publish comes next. */
  const turn = (): void => {
    scheduled = false;
    const due = [...waiting];
    waiting.clear();
    for (const subscriber of due) handOver(subscriber);
  };

  const enqueue = (subscriber: Subscriber, message: BusMessage): void => {
    if (subscriber.queue.length >= queueMessagesMax) {
      subscriber.queue.shift();
      lost += 1;
    }
    subscriber.queue.push(message);
    waiting.add(subscriber);
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };

  const publish = (subject: string, data: string): void => {
    if (closed) return;
    const tokens = subject.split(".");
    const message: BusMessage = { subject, data };
    let groups: Map<string, Subscriber[]> | undefined;
    for (const subscriber of subscribers) {
      if (!matches(subscriber.tokens, tokens)) continue;
      if (subscriber.group === undefined) {
        enqueue(subscriber, message);
        continue;
      }
      groups ??= new Map();
      const members = groups.get(subscriber.group);
      if (members === undefined) groups.set(subscriber.group, [subscriber]);
      else members.push(subscriber);
    }
    if (groups === undefined) return;
    turns += 1;
    for (const members of groups.values()) {
      const chosen = members[turns % members.length];
      if (chosen !== undefined) enqueue(chosen, message);
    }
  };

  const subscribe: Bus["subscribe"] = (pattern, handler, { group } = {}): Subscription => {
    const subscriber: Subscriber = { tokens: pattern.split("."), group, handler, queue: [] };
    if (!closed) subscribers.add(subscriber);
    return { close: () => void subscribers.delete(subscriber) };
  };

  const close = async (): Promise<void> => {
    closed = true;
    subscribers.clear();
    waiting.clear();
    hinting.close();
  };

  const status: Bus["status"] = () => ({
    state: closed ? "closed" : "connected",
    messagesLost: lost,
    hintsLost: hinting.lost(),
  });

  return { publish, subscribe, hint, hints, status, close };
}

/** Tokens between dots: `*` is any one of them, `>` at the end any one or more. */
function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const token = pattern[index];
    if (token === ">") return index < subject.length;
    if (index >= subject.length) return false;
    if (token !== "*" && token !== subject[index]) return false;
  }
  return pattern.length === subject.length;
}
