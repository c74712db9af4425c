// Several workers on one machine, each a process: the parent starts them, starts those anew that
// die, passes on what it is told, and ends when all of them have. It runs no step itself.

import { type ChildProcess, spawn } from "node:child_process";
import {
  superviseAgainMs,
  superviseAgainMsMax,
  superviseDeathsMax,
  superviseSettledMs,
} from "#core/model/limits";

export interface SupervisorOptions {
  readonly processes: number;
  /** What one worker is started with: program and arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly report: (message: string) => void;
  /** A worker that ends with this code ends them all: it would not fare better another time. */
  readonly lastCode?: number;
}

export interface Supervisor {
  /** Process ids of the workers that live. */
  pids(): readonly number[];
  /** Asks every worker to stop; none is started any more. Asked again, they quit at once. */
  stop(): void;
  /** False while workers keep dying: several within a minute, or one again and again. */
  isWell(): boolean;
  /** Resolves when none is left, with `lastCode` if one ended with it. */
  readonly ended: Promise<number | undefined>;
}

export function supervise(options: SupervisorOptions): Supervisor {
  const { processes, report, lastCode } = options;
  const children = new Map<ChildProcess, Life>();
  /** By what wakes them, the deaths in a row before each that is to be started. */
  const waiting = new Map<ReturnType<typeof setTimeout>, number>();
  let deathsAtMs: readonly number[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<number | undefined>();
  let isStopping = false;
  let last: number | undefined;

  const endIfEmpty = (): void => {
    if (isStopping && children.size === 0) resolve(last);
  };
  const stop = (): void => {
    isStopping = true;
    for (const timer of waiting.keys()) clearTimeout(timer);
    waiting.clear();
    for (const child of children.keys()) child.kill("SIGTERM");
    endIfEmpty();
  };
  const isRecent = (atMs: number): boolean => performance.now() - atMs <= superviseSettledMs;

  const start = (failures: number): void => {
    const child = startChild(options);
    const startedAtMs = performance.now();
    children.set(child, { startedAtMs, failures });
    let isOver = false;
    const over = (how: string, code: number | null): void => {
      if (isOver) return;
      isOver = true;
      children.delete(child);
      if (code !== null && code === lastCode) {
        last = code;
        // Told twice, the others would not wait for their tools.
        if (!isStopping) return stop();
      }
      if (isStopping) return endIfEmpty();
      deathsAtMs = [...deathsAtMs.filter(isRecent), performance.now()];
      const deaths = isRecent(startedAtMs) ? failures + 1 : 1;
      again(deaths, `worker process ${child.pid ?? ""} ${how}`);
    };
    child.once("error", () => over("could not be started", null));
    child.once("exit", (code, signal) => over(`ended with ${signal ?? code}`, code));
  };

  const again = (failures: number, why: string): void => {
    const delayMs = Math.min(superviseAgainMs * 2 ** (failures - 1), superviseAgainMsMax);
    report(`${why}; another one starts in ${delayMs} ms`);
    const timer = setTimeout(() => {
      waiting.delete(timer);
      start(failures);
    }, delayMs);
    waiting.set(timer, failures);
  };

  for (let n = 0; n < processes; n++) start(0);
  return {
    pids: () => [...children.keys()].flatMap(({ pid }) => pid ?? []),
    stop,
    isWell: () => {
      const lives = [...children.values()].filter(({ startedAtMs }) => isRecent(startedAtMs));
      const inARow = [...waiting.values(), ...lives.map(({ failures }) => failures)];
      const deaths = [deathsAtMs.filter(isRecent).length, ...inARow];
      return Math.max(...deaths) < superviseDeathsMax;
    },
    ended,
  };
}

interface Life {
  readonly startedAtMs: number;
  /** Deaths in a row before it. */
  readonly failures: number;
}

/**
 * In a group of its own: what a terminal tells the parent reaches the workers once, through it. The
 * channel between them ends with the parent however it ends, and then the worker stops.
 */
function startChild({ command, environment }: SupervisorOptions): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, {
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...environment, NOETL_PROCESSES: "1" },
  });
}

/** Whether a supervisor started this process. */
export const isSupervised: boolean = process.send !== undefined;

/** Closes the channel to the supervisor, which would keep this process alive. */
export function leaveSupervisor(): void {
  if (process.connected) process.disconnect?.();
}

/** Resolves when the process that supervises this one is gone; never without one. */
export function supervisorGone(): Promise<void> {
  if (!isSupervised) return new Promise(() => {});
  return new Promise((resolve) => process.once("disconnect", () => resolve()));
}
