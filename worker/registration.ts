// Tells the control plane that this worker is there, how busy it is, and when it leaves: for lists,
// for people, and for the answer to why nothing runs. No command depends on it, so that a failure
// is noticed and nothing more.

import { hostname } from "node:os";
import type { ApiClient } from "#core/adapters/api-client";
import { Fault } from "#core/model/fault";
import { renewRequestMs, runtimeHeartbeatMs, runtimeOfflineMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { RuntimeLoad } from "#core/ports/runtime-registry";
import type { Sealing } from "#core/ports/sealing";
import { retryDelayMs } from "./retry-delay.ts";

export interface RegistrationOptions {
  readonly client: Pick<ApiClient, "registerWorker" | "workerHeartbeat" | "deregisterWorker">;
  readonly clock: Clock;
  /** The worker's own; no other worker has it at the same time. */
  readonly name: string;
  readonly pools: readonly string[];
  readonly labels: readonly string[];
  /** Its slots. */
  readonly capacity: number;
  readonly version: string;
  readonly load: () => RuntimeLoad;
  /** Its key, told so that what is secret can be sealed to it. */
  readonly sealing?: Sealing;
  readonly notice?: (message: string, thrown?: unknown) => void;
  /** From 0 to 1, for the waits before it is tried again. */
  readonly random?: () => number;
}

export interface WorkerRegistration {
  /** Says that the worker leaves; to be called once it has drained. */
  stop(): Promise<void>;
}

/** Registers, and says every five seconds that the worker is still there. */
export function startRegistration(options: RegistrationOptions): WorkerRegistration {
  const { client, clock, name, notice } = options;
  const ending = new AbortController();
  const ended = keepSaying(options, ending.signal);
  return {
    stop: async () => {
      ending.abort();
      await ended;
      await within(clock, (signal) => client.deregisterWorker({ body: { name } }, signal)).catch(
        (thrown: unknown) => notice?.(`worker ${name} could not be deregistered`, thrown),
      );
    },
  };
}

async function keepSaying(options: RegistrationOptions, ending: AbortSignal): Promise<void> {
  const { clock, name, notice, random = Math.random } = options;
  let failures = 0;
  let isKnown = false;
  while (!ending.aborted) {
    try {
      await within(clock, (signal) => say(options, isKnown, signal), ending);
      if (failures > 0) notice?.(`worker ${name} is registered`);
      isKnown = true;
      failures = 0;
    } catch (thrown) {
      if (ending.aborted) return;
      failures += 1;
      if (failures === 1) notice?.(`worker ${name} can't say that it is there`, thrown);
    }
    const delayMs = failures === 0 ? runtimeHeartbeatMs : retryDelayMs(failures, random);
    await clock.sleep(delayMs, ending);
  }
}

/** A heartbeat carries the registration, for a control plane that has forgotten it. */
async function say(
  options: RegistrationOptions,
  isKnown: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { client, name, pools, labels, capacity, version, sealing } = options;
  const load = options.load();
  const key = await sealing?.publicKey();
  const registration = {
    name,
    kind: "worker_pool" as const,
    runtime: "bun",
    pools: [...pools],
    labels: [...labels],
    capacity,
    version,
    pid: process.pid,
    hostname: hostname(),
    offline_ms: runtimeOfflineMs,
    ...(key === undefined ? {} : { meta: { sealing_key: key } }),
  };
  if (isKnown) await client.workerHeartbeat({ body: { name, load, registration } }, signal);
  else await client.registerWorker({ body: { ...registration, load } }, signal);
}

/** The answer, or Fault `timeout`: the next word is said on time whatever becomes of this one. */
async function within<Answer>(
  clock: Clock,
  ask: (signal: AbortSignal) => Promise<Answer>,
  ending?: AbortSignal,
): Promise<Answer> {
  const asking = new AbortController();
  const pass = (): void => asking.abort();
  ending?.addEventListener("abort", pass, { once: true });
  const late = clock.sleep(renewRequestMs, asking.signal).then((): never => {
    asking.abort();
    throw new Fault("timeout", `the control plane did not answer within ${renewRequestMs} ms`);
  });
  try {
    return await Promise.race([ask(asking.signal), late]);
  } finally {
    ending?.removeEventListener("abort", pass);
    late.catch(() => {});
    asking.abort();
  }
}
