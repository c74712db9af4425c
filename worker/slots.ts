// The slots of a worker: what runs in them, what may be asked for to fill them, and who is put
// out of them. A slot is held by a running command, by a tool that has not let go after its
// abort, by an outcome that could not be reported, and by a promise to a request under way.

import type { WorkerCommand } from "#core/model/command";
import { claimCommandsMax, standbySlotsMax, toolAbortGraceMs } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type { LeaseRef } from "#core/ports/event-log";
import { CommandRun } from "./command-run.ts";
import { failureOf } from "./failure-of.ts";
import { firstRenewalMs, refOf } from "./lease.ts";
import { failedOutcome, runCommand } from "./run-command.ts";
import type { WorkerServices } from "./services.ts";
import type { Settler } from "./settler.ts";

export interface SlotsOptions {
  readonly services: WorkerServices;
  readonly slots: number;
  readonly outcomes: Settler;
  readonly onChange: () => void;
}

export interface Slots {
  /** Commands that could be taken now; none beside one that runs alone, or to run empty. */
  free(): number;
  /** Promises the free slots to a request: so many commands may be asked for. */
  take(): number;
  /** Keeps some of the free slots for a request that stands by; 0 when there are none. */
  stand(): number;
  /** Slots that are kept for the request that stands by, and could be had back. */
  standing(): number;
  /** The commands of a request that stood by with so many slots. */
  stood(commands: readonly WorkerCommand[], wanted: number): void;
  /** Whether the request that was promised slots last is that of a worker that holds nothing. */
  idle(): boolean;
  /** From now on nothing is asked for until nothing is held any more. */
  quiesce(): void;
  /** The commands of a reply to a request that was promised so many slots. */
  received(commands: readonly WorkerCommand[], wanted: number): void;
  /** Takes a command away: its outcome counts no more. */
  discard(run: CommandRun, reason: "lost" | "gone"): void;
  /** Looks after deadlines, and after tools that do not end. */
  tick(): void;
  /** From now on nothing is asked for, and what still comes is given back. */
  close(): void;
  /** Aborts what runs; it goes back to the queue unless it ended well all the same. */
  drain(): void;
  /** Gives up what still runs; the leases that are to be given back. */
  abandon(): readonly LeaseRef[];
  /** Commands whose outcome counts. */
  runs(): Iterable<CommandRun>;
  held(): number;
  promised(): number;
}

export function slotTable({ services, slots, outcomes, onChange }: SlotsOptions): Slots {
  const { clock, control, workerId, log } = services;
  const runs = new Map<string, CommandRun>();
  /** Taken away, but the tool has not let go yet. */
  const leaving = new Set<CommandRun>();
  const returned: LeaseRef[] = [];
  let promised = 0;
  /** Kept for what may come to the request that stands by; it doesn't make a worker busy. */
  let standing = 0;
  let isClosed = false;
  let isQuiescing = false;
  /** The request under way may bring a command that must be alone: no other is made beside it. */
  let isIdle = false;

  const isEmpty = (): boolean =>
    runs.size === 0 && leaving.size === 0 && outcomes.waiting() === 0 && promised === 0;

  const isAlone = (): boolean => {
    for (const { command } of runs.values()) if (command.alone === true) return true;
    return false;
  };

  const free = (): number => {
    if (isIdle || isQuiescing || isAlone()) return 0;
    return slots - runs.size - leaving.size - outcomes.waiting() - promised - standing;
  };

  const stand = (): number => {
    const wanted = isClosed ? 0 : Math.min(Math.ceil(Math.max(free(), 0) / 2), standbySlotsMax);
    standing += wanted;
    return wanted;
  };

  const stood = (commands: readonly WorkerCommand[], wanted: number): void => {
    standing -= wanted;
    for (const command of commands) start(command);
    onChange();
  };

  const take = (): number => {
    const wasEmpty = isEmpty();
    if (wasEmpty) {
      isQuiescing = false;
      isIdle = false;
    }
    const wanted = isClosed ? 0 : Math.min(Math.max(free(), 0), claimCommandsMax);
    isIdle ||= wasEmpty && wanted > 0;
    promised += wanted;
    return wanted;
  };

  const received = (commands: readonly WorkerCommand[], wanted: number): void => {
    promised -= wanted;
    if (wanted > 0) isIdle = false;
    for (const command of commands) start(command);
    onChange();
  };

  const start = (command: WorkerCommand): void => {
    const { command_id: id, attempt } = command;
    const known = runs.get(id);
    // A hand-over may come twice; what runs or is being reported is not run again.
    if (known?.command.attempt === attempt) known.given += 1;
    if ((known?.command.attempt ?? 0) >= attempt || outcomes.holds(command)) return;
    if (known !== undefined) discard(known, "lost");
    if (isClosed || isAlone() || (command.alone === true && runs.size > 0)) {
      return giveBack(command);
    }
    const nowMs = clock.nowMs();
    const run = new CommandRun(command, nowMs, firstRenewalMs(command.lease_ms, nowMs));
    runs.set(id, run);
    void runCommand(run, services).then(
      (outcome) => finish(run, outcome),
      (thrown) => finish(run, broken(run, thrown)),
    );
  };

  /** A bug of ours, or of a log hook, ends one command and not the worker. */
  const broken = (run: CommandRun, thrown: unknown): Outcome => {
    const nowMs = clock.nowMs();
    const reason = run.ended(nowMs) ?? failureOf(thrown, `step ${run.command.step}`);
    return failedOutcome(run, reason, nowMs);
  };

  const giveBack = (command: WorkerCommand): void => {
    control.release(workerId, [refOf(command)]).catch((thrown) => {
      log.notice?.(`command ${command.command_id} could not be given back`, thrown);
    });
  };

  const finish = (run: CommandRun, outcome: Outcome | undefined): void => {
    const { command, stopReason } = run;
    if (runs.get(command.command_id) === run) {
      runs.delete(command.command_id);
      const isGivenBack = stopReason === "draining" && outcome?.output.status !== "ok";
      if (isGivenBack) returned.push(refOf(command));
      else if (outcome !== undefined) outcomes.add(outcome);
    } else if (!leaving.delete(run)) {
      return; // It was given up before.
    }
    onChange();
  };

  const discard = (run: CommandRun, reason: "lost" | "gone"): void => {
    if (runs.get(run.command.command_id) !== run) return;
    runs.delete(run.command.command_id);
    leaving.add(run);
    run.stop(reason, clock.nowMs());
  };

  /** A tool that ignores its abort loses its slot; its late outcome is nobody's. */
  const lookAfter = (run: CommandRun): void => {
    const nowMs = clock.nowMs();
    run.ended(nowMs);
    const { stoppedAtMs, stopReason } = run;
    if (stoppedAtMs === undefined || nowMs < stoppedAtMs + toolAbortGraceMs) return;
    log.notice?.(`command ${run.command.command_id} does not end after its abort`);
    const isOver = stopReason === "timeout";
    finish(run, isOver ? failedOutcome(run, run.timeoutFailure(), nowMs) : undefined);
  };

  return {
    free,
    take,
    stand,
    stood,
    standing: () => standing,
    idle: () => isIdle,
    quiesce: () => {
      isQuiescing = !isEmpty();
    },
    received,
    discard,
    tick: () => {
      for (const run of runs.values()) lookAfter(run);
      for (const run of leaving) lookAfter(run);
    },
    close: () => {
      isClosed = true;
    },
    drain: () => {
      for (const run of runs.values()) run.stop("draining", clock.nowMs());
    },
    abandon: () => {
      for (const run of [...runs.values()]) finish(run, undefined);
      return returned;
    },
    runs: () => runs.values(),
    held: () => runs.size + leaving.size,
    promised: () => promised,
  };
}
