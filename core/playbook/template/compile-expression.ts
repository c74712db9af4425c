// Turns expression trees into closures, noting what they read. Constant parts are computed once,
// here; what can't be computed fails at evaluation, where its branch may never be taken.

import { templateDepthMax } from "#core/model/limits";
import { attributeOf, setOwn, sliceOf, subscriptOf } from "./access.ts";
import { dictKey } from "./arithmetic.ts";
import { type Bindings, type Collected, noteRead, readName, resolve } from "./bindings.ts";
import { compileCallable } from "./compile-call.ts";
import {
  compileArithmetic,
  compileComparison,
  compileConcat,
  compileLogic,
  compileSign,
} from "./compile-operators.ts";
import { plain } from "./contract.ts";
import { TemplateRuntimeError, TemplateSyntaxError } from "./errors.ts";
import type { Evaluate, Place, Run, Span } from "./run.ts";
import type { Expression, ScalarConstant } from "./syntax.ts";
import { truthOf } from "./values.ts";

/** What the compiler of a node needs beside the node. */
export interface Context {
  readonly collected: Collected;
  readonly bindings: Bindings;
}

/** A closure, and its value if that is known before any evaluation. */
export interface Compiled {
  readonly evaluate: Evaluate;
  readonly constant: { readonly value: ScalarConstant } | undefined;
  /** The items of a list literal that holds constants only. */
  readonly literal: readonly ScalarConstant[] | undefined;
}

/** Steps that folding one constant expression may take while compiling. */
const foldingSteps = 1_000;

export function compileNode(node: Expression, context: Context): Compiled {
  const { collected } = context;
  if (collected.depth >= templateDepthMax) refuseDepth(node);
  collected.depth++;
  const compiled = compileKind(node, context);
  collected.depth--;
  return compiled;
}

function refuseDepth(node: Expression): never {
  const message = `the expression is nested deeper than ${templateDepthMax} levels`;
  throw new TemplateSyntaxError(message, node.start);
}

/** The place of an operation whose operands are those spans. */
export function placeOf(context: Context, offset: number, operands: readonly Span[]): Place {
  return { source: context.collected.source, offset, operands };
}

export function dynamic(evaluate: Evaluate): Compiled {
  return { evaluate, constant: undefined, literal: undefined };
}

export function constantOf(value: ScalarConstant): Compiled {
  const evaluate: Evaluate =
    typeof value === "bigint"
      ? (run) => {
          run.wide = true;
          return value;
        }
      : () => value;
  return { evaluate, constant: { value }, literal: undefined };
}

/** The constant that a closure over constant operands gives, or the closure if it gives none. */
export function folded(evaluate: Evaluate, operands: readonly Compiled[]): Compiled {
  if (operands.some(({ constant }) => constant === undefined)) return dynamic(evaluate);
  try {
    const value = evaluate(foldingRun());
    return isScalar(value) ? constantOf(value) : dynamic(evaluate);
  } catch (error) {
    if (error instanceof TemplateRuntimeError) return dynamic(evaluate);
    throw error;
  }
}

function foldingRun(): Run {
  return {
    scope: { get: () => undefined },
    nowMs: 0,
    stepsLeft: foldingSteps,
    out: "",
    slots: [],
    outer: undefined,
    calls: 0,
    levels: 0,
    place: { source: "", offset: 0, operands: [] },
    wide: false,
  };
}

function isScalar(value: unknown): value is ScalarConstant {
  return value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function compileKind(node: Expression, context: Context): Compiled {
  switch (node.kind) {
    case "constant":
      return constantOf(node.value);
    case "name":
    case "attribute":
    case "subscript":
      return compileAccess(node, context);
    case "slice":
      return compileSlice(node, context);
    case "list":
      return compileList(node.items, context);
    case "dict":
      return compileDict(node.entries, context);
    case "sign":
      return compileSign(node, context);
    case "not":
      return compileNot(node.operand, context);
    case "arithmetic":
      return compileArithmetic(node, context);
    case "concat":
      return compileConcat(node.operands, context);
    case "and":
    case "or":
      return compileLogic(node.kind, node.operands, context);
    case "compare":
      return compileComparison(node, context);
    case "conditional":
      return compileConditional(node, context);
    case "filter":
    case "test":
    case "call":
    case "method":
      return compileCallable(node, context);
    default: {
      const none: never = node;
      return none;
    }
  }
}

type Access = Extract<Expression, { readonly kind: "name" | "attribute" | "subscript" }>;

/** A path from a name is read as a whole, so that the note of it reaches as far as it is static. */
function compileAccess(node: Access, context: Context): Compiled {
  const keys: (string | number)[] = [];
  let base: Expression = node;
  while (base.kind === "attribute" || base.kind === "subscript") {
    const key = base.kind === "attribute" ? base.name : constantKey(base.key);
    if (key === undefined) break;
    keys.push(key);
    base = base.target;
  }
  if (keys.length > templateDepthMax) refuseDepth(node);
  keys.reverse();
  const place = placeOf(context, node.start, [node]);
  const readAll = (read: Evaluate): Compiled =>
    dynamic(keys.reduce((inner: Evaluate, key) => readKey(inner, key, place), read));
  if (base.kind === "name") {
    const resolution = resolve(context.bindings, base.name);
    if (resolution.free) noteRead(context.collected, base.name, keys);
    return readAll(readName(base.name, resolution));
  }
  if (base !== node || base.kind !== "subscript") {
    return readAll(compileNode(base, context).evaluate);
  }
  const target = compileNode(base.target, context).evaluate;
  const key = compileNode(base.key, context).evaluate;
  return dynamic((run) => {
    const value = target(run);
    const index = key(run);
    run.place = place;
    return subscriptOf(value, index, run);
  });
}

function constantKey(key: Expression): string | number | undefined {
  if (key.kind === "constant") {
    return typeof key.value === "string" || typeof key.value === "number" ? key.value : undefined;
  }
  const negative = key.kind === "sign" && key.operator === "-" && key.operand.kind === "constant";
  return negative && typeof key.operand.value === "number" ? -key.operand.value : undefined;
}

function readKey(target: Evaluate, key: string | number, place: Place): Evaluate {
  if (typeof key === "string") return (run) => attributeOf(target(run), key);
  return (run) => {
    const value = target(run);
    run.place = place;
    return subscriptOf(value, key, run);
  };
}

function compileSlice(
  node: Extract<Expression, { readonly kind: "slice" }>,
  context: Context,
): Compiled {
  const target = compileNode(node.target, context).evaluate;
  const [from, to, step] = node.bounds.map((bound) =>
    bound === undefined ? nothing : compileNode(bound, context).evaluate,
  );
  const place = placeOf(context, node.target.end, [node.target]);
  return dynamic((run) => {
    const value = target(run);
    const bounds = { from: from?.(run), to: to?.(run), step: step?.(run) };
    run.place = place;
    return sliceOf(value, bounds, run);
  });
}

function nothing(): undefined {
  return undefined;
}

/** A literal is made anew by each evaluation: who receives it may change it. */
function compileList(items: readonly Expression[], context: Context): Compiled {
  const compiled = items.map((item) => compileNode(item, context));
  const evaluators = compiled.map(({ evaluate }) => evaluate);
  const constants = compiled.flatMap(({ constant }) => (constant ? [constant.value] : []));
  return {
    evaluate: (run) => evaluators.map((evaluate) => plain(evaluate(run))),
    constant: undefined,
    literal: constants.length === compiled.length ? constants : undefined,
  };
}

function compileDict(
  entries: readonly (readonly [Expression, Expression])[],
  context: Context,
): Compiled {
  const compiled = entries.map(([key, value]) => ({
    key: compileNode(key, context).evaluate,
    value: compileNode(value, context).evaluate,
    place: placeOf(context, key.start, [key]),
  }));
  return dynamic((run) => {
    const record: Record<string, unknown> = {};
    for (const { key, value, place } of compiled) {
      const name = key(run);
      run.place = place;
      setOwn(record, dictKey(name, run), plain(value(run)));
    }
    return record;
  });
}

function compileNot(operand: Expression, context: Context): Compiled {
  const compiled = compileNode(operand, context);
  const { evaluate } = compiled;
  return folded((run) => !truthOf(evaluate(run), run), [compiled]);
}

function compileConditional(
  node: Extract<Expression, { readonly kind: "conditional" }>,
  context: Context,
): Compiled {
  const condition = compileNode(node.condition, context);
  const then = compileNode(node.then, context);
  const otherwise =
    node.otherwise === undefined ? dynamic(nothing) : compileNode(node.otherwise, context);
  const test = condition.evaluate;
  const yes = then.evaluate;
  const no = otherwise.evaluate;
  return folded(
    (run) => (truthOf(test(run), run) ? yes(run) : no(run)),
    [condition, then, otherwise],
  );
}
