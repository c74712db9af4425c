// The stores as a replica reaches them: over a network, with everything that can befall a call on
// the way. What was asked for may be done although its caller never hears of it, or is dead by then.

import { Fault } from "#core/model/fault";
import type { Stores } from "#core/ports/stores";
import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export interface RemoteOptions {
  readonly time: Timeline;
  readonly chance: Random;
  readonly faults: Faults;
  readonly owner: Process;
  readonly isAway: () => boolean;
  /** Told of each answer that reaches the caller, after it did. */
  readonly onAnswer: (call: Call, answer: unknown) => void;
}

export interface Call {
  readonly port: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Every port of the stores, each call of which now travels; whatever ports there are. */
export function remoteStores(stores: Stores, options: RemoteOptions): Stores {
  const far = Object.entries(stores).map(([port, value]) => [
    port,
    remotePort(port, value, options),
  ]);
  // The same keys with the same methods: each port is as it was, but for what calls take.
  return Object.fromEntries(far) as Stores;
}

function remotePort(port: string, value: unknown, options: RemoteOptions): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get: (target, name, self) => {
      const method: unknown = Reflect.get(target, name, self);
      if (typeof method !== "function" || typeof name !== "string") return method;
      return (...args: unknown[]) =>
        travel({ port, name, args }, options, () => method.apply(target, args));
    },
  });
}

function travel(call: Call, options: RemoteOptions, act: () => unknown): Promise<unknown> {
  const { time, chance, faults, owner } = options;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  if (!owner.alive() || crashes(options, call, "before")) return promise;
  const what = `${call.port}.${call.name}`;
  const refuse = (why: string): void => {
    time.note(owner.name, `${what}: ${why}`);
    time.after(chance.between(0.5, 20), () => reject(new Fault("unavailable", why)), owner);
  };
  const arrive = async (): Promise<void> => {
    if (options.isAway()) return refuse("the store is away");
    let answer: unknown;
    try {
      answer = await act();
    } catch (thrown) {
      time.after(chance.between(0.1, 2), () => reject(thrown), owner);
      return;
    }
    if (call.name === "append") time.note(owner.name, `${what} → ${JSON.stringify(answer)}`);
    if (crashes(options, call, "after")) return;
    if (faults.happens("commit reply lost")) return refuse("the reply was lost");
    time.after(
      backMs(options),
      () => {
        resolve(answer);
        options.onAnswer(call, answer);
      },
      owner,
    );
  };
  // Most calls arrive at once: who comes first is decided by when replies come back.
  if (chance.chance(0.3)) time.after(chance.scale(0.1, 5), () => void arrive());
  else void arrive();
  return promise;
}

function crashes({ faults, owner }: RemoteOptions, call: Call, when: string): boolean {
  if (!faults.happens("replica crash")) return false;
  owner.kill(`${when} ${call.port}.${call.name}`);
  return true;
}

function backMs({ faults, chance, owner }: RemoteOptions): number {
  if (!faults.happens("store slow")) return chance.scale(0.1, 4);
  const delayMs = faults.of("store slow").scale(50, 6_000);
  if (delayMs > 1_000) owner.trouble(1);
  return delayMs;
}
