// Workers that stand by: each keeps a request open for work that is not there yet. A command that
// an append makes can then be theirs by that very append, as one that follows in an execution is
// its worker's, and costs neither hint nor claim. Whoever isn't there is found by a hint.
//
// S1  What stands by belongs to one transition at a time, until its append is over.
// S2  Nobody who stands by overtakes: where commands wait in line, the line is served first.

import type { WorkerCommand } from "#core/model/command";
import { standbyAgainMs, standbyMs, standbyWorkersMax } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type { ClaimWork, StandbyAnswer } from "#core/ports/control-plane";
import type { NewCommandRow } from "#core/ports/event-log";
import { fits, type HandOver } from "./transition.ts";
import type { WaitingLines } from "./waiting-lines.ts";

interface Standing extends HandOver {
  /** Its time is over, or it is wanted elsewhere: once nobody has it, it is answered. */
  isOver: boolean;
  isTaken: boolean;
  answer(answer: StandbyAnswer): void;
}

const nothing: StandbyAnswer = { commands: [] };

export class Standby {
  readonly #standing = new Set<Standing>();
  /** The same by pool, in the order in which they came: who has stood longest is first. */
  readonly #byPool = new Map<string, Set<Standing>>();
  readonly #workers = new Map<string, Set<Standing>>();
  #isOpen = true;

  constructor(
    readonly clock: Clock,
    readonly lines: WaitingLines,
  ) {}

  /**
   * Resolves with the commands that became the worker's, or with none when it has stood enough:
   * after a time, and when it asks for none.
   */
  async wait(work: ClaimWork, signal: AbortSignal): Promise<StandbyAnswer> {
    if (work.want <= 0) {
      for (const standing of this.#workers.get(work.worker) ?? []) this.#leave(standing);
      return nothing;
    }
    if (!this.#isOpen || this.#standing.size >= standbyWorkersMax) {
      return { ...nothing, againMs: standbyAgainMs };
    }
    const { promise, resolve } = Promise.withResolvers<StandbyAnswer>();
    const standing = this.#newStanding(work, resolve);
    const ending = new AbortController();
    const leave = (): void => this.#leave(standing);
    signal.addEventListener("abort", leave, { once: true });
    this.#enter(standing);
    void this.clock.sleep(standbyMs, ending.signal).then(leave);
    if (signal.aborted) leave();
    const answer = await promise;
    ending.abort();
    signal.removeEventListener("abort", leave);
    return answer;
  }

  #newStanding(work: ClaimWork, answer: (answer: StandbyAnswer) => void): Standing {
    const { worker, pools, labels = [], want } = work;
    const commands: WorkerCommand[] = [];
    const standing: Standing = {
      ...{ worker, pools, labels, want, commands, answer },
      isOver: false,
      isTaken: false,
      mayStay: (id, pool) => !this.lines.waits([pool]) && this.lines.mayStay(worker, id, pool),
      done: () => {
        standing.isTaken = false;
        if (commands.length > 0 || standing.isOver) this.#end(standing);
      },
    };
    return standing;
  }

  /** Somebody who can take this command, and is the caller's until `done`. */
  takerOf(row: NewCommandRow): HandOver | undefined {
    for (const standing of this.#byPool.get(row.pool) ?? []) {
      if (standing.isTaken || standing.isOver || !fits(standing, row)) continue;
      standing.isTaken = true;
      return standing;
    }
    return undefined;
  }

  /** Whether the worker stands by here: it is told of work without asking for it. */
  has(worker: string): boolean {
    return this.#workers.has(worker);
  }

  /** Suspects wait in the pool for a worker that holds nothing: whoever stands by may look. */
  dismiss(pool: string): void {
    for (const standing of this.#byPool.get(pool) ?? []) this.#leave(standing);
  }

  /** Lets everybody go; whoever comes later is told to come again. */
  close(): void {
    this.#isOpen = false;
    for (const standing of this.#standing) this.#leave(standing);
  }

  #leave(standing: Standing): void {
    standing.isOver = true;
    if (!standing.isTaken) this.#end(standing);
  }

  #enter(standing: Standing): void {
    const { worker, pools } = standing;
    this.#standing.add(standing);
    added(this.#workers, worker, standing);
    for (const pool of pools) added(this.#byPool, pool, standing);
  }

  #end(standing: Standing): void {
    if (!this.#standing.delete(standing)) return;
    const { worker, pools } = standing;
    removed(this.#workers, worker, standing);
    for (const pool of pools) removed(this.#byPool, pool, standing);
    standing.answer({ commands: standing.commands });
  }
}

function added<Value>(sets: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}

function removed<Value>(sets: Map<string, Set<Value>>, key: string, value: Value): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
