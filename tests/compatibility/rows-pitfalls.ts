// Rows of the fifteen places where independent implementations of the language went wrong (language
// reference §8): each is a test of its own.

import { type Claim, type Row, rowsIn, same, shown } from "./row.ts";

const pitfall = (number: number, says: string, name: string): Claim =>
  same([`pitfall ${number}`], says, shown("language/gotchas.test.ts", name));

export const rows: readonly Row[] = rowsIn("pitfall", "§8", [
  pitfall(
    1,
    "one envelope of outputs, with `http.status` and `error.retryable`",
    "1: retry rules see the envelope: status error, http.status, error.retryable",
  ),
  pitfall(
    2,
    "`output` means one thing everywhere",
    "2: output means the same in task set, rule and arc, with and without data",
  ),
  pitfall(
    3,
    "every way to a field of a step's result",
    "3: step.field, step.data.field, step.label.field and step.result.field are all valid",
  ),
  pitfall(
    4,
    "types come from expressions, never from looks",
    "4: a lone expression keeps its type, a literal is never coerced, tojson is text",
  ),
  pitfall(5, "null and `default`", "5: null is none, is defined, and default fires on it"),
  pitfall(
    6,
    "prefixes in `set`",
    "6: set prefixes vanish between steps, nest inside a pipeline, and win over what they hide",
  ),
  pitfall(
    7,
    "step-level `set`, once per completion",
    "7: step-level set fires once per completion and never reverts a counter",
  ),
  pitfall(8, "joins", "8: a join waits for upstreams that can still run, and for no others"),
  pitfall(
    9,
    "skipped steps and the way out of cycles",
    "9: exclusive routing tells what it skipped, but not the way out of a cycle",
  ),
  pitfall(
    10,
    "steps that run again",
    "10: an arc loop runs a finished step again and keeps its result until the new one",
  ),
  pitfall(11, "`event.name`", "11: event.name is always there: call.done, call.error, loop.done"),
  pitfall(
    12,
    "failures and attempts",
    "12: rules see thrown transport errors, and attempts is the total of executions",
  ),
  pitfall(
    13,
    "no match, entry, empty loops",
    "13: no match ends the branch, any step may be the entry, empty and null loops go on",
  ),
  pitfall(
    14,
    "details of loops",
    "14: a loop bounds itself by a template, binds every name, gives results, and leaks no iter",
  ),
  pitfall(
    15,
    "secrets and references",
    "15: large results become references, ids are text, and no secret reaches the log",
  ),
]);
