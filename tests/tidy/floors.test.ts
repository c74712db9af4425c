// Shows that the rules on floors, import forms and adapters fire where they should, and only there.
import { expect, test } from "bun:test";
import { adapterRule, floorRule, importFormRule } from "./floors.ts";
import { importsOf } from "./imports.ts";
import { sourceFile } from "./source.ts";

const file = (path: string, text: string) => sourceFile({ path, text });
const floors = (path: string, text: string) =>
  floorRule(file(path, text)).map(({ line, message }) => `${line} ${message}`);

test("reads static, type, dynamic and multi-line imports", () => {
  const text = [
    'import { a } from "#core/model/ids";',
    'import type { B } from "./b.ts";',
    "import {",
    "  type C,",
    '} from "c";',
    'export { d } from "./d.ts";',
    'const e = await import("#cli/main");',
    'import "./f.ts";',
    '// import { g } from "g";',
    "const text = \"import { h } from 'h'\";",
  ].join("\n");

  const imports = importsOf(file("cli/x.ts", text));

  expect(imports.map(({ specifier }) => specifier)).toEqual([
    "#core/model/ids",
    "./b.ts",
    "c",
    "./d.ts",
    "#cli/main",
    "./f.ts",
  ]);
  expect(imports.map(({ typeOnly }) => typeOnly)).toEqual([false, true, true, false, false, false]);
  expect(imports.map(({ line }) => line)).toEqual([1, 2, 5, 6, 7, 8]);
});

test("lets an import go down or stay level", () => {
  expect(floors("core/engine/decide.ts", 'import { a } from "#core/model/ids";')).toEqual([]);
  expect(floors("core/wire/api.ts", 'import type { A } from "#core/ports/bus";')).toEqual([]);
  expect(floors("cli/main.ts", 'import { a } from "#control/app";')).toEqual([]);
});

test("refuses an import that goes up, by alias or by path, even for a type", () => {
  const byAlias = floors("core/model/ids.ts", '\nimport type { A } from "#core/engine/state";');
  const byPath = floors("core/playbook/parse.ts", 'import { a } from "../wire/api.ts";');

  expect(byAlias).toEqual([
    "2 found #core/engine/state on floor 2 from floor 0; pass it in as an argument",
  ]);
  expect(byPath.length).toBe(1);
});

test("keeps siblings apart and lets each import itself", () => {
  expect(floors("gateway/app.ts", 'import { a } from "#control/store/sql";').length).toBe(1);
  expect(floors("control/app.ts", 'import { a } from "#control/store/sql";')).toEqual([]);
});

test("refuses a file on no floor, and a leaf that imports the house", () => {
  expect(floors("server/app.ts", "export {};").length).toBe(1);
  expect(floors("plugins/clean/main.ts", 'import { a } from "#core/model/ids";').length).toBe(1);
  expect(floors("plugins/clean/main.ts", 'import { a } from "./a.ts";')).toEqual([]);
});

test("asks for an alias across folders and for a file name inside one", () => {
  const form = (text: string) =>
    importFormRule(file("control/routes/events.ts", text)).map(({ message }) => message);

  expect(form('import { a } from "../store/sql.ts";')).toEqual([
    "found ../store/sql.ts; write #control/store/sql",
  ]);
  expect(form('import { a } from "#control/store/sql.ts";').length).toBe(1);
  expect(form('import { a } from "./commands";').length).toBe(1);
  expect(form('import { a } from "#control/store/sql";')).toEqual([]);
  expect(form('import { a } from "./commands.ts";')).toEqual([]);
  expect(form('import text from "../store/schema.sql" with { type: "text" };')).toEqual([]);
});

test("lets entry files construct adapters and others name their types", () => {
  const text = 'import { memoryBus } from "#core/adapters/memory-bus";';
  const store = 'import { pgliteStore } from "#control/store/pglite";';
  const typed = 'import type { MemoryBus } from "#core/adapters/memory-bus";';

  expect(adapterRule(file("worker/loop.ts", text)).length).toBe(1);
  expect(adapterRule(file("control/services/catalog.ts", store)).length).toBe(1);
  expect(adapterRule(file("worker/loop.ts", typed))).toEqual([]);
  expect(adapterRule(file("worker/main.ts", text))).toEqual([]);
  expect(adapterRule(file("cli/run.ts", store))).toEqual([]);
  expect(adapterRule(file("control/store/neon.ts", store))).toEqual([]);
  expect(adapterRule(file("control/store/event-log.ts", text))).toEqual([]);
});
