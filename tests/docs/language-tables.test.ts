// The tables of fields on the page of the language are what the shapes of the language make, and no
// map of the language is without one.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toolKinds } from "#core/playbook/tool-fields";
import { generate, languageMaps, tableOf, withTables } from "#scripts/generate-language-tables";
import { repositoryRoot } from "#scripts/install";

const pagePath = join(repositoryRoot, "docs/playbook-language.md");

describe("the tables of the language page", () => {
  test("are what the shapes make; `bun scripts/generate-language-tables.ts` writes them", () => {
    const [page] = generate();
    expect(readFileSync(pagePath, "utf8")).toBe(page?.text ?? "");
  });

  test("are there for every map of the language and for every kind of tool", () => {
    const page = readFileSync(pagePath, "utf8");
    const missing = [...languageMaps()].filter(([, { fields }]) => !page.includes(tableOf(fields)));
    expect(missing.map(([noun]) => noun)).toEqual([]);
    for (const kind of toolKinds.keys()) expect(page).toContain(`\n### \`${kind}\`\n`);
  });
});

describe("a marked table", () => {
  const marked = (name: string): string =>
    `before\n<!-- fields: ${name} -->\nstale\n<!-- end -->\n`;

  test("is made anew from the shape, and nothing around it changes", () => {
    const page = withTables(marked("arc"));
    expect(page).toStartWith("before\n<!-- fields: arc -->\n\n| key | holds | |\n");
    expect(page).toContain("| `step` * | text | The step this arc leads to. |");
    expect(page).not.toContain("stale");
    expect(withTables(page)).toBe(page);
  });

  test("of a kind has what the kind adds to the fields of all", () => {
    const page = withTables(marked("tool http"));
    expect(page).toContain("| `url` |");
    expect(page).not.toContain("| `auth` |");
    expect(withTables(marked("tool"))).toContain("| `auth` |");
  });

  test("with a name that nothing has is an error that lists the names", () => {
    expect(() => withTables(marked("arcs"))).toThrow(/expected a marker with one of tool, .*arc.*/);
  });
});
