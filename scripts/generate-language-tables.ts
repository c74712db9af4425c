// Makes the tables of fields in docs/playbook-language.md from the shapes of the language. It owns
// what stands between `<!-- fields: NAME -->` and `<!-- end -->`; the prose around is written by
// hand. Run it alone to write the file.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { playbook } from "#core/playbook/language";
import { type Field, type RecordShape, type Shape, wanted } from "#core/playbook/shape";
import { commonFields, kindSays, neededFields, toolKinds } from "#core/playbook/tool-fields";

const path = "docs/playbook-language.md";
const root = join(import.meta.dir, "..");

type Fields = Readonly<Record<string, Field>>;

const marked = /<!-- fields: ([^\n]*?) -->\n[\s\S]*?<!-- end -->/g;

/** The generated file: its path relative to the root of the repository, and its whole text. */
export function generate(): readonly { readonly path: string; readonly text: string }[] {
  return [{ path, text: withTables(readFileSync(join(root, path), "utf8")) }];
}

/**
 * A page with every marked table made anew. The name in a marker is that of a map of the language,
 * as messages call it (`arc`, `loop.spec`), or of one of these: `tool` for what all kinds share,
 * `tool KIND` for the fields of one kind, `tools` for a section per kind.
 * @throws Error for a name that is none of these.
 */
export function withTables(page: string): string {
  const records = languageMaps();
  return page.replace(marked, (_found, name: string) => {
    const table = tableNamed(name, records);
    return `<!-- fields: ${name} -->\n\n${table}\n\n<!-- end -->`;
  });
}

function tableNamed(name: string, records: ReadonlyMap<string, RecordShape>): string {
  if (name === "tools") return [...toolKinds.keys()].map(section).join("\n\n");
  if (name === "tool") return tableOf(commonFields);
  const kind = /^tool (\S+)$/.exec(name)?.[1];
  if (kind !== undefined && toolKinds.has(kind)) return tableOf(ownFields(kind));
  const record = records.get(name);
  if (record !== undefined) return tableOf(record.fields);
  const known = ["tool", "tools", "tool KIND", ...records.keys()].join(", ");
  throw new Error(`${path}: expected a marker with one of ${known}, found ${JSON.stringify(name)}`);
}

/** Every map of the language by what messages call it, those inside of tool calls included. */
export function languageMaps(): ReadonlyMap<string, RecordShape> {
  const found = mapsOfSteps();
  for (const { fields } of toolKinds.values()) mapsBelow(fields, found);
  return found;
}

/** Those that are no part of one kind of tool alone. */
function mapsOfSteps(): Map<string, RecordShape> {
  return mapsBelow(commonFields, mapsBelow({ playbook: { shape: playbook, says: "" } }, new Map()));
}

function mapsBelow(fields: Fields, found: Map<string, RecordShape>): Map<string, RecordShape> {
  const visit = (shape: Shape): void => {
    if (shape.is === "list") visit(shape.items);
    if (shape.is === "either") shape.options.forEach(visit);
    if (shape.is !== "record" || found.get(shape.noun) === shape) return;
    if (found.has(shape.noun)) throw new Error(`expected one map called ${shape.noun}, found two`);
    found.set(shape.noun, shape);
    for (const field of Object.values(shape.fields)) visit(field.shape);
  };
  for (const { shape } of Object.values(fields)) visit(shape);
  return found;
}

/** What the page says of a kind: its fields, then those of the maps that only it has. */
function section(kind: string): string {
  const fields = ownFields(kind);
  const needs = neededFields(kind).map((names) => `Needs ${names.map(code).join(" or ")}.`);
  const says = [kindSays(kind), ...needs].join(" ");
  const known = mapsOfSteps();
  const maps = [...mapsBelow(fields, new Map())].filter(([noun]) => !known.has(noun));
  return [
    `### ${code(kind)}\n\n${says}`,
    ...(Object.keys(fields).length === 0 ? [] : [tableOf(fields)]),
    ...maps.map(([noun, inner]) => `What ${noun} holds:\n\n${tableOf(inner.fields)}`),
  ].join("\n\n");
}

/** What a kind has beyond the fields of all, or has otherwise. */
function ownFields(kind: string): Fields {
  const entries = Object.entries(toolKinds.get(kind)?.fields ?? {});
  return Object.fromEntries(entries.filter(([key, field]) => commonFields[key] !== field));
}

/** The table of these fields. */
export function tableOf(fields: Fields): string {
  const rows = Object.entries(fields).map(
    ([key, { shape, required, says }]) =>
      `| ${code(key)}${required === true ? " *" : ""} | ${holds(shape)} | ${says} |`,
  );
  return ["| key | holds | |", "|---|---|---|", ...rows].join("\n");
}

/** `a list or a template` in a sentence, `a list, a template` in a table. */
function holds(shape: Shape): string {
  return wanted(shape).replaceAll(" or ", ", ");
}

function code(word: string): string {
  return `\`${word}\``;
}

if (import.meta.main) {
  for (const file of generate()) writeFileSync(join(root, file.path), file.text);
}
