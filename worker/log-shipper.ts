// Brings what tools print to the control plane: at once when nothing is under way, otherwise with
// the next request. No tool and no slot ever waits for it; what can't be sent is dropped, and said.

import { stepLogPauseMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { StepLogLine, StepLogSink } from "#core/ports/step-logs";
import { mayHelpLater } from "./failure-of.ts";
import { type LineBufferBounds, lineBuffer } from "./line-buffer.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { ToolLine, WorkerLog } from "./services.ts";

export interface LogShipperOptions {
  readonly sink: StepLogSink;
  readonly clock: Clock;
  /** Hears the lines too, and what goes wrong with them. */
  readonly log?: WorkerLog;
  readonly bounds?: LineBufferBounds;
  /** From 0 to 1; the runtime's own by default. */
  readonly random?: () => number;
  /** Runs it in a later turn of the event loop; the runtime's own by default. */
  readonly defer?: (run: () => void) => void;
}

export interface LogShipper {
  /** What the worker is to be given as its log. */
  readonly log: WorkerLog;
  /** Sends what there is, for so long at most; later lines are dropped. */
  close(graceMs: number): Promise<void>;
}

export function logShipper(options: LogShipperOptions): LogShipper {
  const { sink, clock, log = {}, random = Math.random } = options;
  const { defer = (run) => void setImmediate(run) } = options;
  const buffer = lineBuffer(options.bounds);
  const giveUp = new AbortController();
  const hurry = new AbortController();
  let shipping: Promise<void> | undefined;
  let nextMs = 0;

  /** The same lines until they are taken: what was taken and not confirmed is known by its seq. */
  const deliver = async (batch: readonly StepLogLine[]): Promise<void> => {
    for (let failures = 1; !giveUp.signal.aborted; failures++) {
      try {
        return await sink.send(batch, giveUp.signal);
      } catch (thrown) {
        if (!mayHelpLater(thrown)) {
          return log.notice?.(`${batch.length} lines of tools were refused`, thrown);
        }
        if (failures === 1) log.notice?.("lines of tools can't be sent, trying again", thrown);
        await clock.sleep(retryDelayMs(failures, random), giveUp.signal);
      }
    }
  };

  const ship = async (): Promise<void> => {
    while (!buffer.empty() && !giveUp.signal.aborted) {
      const pauseMs = nextMs - clock.nowMs();
      if (pauseMs > 0) await clock.sleep(pauseMs, hurry.signal);
      nextMs = clock.nowMs() + stepLogPauseMs;
      await deliver(buffer.take());
    }
    shipping = undefined;
  };

  const start = (): void => {
    if (shipping !== undefined || giveUp.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    shipping = promise;
    // In a later turn: what is printed together goes together.
    defer(() => void ship().then(resolve));
  };

  return {
    log: {
      ...log,
      line: (line: ToolLine) => {
        log.line?.(line);
        if (giveUp.signal.aborted) return;
        buffer.add(line, clock.nowMs());
        start();
      },
    },
    close: async (graceMs) => {
      hurry.abort();
      const inTime = new AbortController();
      const late = clock.sleep(graceMs, inTime.signal).then(() => giveUp.abort());
      await Promise.race([shipping, late]);
      inTime.abort();
      giveUp.abort();
    },
  };
}
