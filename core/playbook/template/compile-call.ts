// Closures for filters, tests, functions and methods: the name is found and the arguments are
// bound when the template is compiled, so an unknown name is a syntax error.

import { bind, type Callable, find, invoke, type Registry, type Wanted } from "./callable.ts";
import {
  type Compiled,
  type Context,
  compileNode,
  dynamic,
  folded,
  placeOf,
} from "./compile-expression.ts";
import { plain } from "./contract.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { filters } from "./filters.ts";
import { functions } from "./functions.ts";
import { methods } from "./methods.ts";
import { tests } from "./predicates.ts";
import type { Evaluate, Run } from "./run.ts";
import type { Expression } from "./syntax.ts";

type CallNode = Extract<Expression, { readonly kind: "filter" | "test" | "call" | "method" }>;

const whatByKind = {
  filter: "filter",
  test: "test",
  call: "function",
  method: "method",
} as const;
const registryByKind: Readonly<Record<CallNode["kind"], Registry>> = {
  filter: filters,
  test: tests,
  call: functions,
  method: methods,
};
/** Names refused with their reason, where "unknown" would send the author looking for a typo. */
const refused: ReadonlyMap<string, string> = new Map([
  ["random", "filter 'random' is not supported: a template gives the same result every time"],
]);

export function compileCallable(node: CallNode, context: Context): Compiled {
  if (node.kind === "call") return compileWith(node, undefined, context);
  if (node.target === undefined) {
    throw new TemplateSyntaxError("expected a value before the filter", node.nameOffset);
  }
  return compileWith(node, compileNode(node.target, context), context);
}

/** A filter whose value is the text of a block. */
export function compileBlockFilter(node: CallNode, value: Evaluate, context: Context): Evaluate {
  return compileWith(node, dynamic(value), context).evaluate;
}

function compileWith(node: CallNode, target: Compiled | undefined, context: Context): Compiled {
  const wanted: Wanted = {
    name: node.name,
    what: whatByKind[node.kind],
    offset: node.nameOffset,
  };
  const reason = node.kind === "filter" ? refused.get(node.name) : undefined;
  if (reason !== undefined) throw new TemplateSyntaxError(reason, node.nameOffset);
  const callable = find(registryByKind[node.kind], wanted);
  if (node.kind === "call" && node.name === "now") context.collected.usesEnvironment = true;
  checkNamed(node);
  const { values, extras } = bind(callable, node.arguments, wanted);
  const args = values.map((value) =>
    value === undefined ? undefined : compileNode(value, context),
  );
  const named = extras.map(
    ([name, value]) => [name, compileNode(value, context).evaluate] as const,
  );
  const operands = "target" in node && node.target !== undefined ? [node.target] : [node];
  const place = placeOf(context, node.nameOffset, [...operands, ...node.arguments.positional]);
  const read = target?.evaluate;
  const bound = { args: args.map((arg) => arg?.evaluate), named };
  const evaluate: Evaluate = (run) => {
    const value = node.kind === "method" ? read?.(run) : plain(read?.(run));
    const given = evaluateArguments(callable, bound, run);
    run.place = place;
    return invoke(callable, value, { args: given, run });
  };
  return target === undefined || named.length > 0
    ? dynamic(evaluate)
    : folded(evaluate, [target, ...args.filter((arg) => arg !== undefined)]);
}

/** Where a filter takes the name of another one or of a test: which argument, of which kind. */
const namedCallables: ReadonlyMap<string, readonly [number, "filter" | "test"]> = new Map([
  ["map", [0, "filter"]],
  ["select", [0, "test"]],
  ["reject", [0, "test"]],
  ["selectattr", [1, "test"]],
  ["rejectattr", [1, "test"]],
]);

function checkNamed(node: CallNode): void {
  const [index, what] = (node.kind === "filter" && namedCallables.get(node.name)) || [];
  if (index === undefined || what === undefined) return;
  const name = node.arguments.positional[index];
  if (name?.kind !== "constant" || typeof name.value !== "string") return;
  find(registryByKind[what], { name: name.value, what, offset: name.start });
}

interface BoundArguments {
  readonly args: readonly (Evaluate | undefined)[];
  readonly named: readonly (readonly [string, Evaluate])[];
}

function evaluateArguments(
  callable: Callable,
  { args, named }: BoundArguments,
  run: Run,
): readonly unknown[] {
  const values: unknown[] = callable.open
    ? [named.map(([name, evaluate]) => [name, plain(evaluate(run))])]
    : [];
  for (const evaluate of args)
    values.push(evaluate === undefined ? undefined : plain(evaluate(run)));
  return values;
}
