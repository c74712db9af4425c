// Keeps processes warm that run code: grows on demand to a maximum, lends each to one call at a
// time, replaces what died and ends what has been idle for long.

/** A process as the pool sees it. */
export interface WarmProcess {
  /** False once it can't take another call. */
  readonly usable: boolean;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  kill(): void;
}

export interface WarmPoolOptions<Process extends WarmProcess> {
  readonly start: () => Process;
  /** Processes at most; calls beyond it wait. */
  readonly max: number;
  /** Idle processes that stay; the rest end after `idleMs`. */
  readonly idleMax: number;
  readonly idleMs: number;
}

interface Waiting {
  readonly serve: () => void;
}

export class WarmPool<Process extends WarmProcess> {
  readonly #options: WarmPoolOptions<Process>;
  readonly #idle: Process[] = [];
  readonly #all = new Set<Process>();
  readonly #waiting: Waiting[] = [];
  #lent = 0;
  #trim: ReturnType<typeof setTimeout> | undefined;

  constructor(options: WarmPoolOptions<Process>) {
    this.#options = options;
  }

  /** Processes alive, idle ones included. */
  get size(): number {
    return this.#all.size;
  }

  /** A usable process, or undefined if the signal came first. Give it back with `give`. */
  async take(signal: AbortSignal): Promise<Process | undefined> {
    if (this.#lent >= this.#options.max) {
      await this.#turn(signal);
    } else {
      this.#lent++;
    }
    if (signal.aborted) {
      this.#next();
      return undefined;
    }
    return this.#idleOrNew();
  }

  give(process: Process): void {
    if (process.usable) this.#idle.push(process);
    else process.kill();
    this.#next();
    if (this.#trim !== undefined) return;
    this.#trim = setTimeout(() => this.#endIdle(), this.#options.idleMs);
    this.#trim.unref();
  }

  /** Kills every process and waits until they are gone. Calls under way end as killed. */
  async close(): Promise<void> {
    clearTimeout(this.#trim);
    this.#idle.length = 0;
    const all = [...this.#all];
    for (const process of all) process.kill();
    await Promise.all(all.map((process) => process.ended));
  }

  #idleOrNew(): Process {
    for (let process = this.#idle.pop(); process !== undefined; process = this.#idle.pop()) {
      if (process.usable) return process;
    }
    const process = this.#options.start();
    this.#all.add(process);
    void process.ended.then(() => this.#all.delete(process));
    return process;
  }

  /** Waits until a lent place is passed on to this caller, or the signal; the place is ours. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        serve: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        this.#lent++;
        resolve();
      };
      this.#waiting.push(waiting);
      signal.addEventListener("abort", leave, { once: true });
      if (signal.aborted) leave();
    });
  }

  /** Passes the place of an ended call to the next in line, or frees it. */
  #next(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#lent--;
    else waiting.serve();
  }

  #endIdle(): void {
    this.#trim = undefined;
    const keep = this.#options.idleMax;
    for (const process of this.#idle.splice(0, Math.max(0, this.#idle.length - keep)))
      process.kill();
  }
}
