// Standing by for commands that are not there yet: one request is kept open while there are free
// slots and nothing to claim. It is for speed alone: what it misses is found by hints and looks.

import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { retryDelayMs } from "./retry-delay.ts";
import { type WorkerServices, workOf } from "./services.ts";
import type { Slots } from "./slots.ts";

export interface StandbyOptions {
  readonly services: WorkerServices;
  readonly pools: readonly string[];
  readonly slots: Slots;
  /** The wait is over and brought nothing: a look at what may be claimed is due. */
  readonly onNothing: () => void;
  /** Aborted when the worker has ended. */
  readonly ending: AbortSignal;
}

export interface Standby {
  /** Begins to stand by unless it does, or has too little room. */
  begin(): void;
  /** The slots are needed: the request is asked to end with what it has. */
  end(): void;
}

export function standingBy(options: StandbyOptions): Standby {
  const { services, pools, slots, ending, onNothing } = options;
  const { control, clock, log, random } = services;
  let isStanding = false;
  let isLeaving = false;
  let failures = 0;
  let notBeforeMs = 0;

  const refused = (what: string, thrown: unknown): void => {
    const isOrdinary = ending.aborted || (thrown instanceof Fault && thrown.retryable);
    if (!isOrdinary) log.notice?.(what, thrown);
  };

  const stand = async (wanted: number): Promise<void> => {
    isStanding = true;
    let commands: readonly WorkerCommand[] = [];
    try {
      const stood = await control.standby(workOf(services, { pools, want: wanted }), ending);
      commands = stood.commands;
      failures = 0;
      notBeforeMs = clock.nowMs() + (stood.againMs ?? 0);
      if (commands.length === 0 && stood.againMs === undefined) onNothing();
    } catch (thrown) {
      failures += 1;
      notBeforeMs = clock.nowMs() + retryDelayMs(failures, random);
      refused("standing by was refused", thrown);
    }
    isStanding = false;
    slots.stood(commands, wanted);
  };

  return {
    begin: () => {
      if (isStanding || ending.aborted || clock.nowMs() < notBeforeMs) return;
      const wanted = slots.stand();
      if (wanted > 0) void stand(wanted);
    },
    end: () => {
      if (!isStanding || isLeaving) return;
      isLeaving = true;
      control
        .standby(workOf(services, { pools, want: 0 }), ending)
        .catch((thrown: unknown) => refused("the end of standing by was refused", thrown))
        .finally(() => {
          // It may have come before the request that it was to end: whoever needs room asks again.
          isLeaving = false;
        });
    },
  };
}
