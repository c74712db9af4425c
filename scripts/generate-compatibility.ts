// Makes docs/compatibility.md from the rows that tests/compatibility proves one by one: what stands
// on the page is what a test has shown. It owns the words of the page, the rows own the claims.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GeneratedFile } from "./generate.ts";

const path = "docs/compatibility.md";
const root = join(import.meta.dir, "..");

/** Parts of the language, in the order of the page, with what each is headed by. */
export const areas = {
  root: "The playbook",
  step: "Steps",
  arc: "Arcs and routing",
  set: "Names in `set`",
  loop: "Loops",
  policy: "Pipelines and policies",
  tool: "Tools",
  template: "Templates",
  scope: "Names that templates see",
  type: "Types and truth",
  execution: "Executions",
  event: "Events",
  result: "Results and references",
  credential: "Credentials and keychain",
  "older form": "Older forms",
  pitfall: "Where implementations went wrong",
  own: "What we add",
} as const;

export type Area = keyof typeof areas;
export type Verdict = "same" | "more" | "different" | "refused";

/** What the page says of one or several names that share a claim. */
export interface PageRow {
  readonly area: Area;
  /** Where the language reference has it: `§1.4`. */
  readonly section: string;
  /** Keys, words and rules of the language, as the reference spells them. */
  readonly names: readonly string[];
  readonly says: string;
  readonly verdict: Verdict;
  /** Of what is different: the reason. */
  readonly why?: string;
  /** Of what is refused: what to write. */
  readonly use?: string;
}

const verdicts: Readonly<Record<Verdict, string>> = {
  same: "same",
  more: "same and more",
  different: "different on purpose",
  refused: "refused",
};

const meanings: Readonly<Record<Verdict, string>> = {
  same:
    "does what at least one of the existing implementations does; where they disagree, the row says " +
    "which reading it is",
  more: "does that, and something beyond it",
  different: "does something else, and the row says why",
  refused:
    "is refused when the playbook is registered or the call is made, with a message that says what " +
    "to write",
};

/** The generated file: its path relative to the root of the repository, and its whole text. */
export async function generate(): Promise<readonly GeneratedFile[]> {
  // The rows are tests, which nothing of this floor imports; they are read at run time instead, so
  // the compiler can't know the shape.
  const loaded = (await import(join(root, "tests/compatibility/all-rows.ts"))) as {
    rows?: readonly PageRow[];
  };
  if (!Array.isArray(loaded.rows)) {
    throw new Error("tests/compatibility/all-rows.ts: expected an export called rows, found none");
  }
  return [{ path, text: compatibilityPage(loaded.rows) }];
}

/** The whole page. */
export function compatibilityPage(rows: readonly PageRow[]): string {
  const all = Object.keys(verdicts) as Verdict[];
  const counts = all.map(
    (verdict) =>
      `| ${verdicts[verdict]} | ${rows.filter((row) => row.verdict === verdict).length} | ${meanings[verdict]} |`,
  );
  const head = [
    "# Compatibility",
    "",
    "Made by `bun run generate` from the rows of `tests/compatibility`; change those, not this page.",
    "",
    "How NoETL Edge reads the playbook language, next to the two implementations that came before it.",
    "Every row is proved by a test, named after it: a row whose test fails is not a claim but a failure.",
    "",
    "| verdict | rows | it |",
    "|---|---:|---|",
    ...counts,
  ];
  const sections = (Object.keys(areas) as Area[]).flatMap((area) => sectionOf(area, rows));
  return `${[...head, ...sections].join("\n")}\n`;
}

function sectionOf(area: Area, rows: readonly PageRow[]): readonly string[] {
  const own = rows.filter((row) => row.area === area);
  if (own.length === 0) return [];
  return [
    "",
    `## ${areas[area]}`,
    "",
    "| | what it does | verdict | |",
    "|---|---|---|---|",
    ...own.map(line),
  ];
}

function line(row: PageRow): string {
  const note = row.verdict === "refused" ? `use ${row.use ?? ""}` : (row.why ?? "");
  const cells = [row.names.map(code).join(", "), row.says, verdicts[row.verdict], note];
  return `| ${cells.map(cell).join(" | ")} |`;
}

/** A name as code, also one that has back-ticks itself; a rule that is told in words as words. */
function code(name: string): string {
  if (/\s/.test(name) && !/[:{[=%']|^is /.test(name)) return name;
  return name.includes("`") ? `\`\` ${name} \`\`` : `\`${name}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

if (import.meta.main) {
  for (const file of await generate()) writeFileSync(join(root, file.path), file.text);
}
