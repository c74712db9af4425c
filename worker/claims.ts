// Asking for work: at once when a hint came or the pool gave all that was asked for, otherwise
// when somebody says it is time to look again. One claim at a time, and never in a hurry while
// the control plane is away.

import { workerRetryMs, workerRetryMsMax } from "#core/model/limits";
import type { WorkerServices } from "./services.ts";
import type { Slots } from "./slots.ts";

export interface Claims {
  /** There may be work. */
  hint(): void;
  /** Claims if there is reason to, and room. */
  pump(): void;
}

export interface ClaimsOptions {
  readonly services: WorkerServices;
  readonly pools: readonly string[];
  readonly slots: Slots;
  /** Aborted when the worker has ended. */
  readonly ending: AbortSignal;
}

export function claims({ services, pools, slots, ending }: ClaimsOptions): Claims {
  const { control, clock, log, workerId } = services;
  let isClaiming = false;
  let mayBeMore = true;
  let hints = 0;
  let failures = 0;
  let notBeforeMs = 0;

  const claim = async (wanted: number): Promise<void> => {
    const seen = hints;
    isClaiming = true;
    try {
      const commands = await control.claim({ worker: workerId, pools, want: wanted }, ending);
      failures = 0;
      if (commands.length < wanted && hints === seen) mayBeMore = false;
      slots.received(commands, wanted);
    } catch (thrown) {
      const delayMs = Math.min(workerRetryMs * 2 ** failures, workerRetryMsMax);
      failures += 1;
      notBeforeMs = clock.nowMs() + delayMs;
      log.notice?.(`commands can't be claimed, next try in ${delayMs} ms`, thrown);
      slots.received([], wanted);
    } finally {
      isClaiming = false;
    }
  };

  return {
    hint: () => {
      hints += 1;
      mayBeMore = true;
    },
    pump: () => {
      if (!mayBeMore || isClaiming || clock.nowMs() < notBeforeMs) return;
      const wanted = slots.take();
      if (wanted > 0) void claim(wanted);
    },
  };
}
