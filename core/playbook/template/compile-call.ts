// Closures for filters, tests, functions and methods: the name is found and the arguments are
// bound when the template is compiled, so an unknown name is a syntax error.

import { noteRead, resolve } from "./bindings.ts";
import { bind, type Callable, find, invoke, type Registry, type Wanted } from "./callable.ts";
import {
  type Compiled,
  type Context,
  compileNode,
  dynamic,
  folded,
  placeOf,
} from "./compile-expression.ts";
import { compileLocalCall, refuseName } from "./compile-macro.ts";
import { plain, secretRoot } from "./contract.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { filters, tests } from "./filters.ts";
import { functions } from "./functions.ts";
import { methods } from "./methods.ts";
import type { Evaluate, Run } from "./run.ts";
import type { CallExpression, Expression } from "./syntax.ts";

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
  ["random", "a template gives the same result every time"],
  ["encrypt_secret", "secrets never leave a worker"],
  ["pprint", "it prints for people, use tojson(indent=2)"],
  ["urlize", "it prints HTML, templates make plain text"],
  ["xmlattr", "it prints HTML, templates make plain text"],
]);

export function compileCallable(node: CallNode, context: Context): Compiled {
  if (node.kind === "call") return compileCall(node, context);
  if (node.target === undefined) {
    throw new TemplateSyntaxError("expected a value before the filter", node.nameOffset);
  }
  return compileWith(node, compileNode(node.target, context), context);
}

/** A name of the template hides a function of the same name. */
function compileCall(node: CallExpression, context: Context): Compiled {
  const { collected, bindings } = context;
  const resolution = resolve(bindings, node.name);
  const isLocal = resolution.slots.length > 0;
  if (isLocal && !resolution.free) return compileLocalCall(node, context, { resolution });
  if (!functions.has(node.name)) {
    return isLocal ? compileLocalCall(node, context, { resolution }) : refuseName(node, context);
  }
  if (node.name === "now") collected.usesEnvironment = true;
  if (node.name === "token") noteRead(collected, secretRoot, constantArguments(node));
  const otherwise = compileWith(node, undefined, context);
  if (!isLocal) return otherwise;
  return compileLocalCall(node, context, { resolution, otherwise: otherwise.evaluate });
}

function constantArguments({ arguments: { positional } }: CallExpression): readonly string[] {
  return positional.flatMap((arg) =>
    arg.kind === "constant" && typeof arg.value === "string" ? [arg.value] : [],
  );
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
  if (reason !== undefined) {
    const message = `filter '${node.name}' is not supported: ${reason}`;
    throw new TemplateSyntaxError(message, node.nameOffset);
  }
  const callable = find(registryByKind[node.kind], wanted);
  checkNamed(node);
  const { values, extras } = bind(callable, node.arguments, wanted);
  checkConstants(callable, values);
  const args = values.map((value) =>
    value === undefined ? undefined : compileNode(value, context),
  );
  const named = extras.map(
    ([name, value]) => [name, compileNode(value, context).evaluate] as const,
  );
  const operands = "target" in node && node.target !== undefined ? [node.target] : [node];
  const place = placeOf(context, node.nameOffset, [...operands, ...node.arguments.positional]);
  const read = target?.evaluate;
  const takesViews = node.kind === "method" || node.name === "callable";
  const bound = { args: args.map((arg) => arg?.evaluate), named };
  const evaluate: Evaluate = (run) => {
    const found = read?.(run);
    const value = takesViews ? found : plain(found);
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

/** Holds arguments that are constants against what the callable says of them. */
function checkConstants(callable: Callable, values: readonly (Expression | undefined)[]): void {
  for (const [index, value] of values.entries()) {
    if (value?.kind !== "constant") continue;
    const wrong = callable.check?.(index, value.value);
    if (wrong !== undefined) throw new TemplateSyntaxError(wrong, value.start);
  }
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
