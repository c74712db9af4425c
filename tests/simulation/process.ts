// One process in one of its lives: its clock, which may be wrong, its timers and its end. After the
// end nothing it still computes has any effect: all it could act through asks whether it lives.

import type { Alarm } from "#core/adapters/http-control";
import type { Clock } from "#core/ports/clock";
import type { Life, Timeline } from "./timeline.ts";

export interface Process extends Life {
  /** The same over all lives: what it keeps on disk belongs to this name. */
  readonly machine: string;
  readonly clock: Clock;
  readonly alarm: Alarm;
  /** A later turn of its event loop. */
  readonly defer: (run: () => void) => void;
  alive(): boolean;
  kill(why: string): void;
  pause(): void;
  goOn(): void;
  jump(byMs: number): void;
  /** Runs when the process dies. */
  onDeath(run: () => void): () => void;
  /** Something befell it that may cost it a lease, now. */
  trouble(weight: number): void;
  /** Whether enough befell it since then. */
  troubledSince(atMs: number): boolean;
}

/** Lost or late messages it takes to cost a lease that is renewed in good time. */
const troublesMin = 2;

interface Trouble {
  readonly atMs: number;
  readonly weight: number;
}

export function newProcess(time: Timeline, machine: string, generation: number): Process {
  const waiting: (() => void)[] = [];
  const ends = new Set<() => void>();
  const troubles: Trouble[] = [];
  let status: Life["status"] = "running";
  let aheadMs = 0;
  const name = `${machine}.${generation}`;

  const trouble = (weight: number): void => void troubles.push({ atMs: time.nowMs(), weight });

  const life: Process = {
    name,
    machine,
    waiting,
    get status() {
      return status;
    },
    set status(next) {
      status = next;
    },
    clock: {
      nowMs: () => Math.floor(time.nowMs() + aheadMs),
      sleep: (delayMs, signal) =>
        new Promise((resolve) => {
          if (delayMs <= 0 || signal?.aborted === true) return resolve();
          const end = (): void => {
            callOff();
            signal?.removeEventListener("abort", end);
            resolve();
          };
          const callOff = time.after(delayMs, end, life);
          signal?.addEventListener("abort", end, { once: true });
        }),
    },
    alarm: (delayMs, ring) => time.after(delayMs, ring, life),
    defer: (run) => void time.after(0, run, life),
    alive: () => status !== "dead",
    kill: (why) => {
      if (status === "dead") return;
      status = "dead";
      trouble(troublesMin);
      time.note(name, `dies: ${why}`);
      for (const end of ends) end();
    },
    pause: () => {
      if (status !== "running") return;
      status = "paused";
      trouble(troublesMin);
      time.note(name, "is paused");
    },
    goOn: () => {
      if (status !== "paused") return;
      status = "running";
      trouble(troublesMin);
      time.note(name, "goes on");
      for (const happen of waiting.splice(0)) time.after(0, happen, life);
    },
    jump: (byMs) => {
      aheadMs += byMs;
      trouble(1);
      time.note(name, `its clock jumps ${byMs.toFixed(0)} ms`);
    },
    onDeath: (run) => {
      ends.add(run);
      return () => void ends.delete(run);
    },
    trouble,
    troubledSince: (atMs) =>
      status !== "running" ||
      troubles.reduce((sum, { atMs: at, weight }) => sum + (at >= atMs ? weight : 0), 0) >=
        troublesMin,
  };
  return life;
}
