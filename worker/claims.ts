// Asking for work: at once when a hint came or the pool gave all that was asked for, otherwise
// when somebody says it is time to look again. One claim at a time, and never in a hurry while
// the control plane is away. A hint that this worker has no use for is left to another one.

import { retryDelayMs } from "./retry-delay.ts";
import { type WorkerServices, workOf } from "./services.ts";
import type { Slots } from "./slots.ts";

export interface Claims {
  /** Time to look again. */
  look(): void;
  /** There is work: false if this worker can't use the hint. */
  hinted(): boolean;
  /** Hints that could be of use now. */
  room(): number;
  /** Claims if there is reason to, and room. */
  pump(): void;
  /** A claim is under way, or there is reason for one. */
  due(): boolean;
}

export interface ClaimsOptions {
  readonly services: WorkerServices;
  readonly pools: readonly string[];
  readonly slots: Slots;
  /** There is reason to claim, and no room but what stands by. */
  readonly onFull: () => void;
  /** Aborted when the worker has ended. */
  readonly ending: AbortSignal;
}

export function claims({ services, pools, slots, onFull, ending }: ClaimsOptions): Claims {
  const { control, clock, log, random } = services;
  let isClaiming = false;
  let mayBeMore = true;
  let looks = 0;
  let failures = 0;
  let notBeforeMs = 0;
  /** Hints taken since the last claim was sent: each may stand for a slot's worth of work. */
  let hints = 0;
  /** What the claim under way asks for. */
  let claimed = 0;

  const claim = async (wanted: number): Promise<void> => {
    const seen = looks;
    isClaiming = true;
    hints = 0;
    claimed = wanted;
    try {
      const work = workOf(services, { pools, want: wanted, idle: slots.idle() });
      const commands = await control.claim(work, ending);
      failures = 0;
      if (commands.length < wanted && looks === seen) mayBeMore = false;
      slots.received(commands, wanted);
    } catch (thrown) {
      failures += 1;
      const delayMs = retryDelayMs(failures, random);
      notBeforeMs = clock.nowMs() + delayMs;
      log.notice?.(`commands can't be claimed, next try in ${delayMs} ms`, thrown);
      slots.received([], wanted);
    } finally {
      isClaiming = false;
    }
  };

  const isAway = (): boolean => clock.nowMs() < notBeforeMs;
  const look = (): void => {
    looks += 1;
    mayBeMore = true;
  };

  return {
    look,
    hinted: () => {
      // The claim under way may have missed what this hint stands for, and leave slots free.
      const slotsLeft = isClaiming ? claimed : slots.free() + slots.standing();
      if (isAway() || hints >= slotsLeft) return false;
      hints += 1;
      look();
      return true;
    },
    due: () => isClaiming || mayBeMore || isAway(),
    room: () => (isAway() || isClaiming ? 0 : Math.max(slots.free() + slots.standing() - hints, 0)),
    pump: () => {
      if (!mayBeMore || isClaiming || isAway()) return;
      const wanted = slots.take();
      if (wanted > 0) void claim(wanted);
      else if (slots.standing() > 0) onFull();
    },
  };
}
