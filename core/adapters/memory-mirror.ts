// A mirror of the log in memory, for one process and for tests: keeps a message once, and may be
// lost or out of reach when its owner says so.

import { Fault } from "#core/model/fault";
import type { EventMirror, MirrorMessage } from "#core/ports/event-mirror";

export interface MemoryMirror extends EventMirror {
  readonly messages: readonly MirrorMessage[];
  /** Every message as it came, doubled ones as well. */
  readonly received: readonly MirrorMessage[];
  /** All is gone; the next writer makes another one. */
  lose(): void;
  /** While true nothing can be written. */
  setAway(isAway: boolean): void;
}

export function memoryMirror(windowMs: number): MemoryMirror {
  let messages: MirrorMessage[] = [];
  let received: MirrorMessage[] = [];
  const ids = new Set<string>();
  let generation = 1;
  let isAway = false;
  const reached = (): void => {
    if (isAway) throw new Fault("unavailable", "the mirror is out of reach");
  };
  return {
    windowMs,
    incarnation: async () => {
      reached();
      return String(generation);
    },
    publish: async (batch) => {
      reached();
      for (const message of batch) {
        received.push(message);
        if (ids.has(message.id)) continue;
        ids.add(message.id);
        messages.push(message);
      }
    },
    close: async () => {},
    get messages() {
      return messages;
    },
    get received() {
      return received;
    },
    lose: () => {
      messages = [];
      received = [];
      ids.clear();
      generation += 1;
    },
    setAway: (away) => {
      isAway = away;
    },
  };
}
