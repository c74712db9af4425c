// Every row of the compatibility page, in the order in which the page has them. It is what the page
// is made of and what the tests go through.

import type { Row } from "./row.ts";
import { rows as arcs } from "./rows-arcs.ts";
import { rows as events } from "./rows-events.ts";
import { rows as execution } from "./rows-execution.ts";
import { rows as loops } from "./rows-loops.ts";
import { rows as older } from "./rows-older.ts";
import { rows as own } from "./rows-own.ts";
import { rows as pitfalls } from "./rows-pitfalls.ts";
import { rows as policies } from "./rows-policies.ts";
import { rows as results } from "./rows-results.ts";
import { rows as root } from "./rows-root.ts";
import { rows as scope } from "./rows-scope.ts";
import { rows as templates } from "./rows-templates.ts";
import { rows as code } from "./rows-tools-code.ts";
import { rows as data } from "./rows-tools-data.ts";
import { rows as systems } from "./rows-tools-systems.ts";
import { rows as types } from "./rows-types.ts";

export const rows: readonly Row[] = [
  ...root,
  ...arcs,
  ...loops,
  ...policies,
  ...code,
  ...data,
  ...systems,
  ...templates,
  ...scope,
  ...types,
  ...execution,
  ...events,
  ...results,
  ...older,
  ...pitfalls,
  ...own,
];
