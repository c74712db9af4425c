// docs/templates.md names everything the language has, and every way it differs from Jinja2.

import { expect, test } from "bun:test";
import { compileTemplate } from "#core/playbook/template";
import { filters, tests } from "#core/playbook/template/filters";
import { functions } from "#core/playbook/template/functions";
import { methods } from "#core/playbook/template/methods";
import { differences } from "#tests/differential/jinja-differences";

const page = await Bun.file(`${import.meta.dir}/../../../../docs/templates.md`).text();

function section(heading: string): string {
  const start = page.indexOf(`\n## ${heading}\n`);
  const end = page.indexOf("\n## ", start + 1);
  if (start < 0) throw new Error(`expected a section ${heading}`);
  return page.slice(start, end < 0 ? page.length : end);
}

test.each([
  ["Filters", filters],
  ["Tests", tests],
  ["Methods", methods],
])("the section %s names each of them", (heading, known) => {
  const text = section(heading);
  expect([...known.keys()].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test("the section Functions names each of them", () => {
  const text = section("Functions");
  expect([...functions.keys()].filter((name) => !text.includes(`\`${name}(`))).toEqual([]);
});

test("the section on Jinja2 has each difference and its reason", () => {
  const text = section("Differences from Jinja2");
  const rows = differences.map(({ name, reason }) => `| ${name} | ${reason} |`);
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});

test("the macro that the page shows makes the statement that it looks like", () => {
  const [, text = ""] = /```jinja\n([\s\S]*?)```/.exec(page) ?? [];
  expect(compileTemplate(text).evaluate(new Map(), { nowMs: 0 })).toBe(
    "CREATE TABLE t (id bigint NOT NULL, note text)",
  );
});
