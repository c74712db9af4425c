// All filters and tests, by name. They stand together because each can name the others: filters
// apply tests to items, and tests say whether a filter exists.

import { type Callable, define, type Registry, registry } from "./callable.ts";
import { dataFilters } from "./filters-data.ts";
import { dateFilters } from "./filters-date.ts";
import { listFilters } from "./filters-list.ts";
import { numberFilters } from "./filters-number.ts";
import { selectFilters } from "./filters-select.ts";
import { textFilters } from "./filters-text.ts";
import { wrapFilters } from "./filters-wrap.ts";
import { testAliases, valueTests } from "./predicates.ts";

const simple = [
  ...dataFilters,
  ...dateFilters,
  ...listFilters,
  ...numberFilters,
  ...textFilters,
  ...wrapFilters,
];
const aliases = {
  count: "length",
  d: "default",
  e: "escape",
  forceescape: "escape",
  len: "length",
} as const;

/** Whether the value is a name that the registry has. */
function naming(name: string, known: () => Registry): Callable {
  return define(name, "", (value) => typeof value === "string" && known().has(value));
}

export const tests: Registry = registry(
  [...valueTests, naming("filter", () => filters), naming("test", () => tests)],
  testAliases,
);

/** The filters of the language reference, section 3.1, and those of Jinja that fit plain data. */
export const filters: Registry = registry(
  [...simple, ...selectFilters({ filters: registry(simple, aliases), tests })],
  aliases,
);
