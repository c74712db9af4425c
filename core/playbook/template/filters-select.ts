// Filters that apply another filter or a test to each item: map, select, reject and their forms
// over attributes.

import { bindValues, type Callable, define, invoke, type Registry } from "./callable.ts";
import { itemReader, type ReadItem } from "./keys.ts";
import { textOf } from "./print.ts";
import { fail, type Run } from "./run.ts";
import { itemsOf, truthOf } from "./values.ts";

interface Known {
  readonly filters: Registry;
  readonly tests: Registry;
}

/** The selecting filters, given the filters and tests that they may name. */
export function selectFilters({ filters, tests }: Known): readonly Callable[] {
  const selecting = (name: string, wanted: boolean): Callable =>
    define(name, "test? *", (value, [test, ...args], run) => {
      const holds = tester(tests, { test, args, run });
      return itemsOf(value, run).filter((item) => holds(item) === wanted);
    });
  const selectingAttribute = (name: string, wanted: boolean): Callable =>
    define(name, "attribute test? *", (value, [attribute, test, ...args], run) => {
      const read = itemReader(attribute, undefined, run);
      const holds = tester(tests, { test, args, run });
      return itemsOf(value, run).filter((item) => holds(read(item)) === wanted);
    });
  return [
    define("map", "filter? attribute= default= *", (value, args, run) => {
      const items = itemsOf(value, run);
      return items.length === 0 ? [] : items.map(mapper(filters, args, run));
    }),
    selecting("select", true),
    selecting("reject", false),
    selectingAttribute("selectattr", true),
    selectingAttribute("rejectattr", false),
  ];
}

/** The last argument names a filter, with its arguments after it; or an attribute to read. */
function mapper(filters: Registry, args: readonly unknown[], run: Run): ReadItem {
  const [filter, attribute, instead, ...rest] = args;
  if (filter === undefined) {
    if (attribute === undefined) return fail(run, "type", "map needs a filter or an attribute");
    return itemReader(attribute, instead, run);
  }
  return applier(filters, "filter", { name: filter, args: rest, run });
}

interface Testing {
  readonly test: unknown;
  readonly args: readonly unknown[];
  readonly run: Run;
}

function tester(tests: Registry, { test, args, run }: Testing): (item: unknown) => boolean {
  if (test === undefined) return (item) => truthOf(item, run);
  const apply = applier(tests, "test", { name: test, args, run });
  return (item) => truthOf(apply(item));
}

interface Applying {
  readonly name: unknown;
  readonly args: readonly unknown[];
  readonly run: Run;
}

function applier(
  known: Registry,
  what: "filter" | "test",
  { name, args, run }: Applying,
): ReadItem {
  const callable = known.get(textOf(name, run));
  if (callable === undefined) return fail(run, "type", `the argument names no known ${what}`);
  const bound = bindValues(callable, args, run);
  return (item) => invoke(callable, item, { args: bound, run });
}
