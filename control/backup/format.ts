// What the lines of a backup say: the head, rows table by table with the digest of each, and the end
// without which it is none. A row is a list of texts, each as the database writes the value and reads
// it again: the text of an event comes back to the last character that its digest was made of.

import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";

/** Rises with what an older build could not read. */
export const backupFormat = 1;

export interface BackupColumn {
  readonly name: string;
  readonly type: string;
}

export interface BackupTable {
  readonly name: string;
  readonly columns: readonly BackupColumn[];
}

export interface BackupHead {
  readonly noetl_backup: number;
  /** Of the build that wrote it. */
  readonly version: string;
  readonly schema: { readonly digest: string; readonly versions: readonly number[] };
  readonly cluster_id: string;
  readonly timeline: string;
  /** RFC 3339. */
  readonly at: string;
  readonly tables: readonly BackupTable[];
}

export type BackupLine =
  | { readonly kind: "row"; readonly table: string; readonly values: readonly (string | null)[] }
  | {
      readonly kind: "closed";
      readonly table: string;
      readonly rows: number;
      readonly sha256: string;
    }
  | { readonly kind: "end"; readonly rows: number; readonly sha256: string };

/** @throws Fault `invalid` for a head that is none, or of a format that came later. */
export function readHead(line: string | undefined): BackupHead {
  const head = line === undefined ? undefined : parsed(line);
  if (!isJsonObject(head)) throw new Fault("invalid", "this is no backup of noetl");
  const { noetl_backup: format, version } = head;
  if (typeof format === "number" && format > backupFormat) {
    const whose = `format ${format} of noetl ${typeof version === "string" ? version : "unknown"}`;
    throw new Fault("invalid", `the backup has ${whose}, expected at most ${backupFormat}`);
  }
  if (!isHead(head)) throw new Fault("invalid", "this is no backup of noetl");
  return head;
}

function isHead(head: JsonObject): head is JsonObject & BackupHead {
  const { noetl_backup: format, version, schema, cluster_id: cluster, timeline, at, tables } = head;
  const texts = [version, cluster, timeline, at].every((text) => typeof text === "string");
  return (
    format === backupFormat &&
    texts &&
    isJsonObject(schema) &&
    Array.isArray(schema["versions"]) &&
    schema["versions"].every((each) => Number.isSafeInteger(each)) &&
    Array.isArray(tables) &&
    tables.every(isTable)
  );
}

function isTable(table: Json): boolean {
  if (!isJsonObject(table) || !Array.isArray(table["columns"])) return false;
  const isColumn = (column: Json): boolean =>
    isJsonObject(column) &&
    typeof column["name"] === "string" &&
    typeof column["type"] === "string";
  return typeof table["name"] === "string" && table["columns"].every(isColumn);
}

/** @throws Fault `invalid` for a line that is none of them. */
export function readLine(line: string): BackupLine {
  const value = parsed(line);
  if (!isJsonObject(value)) throw noLine();
  const { t: table, r: values, rows, sha256, end } = value;
  if (typeof table === "string" && isRow(values)) return { kind: "row", table, values };
  if (typeof rows !== "number" || typeof sha256 !== "string") throw noLine();
  if (typeof table === "string") return { kind: "closed", table, rows, sha256 };
  if (end === true) return { kind: "end", rows, sha256 };
  throw noLine();
}

function isRow(values: Json | undefined): values is readonly (string | null)[] {
  return Array.isArray(values) && values.every((each) => each === null || typeof each === "string");
}

function noLine(): Fault {
  return new Fault("invalid", "the backup is damaged: a line is neither a row nor an end");
}

function parsed(line: string): Json {
  try {
    return JSON.parse(line);
  } catch {
    throw new Fault("invalid", "the backup is damaged: a line is not JSON");
  }
}

/** Counts rows and folds lines into digests, the same way for whoever writes and whoever reads. */
export class BackupTally {
  readonly #all = new Bun.CryptoHasher("sha256");
  #table = new Bun.CryptoHasher("sha256");
  #rows = 0;
  #tableRows = 0;

  row(line: string): void {
    this.#all.update(line);
    this.#table.update(line);
    this.#rows++;
    this.#tableRows++;
  }

  /** What stands between the rows belongs to the whole alone. */
  other(line: string): void {
    this.#all.update(line);
  }

  closeTable(): { readonly rows: number; readonly sha256: string } {
    const closed = { rows: this.#tableRows, sha256: this.#table.digest("hex") };
    this.#table = new Bun.CryptoHasher("sha256");
    this.#tableRows = 0;
    return closed;
  }

  end(): { readonly rows: number; readonly sha256: string } {
    return { rows: this.#rows, sha256: this.#all.digest("hex") };
  }
}
