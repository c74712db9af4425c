// One iteration of a loop: its item, and the names by which its body sees it.

import type { IterationBinding } from "#core/model/command";
import type { Json } from "#core/model/json";
import { type Locals, locals } from "./scope.ts";

export function iterationBinding(
  iterator: string,
  items: readonly Json[],
  index: number,
): IterationBinding {
  return { iterator, item: items[index] ?? null, index, total: items.length };
}

/** What a loop's body sees of its iteration (language reference §3.2). */
export function iterationLocals(iteration: IterationBinding): Locals {
  const { iterator, item, index, total, frame } = iteration;
  const iter = {
    [iterator]: item,
    _index: index,
    _total: total,
    _first: index === 0,
    _last: index === total - 1,
  };
  const loop = { index: index + 1, index0: index, first: index === 0, length: total, done: false };
  const rows = frame === undefined ? {} : { frame };
  return locals({ iter, loop, [iterator]: item, _index: index, _total: total, ...rows });
}
