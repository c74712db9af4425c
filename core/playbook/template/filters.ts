// All filters, by name.

import { registry } from "./callable.ts";
import { dataFilters } from "./filters-data.ts";
import { listFilters } from "./filters-list.ts";
import { numberFilters } from "./filters-number.ts";
import { selectFilters } from "./filters-select.ts";
import { textFilters } from "./filters-text.ts";
import { wrapFilters } from "./filters-wrap.ts";
import { tests } from "./predicates.ts";

const simple = [...dataFilters, ...listFilters, ...numberFilters, ...textFilters, ...wrapFilters];
const aliases = {
  count: "length",
  d: "default",
  e: "escape",
  forceescape: "escape",
  len: "length",
} as const;

/** The filters of the language reference, section 3.1, and those of Jinja that fit plain data. */
export const filters = registry(
  [...simple, ...selectFilters({ filters: registry(simple, aliases), tests })],
  aliases,
);
