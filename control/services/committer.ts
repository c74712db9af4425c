// Group commit (DESIGN §5): one flush in flight, the next takes whatever has queued meanwhile.
// No timer: a lone transition is flushed at once, a crowd shares one round trip.

import { Fault, messageOf } from "#core/model/fault";
import { flushBytesMax, flushTransitionsMax } from "#core/model/limits";
import type { AppendVerdict, EventLog, Transition } from "#core/ports/event-log";

interface Waiting {
  readonly transition: Transition;
  readonly bytes: number;
  resolve(verdict: AppendVerdict): void;
  reject(error: unknown): void;
}

export class Committer {
  readonly #log: EventLog;
  #queue: Waiting[] = [];
  #flushing = false;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * Appends in the next flush. The caller sees to it that an execution has one at a time.
   * @throws Fault `unavailable` when what was stored can't be known.
   */
  append(transition: Transition): Promise<AppendVerdict> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ transition, bytes: bytesOf(transition), resolve, reject });
      if (!this.#flushing) void this.#flushAll();
    });
  }

  async #flushAll(): Promise<void> {
    this.#flushing = true;
    // Everything that became ready in this turn of the event loop joins the first flush.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#flush(this.#take());
    this.#flushing = false;
  }

  #take(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && (count >= flushTransitionsMax || bytes > flushBytesMax)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #flush(batch: readonly Waiting[]): Promise<void> {
    try {
      const verdicts = await this.#log.append(batch.map(({ transition }) => transition));
      batch.forEach((waiting, index) => {
        waiting.resolve(verdicts[index] ?? "conflict");
      });
    } catch (thrown) {
      if (batch.length > 1 && isDefinite(thrown)) return this.#bisect(batch);
      for (const waiting of batch) waiting.reject(thrown);
    }
  }

  /** The server refused the statement, so nothing was stored: halve until the culprit is alone. */
  async #bisect(batch: readonly Waiting[]): Promise<void> {
    const middle = batch.length >>> 1;
    await this.#flush(batch.slice(0, middle));
    await this.#flush(batch.slice(middle));
  }
}

/** An error that says for sure that nothing was stored; anything else leaves it open. */
function isDefinite(thrown: unknown): boolean {
  return !(thrown instanceof Fault && thrown.code === "unavailable") && messageOf(thrown) !== "";
}

function bytesOf(transition: Transition): number {
  return transition.events.reduce((sum, { text }) => sum + text.length, 0);
}
