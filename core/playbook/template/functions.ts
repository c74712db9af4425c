// The functions that templates can call by name.

import { isRecord, setOwn } from "./access.ts";
import { define, registry } from "./callable.ts";
import { rfc3339 } from "./clock.ts";
import { Secrets, secretRoot } from "./contract.ts";
import { Namespace } from "./loop.ts";
import { fail, type Run, spend } from "./run.ts";
import { Cycler, Joiner } from "./sequences.ts";
import { itemsOf, kindOf, numberOf } from "./values.ts";

/** `range(stop)`, `range(start, stop)` or `range(start, stop, step)`, as a list. */
function range(_: unknown, args: readonly unknown[], run: Run): readonly number[] {
  const [start, stop, step] = args[1] === undefined ? [0, args[0], args[2]] : args;
  const from = rangeBound(start, run);
  const to = rangeBound(stop, run);
  const by = step === undefined ? 1 : rangeBound(step, run);
  if (by === 0) return fail(run, "range", "the step of range() can't be zero");
  const count = Math.max(0, Math.ceil((to - from) / by));
  spend(run, count);
  return Array.from({ length: count }, (_item, index) => from + index * by);
}

function rangeBound(value: unknown, run: Run): number {
  const bound = numberOf(value);
  if (bound !== undefined && Number.isSafeInteger(Number(bound))) return Number(bound);
  const code = value === undefined ? "undefined_operand" : "type";
  return fail(run, code, `range() takes integers, found ${kindOf(value)}`);
}

/** Pairs from a dict or a list of pairs, then the named arguments, which an open callable gets. */
function pairsFrom(args: readonly unknown[], run: Run): readonly (readonly [string, unknown])[] {
  const [named, given] = args;
  const pairs: (readonly [string, unknown])[] = [];
  if (isRecord(given)) pairs.push(...Object.entries(given));
  else {
    for (const pair of itemsOf(given, run)) {
      const [key, value] = itemsOf(pair, run);
      pairs.push([String(key), value]);
    }
  }
  for (const pair of itemsOf(named, run)) {
    const [key, value] = itemsOf(pair, run);
    pairs.push([String(key), value]);
  }
  spend(run, pairs.length);
  return pairs;
}

function dict(_: unknown, args: readonly unknown[], run: Run): Readonly<Record<string, unknown>> {
  const record: Record<string, unknown> = {};
  for (const [key, value] of pairsFrom(args, run)) setOwn(record, key, value);
  return record;
}

/** The token of a credential, where the scope hands out any: only fields of a tool do. */
function token(_: unknown, [alias]: readonly unknown[], run: Run): string {
  if (typeof alias !== "string") {
    return fail(run, "type", `token() takes the alias of a credential, found ${kindOf(alias)}`);
  }
  if (alias === "") return fail(run, "type", "token() takes the alias of a credential, found ''");
  const secrets = run.scope.get(secretRoot);
  if (!(secrets instanceof Secrets)) {
    return fail(run, "undefined_operand", "token() has a value in fields of tools only");
  }
  return secrets.read(alias);
}

export const functions = registry([
  define("range", "start stop? step?", range),
  define("dict", "entries? **", dict),
  define("namespace", "entries? **", (_, args, run) => new Namespace(pairsFrom(args, run))),
  define("cycler", "item *", (_, items) => new Cycler(items)),
  define("joiner", "sep?", (_, [separator = ", "]) => new Joiner(separator)),
  define("token", "alias", token),
  define("now", "", (_, _args, run) => rfc3339(run.nowMs)),
]);
