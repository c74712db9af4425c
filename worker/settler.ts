// Outcomes on their way to the control plane, in batches that form by themselves: what ends while
// two requests are under way goes with the next one. An outcome leaves only with a verdict that
// lets it; what can't be reported is kept in the spool and reported again.

import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import { settleOutcomesMax, settlePartMin, settlesInFlightMax } from "#core/model/limits";
import { failureOutput, type Outcome } from "#core/model/outcome";
import type { Settled, SettleVerdict } from "#core/ports/control-plane";
import { failure } from "./failure-of.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { type WorkerServices, workOf } from "./services.ts";
import type { OutcomeKey, Spool } from "./spool.ts";

interface Unreported {
  readonly outcome: Outcome;
  /** Times it was tried and not taken. */
  tries: number;
  dueMs: number;
  /** Sent by itself: the request that held it with others was refused as a whole. */
  alone: boolean;
}

export interface SettlerOptions {
  readonly services: WorkerServices;
  readonly pools: readonly string[];
  readonly spool: Spool;
  /** Aborted when the worker has ended. */
  readonly ending: AbortSignal;
  /** Slots that may be asked commands for, with those that the outcomes being sent hold. */
  readonly take: () => number;
  /** Whether the slots just promised are all of them. */
  readonly idle?: () => boolean;
  /** The commands of a reply, and how many were asked for. */
  readonly onReply: (commands: readonly WorkerCommand[], wanted: number) => void;
  /** Asked to run empty. */
  readonly onQuiesce?: () => void;
}

export interface Settler {
  /** Reads what a former life left; to be awaited before anything is claimed. */
  open(): Promise<void>;
  add(outcome: Outcome): void;
  /** Whether the outcome of this attempt, or of a later one, is known and not yet reported. */
  holds(key: OutcomeKey): boolean;
  /** Sends what can be sent now. */
  pump(): void;
  /** Outcomes that hold a slot and are in no request. */
  waiting(): number;
  /** Claims wait: there are outcomes to send, or the spool has not been read yet. */
  due(): boolean;
  /** Nothing is left to report. */
  empty(): boolean;
  unreported(): Iterable<Outcome>;
  /** Writes what is left to the spool. */
  close(): Promise<void>;
}

export function settler(options: SettlerOptions): Settler {
  const { services, spool } = options;
  const { control, clock, log, random } = services;
  let queue: Unreported[] = [];
  const later = new Set<Unreported>();
  const sending = new Set<Unreported>();
  const held = new Map<string, number>();
  let requests = 0;
  let failures = 0;
  let downUntilMs = 0;
  let closed = false;
  let opened = false;

  const wake = (delayMs: number): void => {
    void clock.sleep(delayMs, options.ending).then(pump);
  };

  const keep = async (batch: readonly Unreported[]): Promise<void> => {
    try {
      await spool.keep(batch.map(({ outcome }) => outcome));
    } catch (thrown) {
      log.notice?.("outcomes could not be written to the spool", thrown);
    }
  };

  const retryLater = (item: Unreported): void => {
    item.tries += 1;
    const delayMs = retryDelayMs(item.tries, random);
    item.dueMs = clock.nowMs() + delayMs;
    later.add(item);
    wake(delayMs);
  };

  /**
   * A crowd is parted among the requests that may go: while one part is stored the other is decided
   * upon, instead of all of it waiting for each in turn.
   */
  const share = (): number =>
    queue.length <= settlePartMin
      ? settleOutcomesMax
      : Math.ceil(queue.length / (settlesInFlightMax - requests));

  const next = (): Unreported[] => {
    const [first] = queue;
    const alone = queue.findIndex((item) => item.alone);
    const length = first?.alone === true ? 1 : alone < 0 ? share() : alone;
    const batch = queue.slice(0, Math.min(length, settleOutcomesMax));
    queue = queue.slice(batch.length);
    return batch;
  };

  const replied = (batch: readonly Unreported[], settled: Settled, wanted: number): void => {
    const reported: Unreported[] = [];
    const kept: Unreported[] = [];
    for (const [index, item] of batch.entries()) {
      const taken = isTaken(settled.verdicts[index] ?? "retry");
      (taken ? reported : kept).push(item);
    }
    for (const item of kept) retryLater(item);
    if (kept.length > 0) void keep(kept);
    forget(reported);
    options.onReply(settled.commands, wanted);
    if (settled.quiesce === true) options.onQuiesce?.();
  };

  const forget = (reported: readonly Unreported[]): void => {
    for (const { outcome } of reported) held.delete(outcome.command_id);
    const spooled = reported.filter(({ tries }) => tries > 0);
    if (spooled.length === 0) return;
    spool.drop(spooled.map(({ outcome }) => outcome)).catch((thrown) => {
      log.notice?.("reported outcomes could not be taken out of the spool", thrown);
    });
  };

  /** The request itself was refused: what was in it is at fault, so it is tried piece by piece. */
  const refused = (batch: readonly Unreported[], thrown: unknown): void => {
    log.notice?.(`a settle of ${batch.length} outcomes was refused`, thrown);
    const [only] = batch;
    if (batch.length > 1 || only === undefined) {
      queue = [...batch.map((item) => ({ ...item, alone: true })), ...queue];
    } else if (only.outcome.output.error?.code !== resultRejected) {
      queue = [{ ...only, outcome: rejected(only.outcome), alone: true }, ...queue];
    } else {
      forget([only]);
    }
  };

  const down = (batch: readonly Unreported[], thrown: unknown): void => {
    failures += 1;
    const delayMs = retryDelayMs(failures, random);
    log.notice?.(`${batch.length} outcomes can't be reported, next try in ${delayMs} ms`, thrown);
    downUntilMs = clock.nowMs() + delayMs;
    for (const item of batch) item.tries += 1;
    queue = [...batch, ...queue];
    void keep(queue);
    for (const item of queue) item.tries = Math.max(1, item.tries);
    wake(delayMs);
  };

  const send = async (): Promise<void> => {
    const batch = next();
    const wanted = options.take();
    requests += 1;
    for (const item of batch) sending.add(item);
    try {
      const outcomes = batch.map(({ outcome }) => outcome);
      const idle = wanted > 0 && options.idle?.() === true;
      const work = workOf(services, { pools: options.pools, want: wanted, idle });
      const settled = await control.settle({ ...work, outcomes });
      failures = 0;
      ended(batch);
      replied(batch, settled, wanted);
    } catch (thrown) {
      ended(batch);
      if (isRefusal(thrown)) refused(batch, thrown);
      else down(batch, thrown);
      options.onReply([], wanted);
    }
    pump();
  };

  const add = (outcome: Outcome): void => {
    const isDown = clock.nowMs() < downUntilMs;
    const item = { outcome, tries: isDown ? 1 : 0, dueMs: 0, alone: false };
    held.set(outcome.command_id, outcome.attempt);
    queue.push(item);
    if (isDown) void keep([item]);
  };

  const ended = (batch: readonly Unreported[]): void => {
    requests -= 1;
    for (const item of batch) sending.delete(item);
  };

  const pump = (): void => {
    if (closed || !opened) return;
    const nowMs = clock.nowMs();
    for (const item of later) {
      if (item.dueMs > nowMs) continue;
      later.delete(item);
      queue.push(item);
    }
    if (nowMs < downUntilMs) return;
    while (queue.length > 0 && requests < settlesInFlightMax) void send();
  };

  return {
    open: async () => {
      try {
        const left = await spool.load();
        for (const { command_id: id, attempt } of left) held.set(id, attempt);
        queue.unshift(...left.map((outcome) => ({ outcome, tries: 1, dueMs: 0, alone: false })));
      } catch (thrown) {
        log.notice?.("the spool could not be read", thrown);
      }
      opened = true;
    },
    add,
    holds: ({ command_id: id, attempt }) => (held.get(id) ?? 0) >= attempt,
    pump,
    waiting: () => queue.length + later.size,
    due: () => !opened || queue.length > 0,
    empty: () => queue.length === 0 && later.size === 0 && requests === 0,
    unreported: function* () {
      for (const { outcome } of queue) yield outcome;
      for (const { outcome } of later) yield outcome;
      for (const { outcome } of sending) yield outcome;
    },
    close: async () => {
      closed = true;
      await keep([...queue, ...later, ...sending]);
    },
  };
}

const resultRejected = "result_rejected";

/** What stands for an outcome that the control plane can't take: the failure that says so. */
function rejected({ command_id, attempt, duration_ms }: Outcome): Outcome {
  const message = "the control plane refused the outcome as a request";
  const output = failureOutput(failure("result", message, { code: resultRejected }));
  return { command_id, attempt, output, duration_ms };
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Fault && (thrown.code === "invalid" || thrown.code === "too_large");
}

function isTaken(verdict: SettleVerdict): boolean {
  switch (verdict) {
    case "accepted":
    case "duplicate":
    case "refused":
    case "gone":
      return true;
    case "retry":
      return false;
    default:
      return verdict satisfies never;
  }
}
