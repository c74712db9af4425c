// A macro while the template runs: the frame it was defined in, and how a call binds its arguments
// and prints its body to a text of its own.

import { setOwn } from "./access.ts";
import { unset } from "./bindings.ts";
import { Callee, type Given } from "./callee.ts";
import { type MacroShape, misfit } from "./macro-shape.ts";
import { type Evaluate, type Frame, fail, type Run, spend, spendChars } from "./run.ts";

/** A compiled macro; its parameters have the first slots of its frame. */
export interface MacroCode {
  readonly shape: MacroShape;
  readonly slotCount: number;
  /** What a call costs beside its arguments: its body, and the frame that is made for it. */
  readonly steps: number;
  readonly defaults: readonly (Evaluate | undefined)[];
  /** Slots of the special names that are no parameters. */
  readonly caller: number | undefined;
  readonly kwargs: number | undefined;
  readonly varargs: number | undefined;
  readonly body: (run: Run) => void;
}

export class Macro extends Callee {
  readonly #code: () => MacroCode;
  readonly #frame: Frame;

  constructor(shape: MacroShape, code: () => MacroCode, frame: Frame) {
    super(shape.name === undefined ? "<Macro>" : `<Macro '${shape.name}'>`, (name) =>
      attributeOf(shape, name),
    );
    this.#code = code;
    this.#frame = frame;
  }

  call(given: Given, run: Run): string {
    const code = this.#code();
    const names = given.named.map(([name]) => name);
    const wrong = misfit(code.shape, given.positional.length, names);
    if (wrong !== undefined) fail(run, "type", wrong.message);
    spend(run, code.steps + given.positional.length);
    return inFrame(run, { frame: this.#frame, slotCount: code.slotCount }, () => {
      bindArguments(code, given, run);
      code.body(run);
    });
  }
}

function attributeOf({ name: own, parameters, uses }: MacroShape, name: string): unknown {
  switch (name) {
    case "name":
      return own ?? null;
    case "arguments":
      return parameters;
    case "caller":
      return uses.has("caller");
    case "catch_kwargs":
      return uses.has("kwargs");
    case "catch_varargs":
      return uses.has("varargs");
    default:
      return undefined;
  }
}

/** What the body prints, run with fresh slots inside the frame it was defined in. */
export function inFrame(
  run: Run,
  { frame, slotCount }: { readonly frame: Frame; readonly slotCount: number },
  body: () => void,
): string {
  const { slots, outer, out } = run;
  run.slots = new Array(slotCount).fill(unset);
  run.outer = frame;
  run.out = "";
  body();
  const text = run.out;
  run.slots = slots;
  run.outer = outer;
  run.out = out;
  spendChars(run, text.length);
  return text;
}

/** A default is evaluated inside the macro and sees the arguments; what is missing is undefined. */
function bindArguments(code: MacroCode, { positional, named }: Given, run: Run): void {
  const { shape, defaults, caller, kwargs, varargs } = code;
  const { parameters } = shape;
  const { slots } = run;
  const rest = new Map(named);
  const missing: number[] = [];
  for (const [index, name] of parameters.entries()) {
    slots[index] = undefined;
    if (index < positional.length) slots[index] = positional[index];
    else if (rest.has(name)) {
      slots[index] = rest.get(name);
      rest.delete(name);
    } else missing.push(index);
  }
  if (caller !== undefined) {
    slots[caller] = rest.get("caller");
    if (shape.uses.has("caller")) rest.delete("caller");
  }
  if (varargs !== undefined) slots[varargs] = positional.slice(parameters.length);
  if (kwargs !== undefined) slots[kwargs] = recordOf(rest);
  for (const index of missing) slots[index] = defaults[index]?.(run);
}

function recordOf(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, value] of entries) setOwn(record, name, value);
  return record;
}
