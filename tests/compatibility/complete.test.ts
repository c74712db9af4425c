// Nothing of the language is without a row: what the reference names, and what our own shapes have.

import { describe, expect, test } from "bun:test";
import { commonFields, toolKinds } from "#core/playbook/tool-fields";
import { languageMaps } from "#scripts/generate-language-tables";
import { builtinTools } from "#worker/registry";
import { rows } from "./all-rows.ts";
import { expectedNames } from "./expected-names.ts";
import { ours } from "./own-fields.ts";

const named = new Set(rows.flatMap(({ names }) => names));

/** What rows call the maps of the language, where that differs from what messages call them. */
const prefixes: Readonly<Record<string, string>> = {
  playbook: "",
  "step spec": "step.spec.",
  "workbook entry": "workbook.",
  "keychain entry": "keychain.",
  "tool spec": "task.spec.",
  "cursor options": "loop.cursor.options.",
  "step policy": "step.spec.policy.",
  admit: "step.spec.policy.admit.",
};

describe("the rows", () => {
  for (const [section, names] of expectedNames) {
    test(`have every name of ${section}`, () => {
      const own = new Set(
        rows.filter((row) => row.section === section).flatMap((row) => row.names),
      );
      expect(names.filter((name) => !own.has(name))).toEqual([]);
    });
  }

  test("have no section that the reference does not list here", () => {
    const sections = new Set(rows.map(({ section }) => section));
    expect([...sections].filter((section) => !expectedNames.has(section))).toEqual([]);
  });

  test("name each thing once within a section", () => {
    const all = rows.flatMap(({ section, names }) => names.map((name) => `${section} ${name}`));
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
  });
});

/** Whether a name stands among ours, by itself or as part of a whole map or kind. */
function isOurs(name: string): boolean {
  return (
    ours.has(name) ||
    [...ours].some((one) => one.endsWith("*") && name.startsWith(one.slice(0, -1)))
  );
}

/** Every field of the maps of the language, and of kinds of tools beyond what all have. */
const fields: readonly string[] = [
  ...[...languageMaps()].flatMap(([noun, map]) =>
    Object.keys(map.fields).map((key) => `${prefixes[noun] ?? `${noun}.`}${key}`),
  ),
  ...[...toolKinds].flatMap(([kind, map]) =>
    Object.entries(map.fields)
      .filter(([key, field]) => commonFields[key] !== field)
      .map(([key]) => `${kind}.${key}`),
  ),
];

describe("every field of our own", () => {
  test("has a row, or is marked as ours", () => {
    expect(fields.filter((name) => !named.has(name) && !isOurs(name))).toEqual([]);
  });

  test("that is marked as ours exists, and has no row", () => {
    const marks = [...ours].map((mark) => mark.replace(/\*$/, ""));
    expect(marks.filter((mark) => !fields.some((name) => name.startsWith(mark)))).toEqual([]);
    expect([...named].filter((name) => fields.includes(name) && isOurs(name))).toEqual([]);
  });
});

/** Kinds that no worker runs: the engine carries them out, or they stand for another kind. */
const withoutTool: ReadonlySet<string> = new Set(["playbook", "workbook", "wait", "agent"]);

test("every kind that is read has a tool that runs it, unless the engine does", async () => {
  const tools = builtinTools();
  const kinds = [...toolKinds.keys()].filter((kind) => !withoutTool.has(kind));
  expect(await Promise.all(kinds.map(async (kind) => (await tools.get(kind)).kind))).toEqual(kinds);
  await tools.close();
});
