// The bus as one process hears it: hints that never come, come twice, late, or in another order.

import type { Bus } from "#core/ports/bus";
import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

export interface RemoteBusOptions {
  readonly time: Timeline;
  readonly faults: Faults;
  readonly owner: Process;
  /** Told of each message before it is on its way. */
  readonly onPublish: (subject: string, data: string) => void;
}

/** The bus that is given, from afar. It is open for as long as the process lives. */
export function remoteBus(bus: Bus, options: RemoteBusOptions): Bus {
  const { owner, onPublish } = options;
  return {
    publish: (subject, data) => {
      if (!owner.alive()) return;
      onPublish(subject, data);
      send(options, () => bus.publish(subject, data));
    },
    subscribe: (pattern, handler, how) => {
      const hear = (message: Parameters<typeof handler>[0]): void => {
        options.time.after(0, () => handler(message), owner);
      };
      const subscription = bus.subscribe(pattern, hear, how);
      owner.onDeath(() => subscription.close());
      return subscription;
    },
    hint: (pool, pointer) => {
      if (owner.alive()) send(options, () => bus.hint(pool, pointer));
    },
    hints: (pool, taker) => {
      const awake = (): boolean => owner.status === "running";
      const subscription = bus.hints(pool, {
        room: () => (awake() ? taker.room() : 0),
        take: (pointer) => awake() && taker.take(pointer),
      });
      owner.onDeath(() => subscription.close());
      return subscription;
    },
    status: () => bus.status(),
    close: async () => {},
  };
}

function send({ time, faults }: RemoteBusOptions, deliver: () => void): void {
  if (faults.happens("hint lost")) return;
  if (faults.happens("hint twice")) time.after(faults.of("hint twice").scale(1, 20_000), deliver);
  const isLate = faults.happens("hint late");
  time.after(isLate ? faults.of("hint late").scale(5, 20_000) : 0.1, deliver);
}
