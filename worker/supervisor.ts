// Several workers on one machine, each a process: the parent starts them, starts those anew that
// die, passes on what it is told, and ends when all of them have. It runs no step itself.

import { type ChildProcess, spawn } from "node:child_process";
import { superviseAgainMs, superviseAgainMsMax, superviseSettledMs } from "#core/model/limits";

export interface SupervisorOptions {
  readonly processes: number;
  /** What one worker is started with: program and arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly report: (message: string) => void;
}

export interface Supervisor {
  /** Process ids of the workers that live. */
  pids(): readonly number[];
  /** Asks every worker to stop; none is started any more. Asked again, they quit at once. */
  stop(): void;
  /** Resolves when none is left after `stop`. */
  readonly ended: Promise<void>;
}

export function supervise(options: SupervisorOptions): Supervisor {
  const { processes, report } = options;
  const children = new Set<ChildProcess>();
  const waiting = new Set<ReturnType<typeof setTimeout>>();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let isStopping = false;

  const endIfEmpty = (): void => {
    if (isStopping && children.size === 0) resolve();
  };

  const start = (failures: number): void => {
    const child = startChild(options);
    const startedAtMs = performance.now();
    children.add(child);
    let isOver = false;
    const over = (how: string): void => {
      if (isOver) return;
      isOver = true;
      children.delete(child);
      if (isStopping) return endIfEmpty();
      const hasSettled = performance.now() - startedAtMs > superviseSettledMs;
      again(hasSettled ? 1 : failures + 1, `worker process ${child.pid ?? ""} ${how}`);
    };
    child.once("error", () => over("could not be started"));
    child.once("exit", (code, signal) => over(`ended with ${signal ?? code}`));
  };

  const again = (failures: number, why: string): void => {
    const delayMs = Math.min(superviseAgainMs * 2 ** (failures - 1), superviseAgainMsMax);
    report(`${why}; another one starts in ${delayMs} ms`);
    const timer = setTimeout(() => {
      waiting.delete(timer);
      start(failures);
    }, delayMs);
    waiting.add(timer);
  };

  for (let n = 0; n < processes; n++) start(0);
  return {
    pids: () => [...children].flatMap(({ pid }) => pid ?? []),
    stop: () => {
      isStopping = true;
      for (const timer of waiting) clearTimeout(timer);
      for (const child of children) child.kill("SIGTERM");
      endIfEmpty();
    },
    ended,
  };
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
