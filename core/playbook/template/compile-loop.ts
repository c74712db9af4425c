// Turns loops into closures. A recursive loop runs in a frame of its own each time it is called, so
// that the rounds around a call find their names as they left them.

import {
  type Bindings,
  becomeCertain,
  bindName,
  clearSlots,
  openBindings,
  openFrame,
} from "./bindings.ts";
import { type Context, compileNode, placeOf } from "./compile-expression.ts";
import { compileBody, compileTarget, type Execute, type Node, print } from "./compile-statement.ts";
import { Loop, type Recursion } from "./loop.ts";
import { inFrame } from "./macro.ts";
import { type Evaluate, type Frame, type Run, spend, stepsOfBody } from "./run.ts";
import type { Statement } from "./syntax.ts";
import { itemsOf, truthOf } from "./values.ts";

/** Runs all rounds of a loop over a collection. */
type Rounds = (run: Run, collection: unknown, recursion: Recursion | undefined) => void;

export function compileFor(statement: Node<"for">, context: Context): Execute {
  const iterable = compileNode(statement.iterable, context).evaluate;
  if (statement.recursive) return compileRecursive(statement, { iterable, context });
  const rounds = compileRounds(statement, context);
  return (run) => rounds(run, iterable(run), undefined);
}

interface Recursive {
  readonly iterable: Evaluate;
  readonly context: Context;
}

function compileRecursive(
  statement: Node<"for">,
  { iterable, context: { collected, bindings } }: Recursive,
): Execute {
  const own = openFrame(bindings, collected);
  const rounds = compileRounds(statement, { collected, bindings: own });
  const loopOver = (run: Run, items: unknown, { frame, depth }: Running): string =>
    inFrame(run, { frame, slotCount: own.frame.slotCount }, () => {
      const again = (inner: unknown, innerRun: Run): string =>
        loopOver(innerRun, inner, { frame, depth: depth + 1 });
      rounds(run, items, { depth, again });
    });
  return (run) => {
    const frame = { slots: run.slots, outer: run.outer };
    print(run, loopOver(run, iterable(run), { frame, depth: 0 }));
  };
}

interface Running {
  readonly frame: Frame;
  readonly depth: number;
}

/** A loop's body starts each round with its own names unset. */
function compileRounds(statement: Node<"for">, context: Context): Rounds {
  const { collected } = context;
  const inner = { collected, bindings: openBindings(context.bindings) };
  const assign = compileTarget(statement.target, inner);
  const condition = statement.condition && compileNode(statement.condition, inner).evaluate;
  const loopSlot = bindName(inner.bindings, "loop");
  becomeCertain(inner.bindings, "loop", collected);
  const body = compileBody(statement.body, inner);
  const own = slotsOf(inner.bindings);
  const otherwise = compileElse(statement.otherwise, context);
  const place = placeOf(context, statement.offset, [statement.iterable]);
  const steps = stepsOfBody(statement.size);
  return (run, collection, recursion) => {
    run.place = place;
    const all = itemsOf(collection, run);
    spend(run, all.length * steps);
    const items = condition === undefined ? all : keep(run, all, { own, assign, condition });
    const loop = new Loop(items, recursion);
    for (let index = 0; index < items.length; index++) {
      run.place = place;
      spend(run, steps);
      clearSlots(run, own);
      loop.index = index;
      run.slots[loopSlot] = loop;
      assign(run, items[index]);
      body(run);
    }
    if (items.length === 0) otherwise(run);
  };
}

function slotsOf({ slots }: Bindings): readonly number[] {
  return [...slots.values()];
}

function compileElse(statements: readonly Statement[], context: Context): Execute {
  const bindings = openBindings(context.bindings);
  const body = compileBody(statements, { collected: context.collected, bindings });
  const own = slotsOf(bindings);
  return (run) => {
    clearSlots(run, own);
    body(run);
  };
}

interface Keeping {
  readonly own: readonly number[];
  readonly assign: (run: Run, value: unknown) => void;
  readonly condition: Evaluate;
}

function keep(run: Run, items: readonly unknown[], keeping: Keeping): readonly unknown[] {
  const kept: unknown[] = [];
  for (const item of items) {
    clearSlots(run, keeping.own);
    keeping.assign(run, item);
    if (truthOf(keeping.condition(run), run)) kept.push(item);
  }
  return kept;
}
