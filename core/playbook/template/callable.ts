// Filters, tests, functions and methods have one shape: named parameters, bound when the template
// is compiled, and a body over plain values. The registries are maps of them.

import { TemplateSyntaxError } from "./errors.ts";
import { fail, type Run, spend, spendChars } from "./run.ts";
import { didYouMean } from "./suggest.ts";
import type { Arguments, Expression } from "./syntax.ts";

/** The body; absent arguments are undefined. An `open` callable finds its extras in `args[0]`. */
export type Apply = (value: unknown, args: readonly unknown[], run: Run) => unknown;

export interface Callable {
  readonly name: string;
  readonly parameters: readonly string[];
  /** How many of the parameters, from the left, have to be given. */
  readonly required: number;
  /** How many of the parameters, from the left, can be given by position. */
  readonly positional: number;
  /** Whether further positional arguments follow the parameters. */
  readonly rest: boolean;
  /** Whether any named argument is taken; `args[0]` is then a list of pairs. */
  readonly open: boolean;
  readonly apply: Apply;
  /** What is wrong with a constant argument, by its index, where that is known beforehand. */
  readonly check?: (index: number, value: unknown) => string | undefined;
}

export type Registry = ReadonlyMap<string, Callable>;

/**
 * Builds a callable from its signature: parameter names apart by spaces, `?` after optional ones,
 * `=` after those given by name only, `*` for further positional and `**` for any named arguments.
 */
export function define(name: string, signature: string, apply: Apply): Callable {
  const words = signature.split(" ").filter((word) => word !== "");
  const listed = words.filter((word) => !word.startsWith("*"));
  return {
    name,
    parameters: listed.map((word) => word.replace(/[?=]$/, "")),
    required: listed.filter((word) => !/[?=]$/.test(word)).length,
    positional: listed.filter((word) => !word.endsWith("=")).length,
    rest: words.includes("*"),
    open: words.includes("**"),
    apply,
  };
}

/** The registry of the callables, with further names for some of them. */
export function registry(
  callables: readonly Callable[],
  aliases: Readonly<Record<string, string>> = {},
): Registry {
  const byName = new Map(callables.map((callable) => [callable.name, callable]));
  for (const [alias, name] of Object.entries(aliases)) {
    const callable = byName.get(name);
    if (callable !== undefined) byName.set(alias, callable);
  }
  return byName;
}

const shownNameCharsMax = 60;

export interface Wanted {
  readonly name: string;
  readonly what: "filter" | "test" | "function" | "method";
  readonly offset: number;
}

/** The callable of that name, or a syntax error with the nearest known one. */
export function find(known: Registry, wanted: Wanted): Callable {
  const callable = known.get(wanted.name);
  if (callable !== undefined) return callable;
  const hint = didYouMean(wanted.name, known.keys());
  const name = wanted.name.slice(0, shownNameCharsMax);
  throw new TemplateSyntaxError(`unknown ${wanted.what} '${name}'${hint}`, wanted.offset);
}

export interface Binding {
  /** One expression per parameter, undefined where it is absent; then the further ones. */
  readonly values: readonly (Expression | undefined)[];
  readonly extras: readonly (readonly [string, Expression])[];
}

/** Sorts the given arguments under the parameters, or says what does not fit. */
export function bind(callable: Callable, given: Arguments, wanted: Wanted): Binding {
  const { parameters, positional, required, rest, open } = callable;
  const title = `${wanted.what} '${wanted.name}'`;
  const surplus = given.positional[positional];
  if (surplus !== undefined && !rest) {
    const most = positional === 1 ? "1 argument" : `${positional} arguments`;
    throw new TemplateSyntaxError(`${title} takes at most ${most}`, surplus.start);
  }
  const values: (Expression | undefined)[] = parameters.map((_, index) =>
    index < positional ? given.positional[index] : undefined,
  );
  const extras: (readonly [string, Expression])[] = [];
  for (const { name, value, offset } of given.named) {
    const index = parameters.indexOf(name);
    if (index < 0 && open) {
      extras.push([name, value]);
      continue;
    }
    if (index < 0) {
      const hint = didYouMean(name, parameters);
      throw new TemplateSyntaxError(`${title} has no argument '${name}'${hint}`, offset);
    }
    if (values[index] !== undefined) {
      throw new TemplateSyntaxError(`argument '${name}' of ${title} is given twice`, offset);
    }
    values[index] = value;
  }
  const missing = values.findIndex((value, index) => index < required && value === undefined);
  if (missing >= 0) {
    throw new TemplateSyntaxError(`${title} needs '${parameters[missing]}'`, wanted.offset);
  }
  return { values: [...values, ...given.positional.slice(positional)], extras };
}

/** Arguments given as values, for a filter or test that another one names (`map('int')`). */
export function bindValues(
  callable: Callable,
  given: readonly unknown[],
  run: Run,
): readonly unknown[] {
  const { name, parameters, positional, required, rest } = callable;
  if (given.length < required) fail(run, "type", `'${name}' needs '${parameters[given.length]}'`);
  if (given.length > positional && !rest) {
    fail(run, "type", `'${name}' takes at most ${positional} arguments`);
  }
  const values: unknown[] = parameters.map((_, index) =>
    index < positional ? given[index] : undefined,
  );
  const bound = [...values, ...given.slice(positional)];
  return callable.open ? [[], ...bound] : bound;
}

/** Applies a callable; work over a value is paid by its size before it is done. */
export function invoke(
  callable: Callable,
  value: unknown,
  { args, run }: { readonly args: readonly unknown[]; readonly run: Run },
): unknown {
  if (typeof value === "string") spendChars(run, value.length);
  else spend(run, Array.isArray(value) ? value.length + 1 : 1);
  return callable.apply(value, args, run);
}
