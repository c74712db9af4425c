// Makes a failure smaller: kinds of faults are left out one by one, as long as the same rule is
// still broken without them.

import type { FaultKind } from "./faults.ts";
import { type SimulationOptions, type SimulationResult, simulate } from "./simulate.ts";

export interface Shrunk {
  readonly result: SimulationResult;
  /** What the seed chose and the failure does not need. */
  readonly without: readonly FaultKind[];
}

export async function shrink(options: SimulationOptions, found: SimulationResult): Promise<Shrunk> {
  let result = found;
  let without = [...(options.without ?? [])];
  for (let before = Number.POSITIVE_INFINITY; result.kinds.length < before; ) {
    before = result.kinds.length;
    // What was needed beside others may not be needed without them.
    for (const kind of result.kinds) {
      const fewer = [...without, kind];
      const tried = await simulate({ ...options, without: fewer });
      if (tried.failure?.rule !== found.failure?.rule) continue;
      result = tried;
      without = fewer;
    }
  }
  return { result, without };
}
