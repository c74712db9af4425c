// Rows out of JSON: from a list of objects, or from one object a line. Columns and their types are
// told from the first rows; a mapping says which fields are wanted.

import { transferChunkBytesMax, transferSampleRowsMax } from "#core/model/data-tool-limits";
import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { type Mapping, type Source, transferFailure } from "./transfer-ends.ts";
import { blocksOf, type Column, type TextRow, textOfJson, typeOfValues } from "./transfer-rows.ts";

/** A row with the words for its place: `row 3`, `line 7`. */
export interface PlacedRow {
  readonly place: string;
  readonly value: Json;
}

export interface JsonRowsOptions {
  readonly mapping: Mapping | undefined;
  readonly skipsBadRows: boolean;
}

/** A source of objects. @param ends what is closed when it is. */
export async function jsonSource(
  rows: AsyncIterable<PlacedRow>,
  options: JsonRowsOptions & { readonly close?: () => Promise<void> },
): Promise<Source> {
  let skipped = 0;
  const bad = (place: string, problem: string): void => {
    if (!options.skipsBadRows) throw transferFailure("bad_row", `source: ${place}: ${problem}`);
    skipped++;
  };
  const iterator = rows[Symbol.asyncIterator]();
  const sample: PlacedRow[] = [];
  let isOver = false;
  while (sample.length < transferSampleRowsMax && !isOver) {
    const next = await iterator.next();
    if (next.done === true) isOver = true;
    else sample.push(next.value);
  }
  const columns = columnsOf(sample, options.mapping);
  const names = [...columns.keys()];
  const known = new Set(columns.values());
  const text = function* ({ place, value }: PlacedRow): Generator<TextRow> {
    if (!isJsonObject(value)) return bad(place, "expected an object");
    const other =
      options.mapping === undefined && Object.keys(value).find((name) => !known.has(name));
    if (typeof other === "string") {
      return bad(place, `found a field ${other} that the first rows do not have; use mapping`);
    }
    yield names.map((name) => textOfJson(value[columns.get(name) ?? ""]));
  };
  const all = async function* (): AsyncGenerator<readonly TextRow[]> {
    yield sample.flatMap((row) => [...text(row)]);
    while (!isOver) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield [...text(next.value)];
    }
  };
  return {
    columns: typed(columns, sample),
    skipped: () => skipped,
    blocks: () => blocksOf(all(), transferChunkBytesMax / 4),
    close: async () => {
      await iterator.return?.();
      await options.close?.();
    },
  };
}

/** Column → field it comes from. */
function columnsOf(sample: readonly PlacedRow[], mapping: Mapping | undefined): Mapping {
  if (mapping !== undefined) return mapping;
  const names = new Map<string, string>();
  for (const { value } of sample) {
    if (!isJsonObject(value)) continue;
    for (const name of Object.keys(value)) names.set(name, name);
  }
  return names;
}

function typed(columns: Mapping, sample: readonly PlacedRow[]): readonly Column[] {
  const objects = sample.flatMap(({ value }): readonly JsonObject[] =>
    isJsonObject(value) ? [value] : [],
  );
  return [...columns].map(([name, from]) => ({
    name,
    type: typeOfValues(objects.map((row) => row[from])),
  }));
}

/** The list that a document holds under a path of names with dots. */
export function listAt(document: Json, path: string | undefined, what: string): readonly Json[] {
  let found: Json | undefined = document;
  for (const name of path === undefined ? [] : path.split(".")) {
    found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  if (Array.isArray(found)) return found;
  const where = path === undefined ? "" : ` at ${path}`;
  throw transferFailure("no_list", `source: expected a list of objects${where} in ${what}`);
}

/** The rows of a list, numbered from 1 on. */
export async function* placedRows(list: readonly Json[]): AsyncGenerator<PlacedRow> {
  for (const [index, value] of list.entries()) yield { place: `row ${index + 1}`, value };
}
