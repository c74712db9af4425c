// What a bench measures: figures with their targets, and the medians that are taken of them.
// A figure never fails a run; what can't be measured says why.

import { messageOf } from "#core/model/fault";

export interface Target {
  readonly metric: string;
  readonly unit: string;
  readonly target: number;
  readonly better: "lower" | "higher";
}

/** Targets whose values come out of one piece of work. */
export interface Measurement {
  readonly targets: readonly Target[];
  /** Times it is taken, an odd number from 3; the median counts. */
  readonly runs: number;
  /**
   * Does the work once.
   * @param quick as little of it as shows that it works; the values say nothing then.
   * @returns one value for each target, in their order, in their units.
   * @throws Error whose message says why nothing can be measured here.
   */
  take(quick: boolean): Promise<readonly number[]> | readonly number[];
}

export interface Figure extends Target {
  readonly area: string;
  /** The median of the runs; null where nothing could be measured. */
  readonly value: number | null;
  readonly met: boolean;
  /** Runs that the value is the median of. */
  readonly n: number;
  /** Why there is no value. */
  readonly why?: string;
}

/** Takes a measurement as often as it asks for, once if quick. */
export async function figuresOf(
  area: string,
  measurement: Measurement,
  quick: boolean,
): Promise<readonly Figure[]> {
  const { targets } = measurement;
  const runs = quick ? 1 : measurement.runs;
  const taken: (readonly number[])[] = [];
  try {
    for (let run = 0; run < runs; run++) {
      // What an earlier measurement left behind is not to be paid for by this one.
      Bun.gc(true);
      taken.push(await measurement.take(quick));
    }
  } catch (thrown) {
    const why = messageOf(thrown);
    return targets.map((target) => ({ area, ...target, value: null, met: false, n: 0, why }));
  }
  return targets.map((target, index) => {
    const values = taken.flatMap((row) => row[index] ?? []);
    if (values.length < runs) throw new Error(`${target.metric}: expected a value of every run`);
    const value = median(values);
    return { area, ...target, value, met: isMet(target, value), n: runs };
  });
}

function isMet({ better, target }: Target, value: number): boolean {
  return better === "lower" ? value <= target : value >= target;
}

/** The value in the middle; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >>> 1];
  if (middle === undefined) throw new Error("expected values to take the median of, found none");
  return middle;
}
