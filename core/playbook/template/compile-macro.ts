// Turns macros, call blocks and calls of local names into closures. The body of a macro is compiled
// when everything around it is: it sees names that are set after it, if they are when it is called.

import {
  becomeCertain,
  bindName,
  openFrame,
  type Resolution,
  readOwn,
  resolve,
  unset,
} from "./bindings.ts";
import { Callee, type Given, withinDepth } from "./callee.ts";
import {
  type Compiled,
  type Context,
  compileNode,
  dynamic,
  placeOf,
} from "./compile-expression.ts";
import { compileBody, type Execute, type Node, printing } from "./compile-statement.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { functions } from "./functions.ts";
import { Macro, type MacroCode } from "./macro.ts";
import { type MacroShape, misfit } from "./macro-shape.ts";
import { type Evaluate, fail, type Run, stepsOfBody } from "./run.ts";
import { didYouMean } from "./suggest.ts";
import type { CallExpression, Parameter, Statement } from "./syntax.ts";
import { kindOf } from "./values.ts";

export function compileMacro(statement: Node<"macro">, context: Context): Execute {
  const { collected, bindings } = context;
  const { name } = statement;
  const isNew = !bindings.slots.has(name);
  const slot = bindName(bindings, name);
  becomeCertain(bindings, name, collected);
  const { make, shape } = compileMaker(name, statement, context);
  if (isNew) bindings.macros.set(name, shape);
  return (run) => {
    run.slots[slot] = make(run);
  };
}

/** The block is a macro that the called one knows as `caller`. */
export function compileCallBlock(statement: Node<"call-block">, context: Context): Execute {
  const { call } = statement;
  const resolution = resolve(context.bindings, call.name);
  if (resolution.slots.length === 0) refuseName(call, context);
  if (call.arguments.named.some(({ name }) => name === "caller")) {
    throw new TemplateSyntaxError("argument 'caller' is given twice, the block is it", call.start);
  }
  const { make } = compileMaker(undefined, statement, context);
  const evaluate = compileLocalCall(call, context, { resolution, caller: make }).evaluate;
  return printing(evaluate, placeOf(context, call.start, [call]));
}

/** Slots that cost as much as one step. */
const slotsPerStep = 16;

interface MacroSource {
  readonly size: number;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

/** Makes the macro in the frame that runs; its code comes with the end of the compilation. */
function compileMaker(
  name: string | undefined,
  source: MacroSource,
  context: Context,
): { readonly make: (run: Run) => Macro; readonly shape: MacroShape } {
  const { collected } = context;
  const parameters = source.parameters.map((parameter) => parameter.name);
  const shape: MacroShape = { name, parameters, uses: new Set() };
  const bindings = openFrame(context.bindings, collected, shape);
  let compiled: MacroCode | undefined;
  collected.later.push(() => {
    compiled = compileCode(source, shape, { collected, bindings });
  });
  const code = (): MacroCode => {
    if (compiled === undefined) throw new Error("a template ran before it was compiled");
    return compiled;
  };
  const make = (run: Run): Macro => {
    return new Macro(shape, code, { slots: run.slots, outer: run.outer });
  };
  return { make, shape };
}

function compileCode(source: MacroSource, shape: MacroShape, context: Context): MacroCode {
  const { collected, bindings } = context;
  for (const name of shape.parameters) bindName(bindings, name);
  const special = (name: string): number | undefined =>
    bindings.slots.has(name) ? undefined : bindName(bindings, name);
  const slots = {
    caller: special("caller"),
    kwargs: special("kwargs"),
    varargs: special("varargs"),
  };
  for (const name of bindings.slots.keys()) becomeCertain(bindings, name, collected);
  const defaults = source.parameters.map(({ fallback }) =>
    fallback === undefined ? undefined : compileNode(fallback, context).evaluate,
  );
  const body = compileBody(source.body, context);
  const { slotCount } = bindings.frame;
  const steps = stepsOfBody(source.size) + Math.floor(slotCount / slotsPerStep);
  return { shape, slotCount, steps, defaults, ...slots, body };
}

interface Calling {
  readonly resolution: Resolution;
  /** Makes the block that goes along, for a call block. */
  readonly caller?: (run: Run) => Macro;
  /** What the name means where the template has set no value for it. */
  readonly otherwise?: Evaluate;
}

/** Calls what a name of the template holds. */
export function compileLocalCall(
  node: CallExpression,
  context: Context,
  { resolution, caller, otherwise }: Calling,
): Compiled {
  const { collected } = context;
  const level = collected.level + collected.depth + 1;
  const read = readOwn(resolution);
  const positional = node.arguments.positional.map((arg) => compileNode(arg, context).evaluate);
  const named = node.arguments.named.map(
    ({ name, value }) => [name, compileNode(value, context).evaluate] as const,
  );
  const place = placeOf(context, node.nameOffset, [node]);
  checkLater(node, context, { resolution, withBlock: caller !== undefined });
  const given = (run: Run): Given => {
    const extra = caller === undefined ? [] : [["caller", caller(run)] as const];
    return {
      positional: positional.map((evaluate) => evaluate(run)),
      named: [...named.map(([name, evaluate]) => [name, evaluate(run)] as const), ...extra],
    };
  };
  return dynamic((run) => {
    const callee = read(run);
    if (callee === unset && otherwise !== undefined) return otherwise(run);
    const args = given(run);
    run.place = place;
    if (!(callee instanceof Callee)) return refuseCallee(callee, node.name, run);
    return withinDepth(run, level, () => callee.call(args, run));
  });
}

function refuseCallee(value: unknown, name: string, run: Run): never {
  if (value === undefined || value === unset) {
    return fail(run, "undefined_operand", `'${name}' is undefined and can't be called`);
  }
  return fail(run, "type", `'${name}' is ${kindOf(value)} and can't be called`);
}

interface Checking {
  readonly resolution: Resolution;
  readonly withBlock: boolean;
}

/** A call of what can only be one macro is held against its parameters once those are all known. */
function checkLater(
  { name, nameOffset, arguments: given }: CallExpression,
  { collected }: Context,
  { resolution: { slots, body }, withBlock }: Checking,
): void {
  if (slots.length !== 1 || body === undefined) return;
  collected.checks.push(() => {
    const shape = body.macros.get(name);
    if (shape === undefined) return;
    const names = given.named.map((argument) => argument.name);
    const all = withBlock ? [...names, "caller"] : names;
    const wrong = misfit(shape, given.positional.length, all);
    if (wrong === undefined) return;
    const byName = given.named.find((argument) => argument.name === wrong.name)?.offset;
    const byPosition = given.positional[wrong.position ?? -1]?.start;
    throw new TemplateSyntaxError(wrong.message, byPosition ?? byName ?? nameOffset);
  });
}

/** A name that nothing of the template or the language answers to. */
export function refuseName({ name, nameOffset }: CallExpression, { collected }: Context): never {
  if (collected.macroNames.has(name)) {
    throw new TemplateSyntaxError(
      `macro '${name}' is not defined here, expected its definition before the call`,
      nameOffset,
    );
  }
  const hint = didYouMean(name, [...functions.keys(), ...collected.macroNames]);
  throw new TemplateSyntaxError(`unknown function '${name.slice(0, 60)}'${hint}`, nameOffset);
}
