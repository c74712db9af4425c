// docs/log.md lists the events that core/model/event.ts defines, each with all of its fields.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";

const read = (path: string): string => readFileSync(join(repositoryRoot, path), "utf8");

/** The names of the fields of every event, `?` behind those that may be absent. */
function defined(): ReadonlyMap<string, readonly string[]> {
  const source = read("core/model/event.ts");
  const bodies = new Map<string, { readonly parent: string; readonly body: string }>();
  const pattern = /^export interface (\w+)(?: extends (\w+))? \{\n([\s\S]*?)^\}/gm;
  for (const [, name = "", parent = "", body = ""] of source.matchAll(pattern)) {
    bodies.set(name, { parent, body });
  }
  const fieldsOf = (body: string): readonly string[] =>
    [...body.matchAll(/^ {2}readonly (\w+\??):/gm)].map(([, field = ""]) => field);
  const events = new Map<string, readonly string[]>();
  for (const { parent, body } of bodies.values()) {
    const types = /^ {2}readonly type: (.*);$/m.exec(body)?.[1] ?? "";
    const inherited = fieldsOf(bodies.get(parent)?.body ?? "");
    const own = fieldsOf(body).filter((field) => field !== "type");
    for (const [, type = ""] of types.matchAll(/"([^"]+)"/g)) {
      events.set(type, [...own, ...inherited].sort());
    }
  }
  return events;
}

/** The same, as the page says it: the last column of each row that begins with a type. */
function listed(): ReadonlyMap<string, readonly string[]> {
  const events = new Map<string, readonly string[]>();
  for (const [, type = "", fields = ""] of read("docs/log.md").matchAll(
    /^\| `(\w+\.\w+)` \|.*\| (.*) \|$/gm,
  )) {
    const outside = fields.replaceAll(/\([^)]*\)/g, "");
    events.set(type, [...outside.matchAll(/`([^`]+)`/g)].map(([, field = ""]) => field).sort());
  }
  return events;
}

test("the page of the log lists every event with all of its fields, and no others", () => {
  expect(Object.fromEntries(listed())).toEqual(Object.fromEntries(defined()));
  expect(defined().size).toBeGreaterThan(20);
});
