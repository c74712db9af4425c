// Shows that the pure line refuses the world in code and lets its words stand in text and names.
import { expect, test } from "bun:test";
import { portRule, purityRule } from "./purity.ts";
import { sourceFile } from "./source.ts";

const found = (path: string, text: string) =>
  purityRule(sourceFile({ path, text })).map(({ message }) => message.split(/[ ;]/)[1]);

test.each([
  ["const now = Date.now();", "Date"],
  ["const n = Math.random();", "Math.random"],
  ["export async function f() {}", "async"],
  ["const id = crypto.randomUUID();", "crypto"],
  ["const e = process.env;", "process"],
  ["setTimeout(f, 1);", "setTimeout"],
  ["const t = `${performance}`;", "performance"],
  ["globalThis.x = 1;", "globalThis"],
  ['import { join } from "node:path";', "node:path"],
])("refuses %s below the line", (text, what) => {
  expect(found("core/engine/decide.ts", text)).toEqual([what]);
  expect(found("core/adapters/clock.ts", text)).toEqual([]);
});

test("lets the words stand in comments, strings, members and keys", () => {
  const text = [
    "// Date and fetch are arguments.",
    'const kind = "process";',
    "const body = options.fetch(state.process);",
    "const row = { process: 1, Date: 2 };",
    "const updateDate = 3;",
  ].join("\n");

  expect(found("core/playbook/parse.ts", text)).toEqual([]);
});

test("lets a port name a promise and nothing run", () => {
  const type = "export type Bus = { publish(subject: string): Promise<void> };\n";
  const value = 'export const subject = "a";\n';
  const ports = (text: string) => portRule(sourceFile({ path: "core/ports/bus.ts", text }));

  expect(found("core/ports/bus.ts", type)).toEqual([]);
  expect(found("core/wire/bus.ts", type)).toEqual(["Promise"]);
  expect(ports(type)).toEqual([]);
  expect(ports(value).length).toBe(1);
});
