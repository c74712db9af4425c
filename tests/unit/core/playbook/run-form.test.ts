// The form of a playbook: defaults, the words of comments, and texts that are no playbook.

import { describe, expect, test } from "bun:test";
import { runForm, workloadSchema } from "#core/playbook/run-form";

const head = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t}\nworkload:\n";
const fieldsOf = (workload: string) => runForm(`${head}${workload}\nworkflow: []\n`).fields;
const only = (workload: string) => {
  const [field, ...rest] = fieldsOf(workload);
  expect(rest).toEqual([]);
  return field;
};

describe("a field", () => {
  test.each([
    ["a: text", "string", "text"],
    ["a: 3", "integer", 3],
    ["a: 1.5", "number", 1.5],
    ["a: true", "boolean", true],
    ["a: [1]", "array", [1]],
    ["a: {b: 1}", "object", { b: 1 }],
    ["a:", "null", null],
  ])("of %p is as its default", (line, kind, value) => {
    expect(only(`  ${line}`)).toMatchObject({ name: "a", kind, default: value });
  });

  test("is described by the comments above it and beside it, but not by others", () => {
    const fields = fieldsOf(
      "  # Of nobody.\n\n  # How often.\n  # At most ten.\n  a: 1 # A day.\n  b: 'x # y'\n  c: 2\n  # of the end",
    );
    expect(fields.map(({ description }) => description)).toEqual([
      "How often. At most ten. A day.",
      "",
      "",
    ]);
  });

  test("has the words of its comments, several in a line", () => {
    expect(only("  db: pg_main # ui:credential=pg_* ui:description=Where to read")).toMatchObject({
      credential_glob: "pg_*",
      description: "Where to read",
    });
    expect(only("  n: 2 # ui:enum=[1, 2, 3]")).toMatchObject({ kind: "enum", options: [1, 2, 3] });
    expect(only(`  s: a # ui:enum=["a b", 'c']`)).toMatchObject({ options: ["a b", "c"] });
  });

  test.each([["  note: x # ui:secret"], ["  api_token: x"], ["  db_password: x"]])(
    "of a secret never shows its default: %p",
    (line) => {
      expect(only(line)).toMatchObject({ secret: true, default: null });
    },
  );

  test("of a map has children, and its default is without their secrets", () => {
    expect(only("  db: {host: h, password: p}")).toMatchObject({
      default: { host: "h", password: null },
      children: [{ name: "host" }, { name: "password", secret: true }],
    });
  });
});

test.each([["not: [closed"], ["workload: 3"], [""], ["a: 1\n---\nb: 2"], ["workload: {<<: *x}"]])(
  "%p has a form without fields",
  (source) => {
    expect(runForm(source).fields).toEqual([]);
  },
);

test("the schema of a workload names kinds, choices and defaults, and requires nothing", () => {
  const form = runForm(
    `${head}  a: 1\n  b: x # ui:enum=[x, y]\n  c: {d: true}\n  e:\n  token: t\nworkflow: []\n`,
  );
  expect(workloadSchema(form)).toEqual({
    type: "object",
    properties: {
      a: { type: "integer", default: 1 },
      b: { enum: ["x", "y"], default: "x" },
      c: {
        type: "object",
        properties: { d: { type: "boolean", default: true } },
        default: { d: true },
      },
      e: {},
      token: { type: "string" },
    },
  });
});
