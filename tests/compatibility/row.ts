// What one row of the compatibility page claims, what proves it, and short ways to write both down.
// Rows are data: the page is made of them by a script, so nothing here may need a running test.

import type { Json, JsonObject } from "#core/model/json";
import type { Area, PageRow, Verdict } from "#scripts/generate-compatibility";
import type { HouseRun } from "#tests/support/embedded";

/** Programs that a proof needs beside the product itself. */
export type Need = "python" | "postgres";

/**
 * - `run`: the playbook is run; what `look` finds in the run is `is`
 * - `refused`: one of the problems of the playbook holds the message
 * - `accepted`: the playbook is one; with `warning`, one of its warnings holds that, else it has none
 * - `template`: the text, evaluated over the scope, gives the value
 * - `test`: a test of that name in another file, which runs with the suite
 */
export type Proof =
  | {
      readonly kind: "run";
      readonly playbook: string;
      readonly workload?: JsonObject;
      readonly needs?: Need;
      readonly look: (run: HouseRun) => unknown;
      readonly is: unknown;
    }
  | { readonly kind: "refused"; readonly playbook: string; readonly message: string }
  | { readonly kind: "accepted"; readonly playbook: string; readonly warning?: string }
  | {
      readonly kind: "template";
      readonly text: string;
      readonly scope: JsonObject;
      readonly value: Json;
    }
  | { readonly kind: "test"; readonly file: string; readonly name: string };

export interface Row extends PageRow {
  readonly proof: Proof;
}

/** A row without its place on the page. */
export type Claim = Omit<Row, "area" | "section">;

export function rowsIn(area: Area, section: string, claims: readonly Claim[]): readonly Row[] {
  return claims.map((claim) => ({ ...claim, area, section }));
}

/** Several names in one text are separated by spaces; a name that has some stands in a list. */
type Names = string | readonly string[];

const listOf = (names: Names): readonly string[] =>
  typeof names === "string" ? names.split(" ") : names;

const claimed = (
  verdict: Verdict,
  names: Names,
  rest: Omit<Claim, "names" | "verdict">,
): Claim => ({
  names: listOf(names),
  verdict,
  ...rest,
});

export function same(names: Names, says: string, proof: Proof): Claim {
  return claimed("same", names, { says, proof });
}

export function more(names: Names, says: string, proof: Proof): Claim {
  return claimed("more", names, { says, proof });
}

interface Differently {
  readonly says: string;
  readonly why: string;
  readonly proof: Proof;
}

export function different(names: Names, rest: Differently): Claim {
  return claimed("different", names, rest);
}

interface Refusal {
  readonly says: string;
  readonly use: string;
  readonly proof: Proof;
}

export function refused(names: Names, rest: Refusal): Claim {
  return claimed("refused", names, rest);
}

/** `prefix` before each of the words: `under("loop.spec.", "mode policy")`. */
export function under(prefix: string, words: string): readonly string[] {
  return words.split(" ").map((word) => `${prefix}${word}`);
}

/** The path under which each run gets one of its own. */
export const rowPath = "row";

/** A playbook of this workflow; `more` stands before it in the document. */
export function playbook(workflow: string, more = ""): string {
  return (
    `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: row, path: ${rowPath}}\n` +
    `${more}workflow:\n${workflow.replace(/^\n/, "")}`
  );
}

/** A workflow of one step `start` that does nothing, with these lines beside its tool. */
export function stepWith(...lines: readonly string[]): string {
  return `- step: start
  tool: {kind: noop}
${lines
  .map(
    (line) => `  ${line}
`,
  )
  .join("")}- step: end
  tool: {kind: noop}
`;
}

/** A workflow of one step `start` with this tool, in flow style. */
export function tool(fields: string): string {
  return `- step: start\n  tool: {${fields}}\n`;
}

interface RunOptions {
  readonly workload?: JsonObject;
  /** Lines of the document before the workflow. */
  readonly more?: string;
  readonly needs?: Need;
}

/** The run completes with this result. */
export function gives(workflow: string, result: Json, options: RunOptions = {}): Proof {
  const look = (run: HouseRun): unknown => [run.status, run.error, run.result];
  return having(seen(workflow, look, ["completed", undefined, result]), options);
}

/** What is looked at in the run is this; the run may end as it likes. */
export function seen(
  workflow: string,
  look: (run: HouseRun) => unknown,
  is: unknown,
): Proof & { readonly kind: "run" } {
  return { kind: "run", playbook: playbook(workflow), look, is };
}

/** Adds what a proof by a run needs. */
export function having(proof: Proof & { readonly kind: "run" }, options: RunOptions): Proof {
  const { more = "", workload, needs } = options;
  return {
    ...proof,
    playbook: proof.playbook.replace("workflow:\n", () => `${more}workflow:\n`),
    ...(workload === undefined ? {} : { workload }),
    ...(needs === undefined ? {} : { needs }),
  };
}

/** A workflow that is refused with this message. */
export function refusal(workflow: string, message: string, more = ""): Proof {
  return { kind: "refused", playbook: playbook(workflow, more), message };
}

/** A workflow in which nothing is wrong. */
export function accepts(workflow: string, more = ""): Proof {
  return { kind: "accepted", playbook: playbook(workflow, more) };
}

/** A workflow that is accepted, with this warning. */
export function warns(workflow: string, warning: string, more = ""): Proof {
  return { kind: "accepted", playbook: playbook(workflow, more), warning };
}

export function renders(text: string, value: Json, scope: JsonObject = {}): Proof {
  return { kind: "template", text, scope, value };
}

/** A test elsewhere, by its file below `tests/` and its name as it is written there. */
export function shown(file: string, name: string): Proof {
  return { kind: "test", file: `tests/${file}`, name };
}

/** The types of the events of a run, in order. */
export function eventTypes(run: HouseRun): readonly string[] {
  return run.events.map(({ type }) => type);
}

/** The events of one type, as plain values. */
export function eventsOf(run: HouseRun, type: string): readonly JsonObject[] {
  // Events are JSON; the log's closed list of shapes is of no use to a row.
  return run.events.filter((event) => event.type === type) as unknown as readonly JsonObject[];
}
