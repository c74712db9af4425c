// Virtual time: what happens, one thing after the other. A thing belongs to a process or to the
// world between them; what belongs to a dead process never happens, what belongs to a paused one
// happens when it goes on. Everything that happened is in the trace, and in its digest.

import { type MinHeap, minHeap } from "#core/adapters/min-heap";

/** A process of the simulated world, in one of its lives. */
export interface Life {
  readonly name: string;
  /** Undefined once it is dead. */
  status: "running" | "paused" | "dead";
  /** What came due while it was paused. */
  readonly waiting: (() => void)[];
}

export interface Timeline {
  nowMs(): number;
  /** Lets it happen later; gives back what calls it off. */
  after(delayMs: number, happen: () => void, life?: Life): () => void;
  /** Lets the next thing happen, and all that follows from it at once; false when nothing is left. */
  step(): Promise<boolean>;
  /** Something to be found in the trace. */
  note(who: string, what: string): void;
  /** The last things that were noted, oldest first. */
  lastNotes(): readonly string[];
  /** SHA-256 of all notes: two runs that agree here did the same. */
  digest(): string;
  steps(): number;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
  readonly life: Life | undefined;
  off: boolean;
}

/** 2025-06-15T15:06:40Z, so that no run depends on the day it is made. */
export const timelineStartMs = 1_750_000_000_000;
const notesKept = 40;

const sooner = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** @param onNote told of each note as it is made. */
export function timeline(onNote?: (note: string) => void): Timeline {
  const entries: MinHeap<Entry> = minHeap(sooner);
  const hasher = new Bun.CryptoHasher("sha256");
  const notes: string[] = [];
  let nowMs = timelineStartMs;
  let order = 0;
  let noted = 0;
  let steps = 0;
  let digest: string | undefined;

  const happen = ({ life, happen }: Entry): void => {
    if (life?.status === "dead") return;
    if (life?.status === "paused") life.waiting.push(happen);
    else happen();
  };

  return {
    nowMs: () => nowMs,
    after: (delayMs, happen, life) => {
      const atMs = nowMs + Math.max(0, delayMs);
      const entry: Entry = { atMs, order: order++, happen, life, off: false };
      entries.push(entry);
      return () => {
        entry.off = true;
      };
    },
    step: async () => {
      let entry = entries.pop();
      while (entry?.off === true) entry = entries.pop();
      if (entry === undefined) return false;
      nowMs = entry.atMs;
      steps += 1;
      happen(entry);
      // Promises, and what the memory bus put off to a later turn, run before time goes on.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
    note: (who, what) => {
      const line = `${(nowMs - timelineStartMs).toFixed(1)} ${who} ${what}`;
      hasher.update(line);
      onNote?.(line);
      notes[noted++ % notesKept] = line;
    },
    lastNotes: () => {
      const first = noted % notesKept;
      return [...notes.slice(first), ...notes.slice(0, first)];
    },
    digest: () => {
      digest ??= hasher.digest("hex");
      return digest;
    },
    steps: () => steps,
  };
}
