// The JSON Schema and the language page agree with the parser.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { YAML } from "bun";
import { playbookJsonSchema } from "#core/playbook/schema";
import { toolKinds } from "#core/playbook/tool-fields";
import { generate } from "#scripts/generate-playbook-schema";
import { schemaErrors } from "./json-schema.ts";
import { documentOf, goodPlaybook, problemsOf, withStepKeys, withTool } from "./playbook-text.ts";

const root = join(import.meta.dir, "../../../..");
const schema = playbookJsonSchema();
const errorsOf = (source: string) => schemaErrors(schema, YAML.parse(source));

const olderForms = [
  withStepKeys("next: end"),
  withStepKeys("next: [end]"),
  withStepKeys("next: [{step: end, when: a, args: {a: 1}}, end]"),
  withStepKeys("next: {step: end, input: {a: 1}}"),
  withStepKeys("next: {spec: {next_mode: inclusive}, arcs: [{step: end, args: {a: 1}}]}"),
  withStepKeys("args: {a: 1}", "spec: {next_mode: exclusive, on_error: stop}", "next: end"),
  withStepKeys("when: a"),
  withTool("- fetch: {kind: noop}"),
  withTool("kind: noop", "retry: {max_attempts: 3}", "assert: {}"),
  withTool("kind: noop", "eval: [{expr: a, do: fail}]"),
  withTool("kind: noop").replace("noetl.io/v2", "noetl.io/v10"),
];

interface PartOfSchema {
  readonly anyOf: readonly PartOfSchema[];
  readonly properties?: object;
  readonly deprecated?: boolean;
}

/** The schema of each key of a step. */
function stepSchema(): Readonly<Record<"next" | "args", PartOfSchema>> {
  const { properties } = schema as {
    properties: { workflow: { items: { properties: Record<"next" | "args", PartOfSchema> } } };
  };
  return properties.workflow.items.properties;
}

describe("the JSON Schema", () => {
  test(
    "in docs is the one the language gives; `bun " +
      "scripts/generate-playbook-schema.ts` writes it",
    () => {
      for (const { path, text } of generate()) {
        expect(readFileSync(join(root, path), "utf8")).toBe(text);
      }
    },
  );

  test("accepts what the parser accepts", () => {
    const good = [
      goodPlaybook,
      withTool("kind: http", "url: a", "timeout: '{{ t }}'", "headers: '{{ h }}'"),
      withTool("kind: http", "url: a", "unknown: field"),
      withTool("kind: python", "spec: {code: x}"),
      withTool("kind: noop", "spec: {policy: {rules: [{else: {then: {do: fail}}}]}}"),
      withStepKeys("loop: {in: [], iterator: über}", "next: {arcs: [{step: end, when: true}]}"),
    ];
    for (const source of good) {
      expect(problemsOf(source)).toEqual([]);
      expect(errorsOf(source)).toEqual([]);
    }
  });

  test("accepts every older form that is read, and strikes it through", () => {
    for (const source of olderForms) {
      expect(problemsOf(source)).toEqual([]);
      expect(errorsOf(source)).toEqual([]);
    }
    const { properties, anyOf } = stepSchema().next;
    expect(properties).toBeUndefined();
    expect(anyOf.map(({ deprecated = false }) => deprecated)).toEqual([false, true, true, true]);
    expect(stepSchema().args.deprecated).toBe(true);
  });

  test("accepts the canonical form too, so that it can be written down and read again", () => {
    expect(schemaErrors(schema, documentOf(goodPlaybook))).toEqual([]);
  });

  const bad: readonly (readonly [string, string])[] = [
    ["a missing name", withTool("kind: noop").replace("name: sample", "path: a")],
    ["an older key of a step that is no longer read", withStepKeys("vars: {}")],
    ["next as a number", withStepKeys("next: 3")],
    ["an arc in a list with an unknown key", withStepKeys("next: [{step: end, wen: a}]")],
    ["an unknown key of an arc", withStepKeys("next: {arcs: [{step: end, wen: a}]}")],
    ["a condition that is a number", withStepKeys("next: {arcs: [{step: end, when: 1}]}")],
    ["an unknown kind", withTool("kind: nop")],
    ["a tool without its field", withTool("kind: http", "method: GET")],
    ["a number as text", withTool("kind: http", "url: a", "timeout: '30'")],
    ["an unknown action", withTool("kind: noop", "spec: {policy: {rules: [{then: {do: no}}]}}")],
    [
      "no attempt at all",
      withTool("kind: noop", "spec: {policy: {rules: [{then: {do: retry, attempts: 0}}]}}"),
    ],
    ["an iterator that is no name", withStepKeys("loop: {in: [], iterator: a-b}")],
    ["a mode of a loop that is none", withStepKeys("loop: {in: [], iterator: a, spec: {mode: b}}")],
    ["a set key with a space", withStepKeys("set: {a b: 1}")],
    [
      "an empty list of tools",
      withStepKeys("desc: a").replace("{kind: noop}\n    desc", "[]\n    desc"),
    ],
  ];
  for (const [name, source] of bad) {
    test(`refuses ${name}, as the parser does`, () => {
      expect(problemsOf(source)).not.toEqual([]);
      expect(errorsOf(source)).not.toEqual([]);
    });
  }

  test("describes every field, for editors", () => {
    const undescribed: string[] = [];
    const visit = (part: unknown, path: string): void => {
      if (typeof part !== "object" || part === null) return;
      const { properties } = part as { properties?: Record<string, { description?: string }> };
      for (const [key, field] of Object.entries(properties ?? {})) {
        const isCondition = /\.(if|anyOf\.\d+)$/.test(path);
        if (!isCondition && (field.description ?? "") === "") undescribed.push(`${path}.${key}`);
      }
      for (const [key, inner] of Object.entries(part)) visit(inner, `${path}.${key}`);
    };
    visit(schema, "");
    expect(undescribed).toEqual([]);
  });
});

test("the language page names every tool kind and every field of each", () => {
  const page = readFileSync(join(root, "docs/playbook-language.md"), "utf8");
  const missing: string[] = [];
  for (const [kind, record] of toolKinds) {
    if (!page.includes(`\`${kind}\``)) missing.push(kind);
    for (const [name, { says }] of Object.entries(record.fields)) {
      if (!new RegExp(`\\| \`${name}\`[^\n]*`).test(page) || !page.includes(`| ${says} |`)) {
        missing.push(`${kind}.${name}`);
      }
    }
  }
  expect(missing).toEqual([]);
});

test("every playbook on the language page is a good one", () => {
  const page = readFileSync(join(root, "docs/playbook-language.md"), "utf8");
  const samples = [...page.matchAll(/```yaml\n(apiVersion[\s\S]*?)```/g)].map(([, text]) => text);
  expect(samples.length).toBeGreaterThan(1);
  for (const sample of samples) {
    expect(problemsOf(sample ?? "")).toEqual([]);
    expect(errorsOf(sample ?? "")).toEqual([]);
  }
});
