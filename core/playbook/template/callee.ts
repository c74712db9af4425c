// Values that a template made and can call by the name it gave them: macros, recursive loops,
// joiners. They are no data: where a value is wanted, a text that says what they are stands in.

import { templateDepthMax } from "#core/model/limits";
import { View } from "./contract.ts";
import { fail, type Run } from "./run.ts";

/** The arguments of one call, evaluated; views are still views. */
export interface Given {
  readonly positional: readonly unknown[];
  readonly named: readonly (readonly [string, unknown])[];
}

export abstract class Callee extends View {
  abstract call(given: Given, run: Run): unknown;
}

/** Levels of nesting that all running calls may take together: what the stack is sure to hold. */
const levelsMax = 10 * templateDepthMax;

/** Runs a call that stands so deep in its body; refuses one that calls itself without end. */
export function withinDepth<Result>(run: Run, level: number, call: () => Result): Result {
  run.calls++;
  run.levels += level;
  if (run.calls > templateDepthMax || run.levels > levelsMax) {
    fail(run, "limit", `calls are nested deeper than ${templateDepthMax} levels`);
  }
  const result = call();
  run.calls--;
  run.levels -= level;
  return result;
}
