// Writes a backup from one snapshot of the database, page by page, while everybody else goes on.

import { schemaDigest } from "#control/store/migrate";
import type { Sql } from "#control/store/sql";
import { backupFrameBytes, backupPageRows } from "#core/model/cli-limits";
import { Fault } from "#core/model/fault";
import { type BackupWriter, backupWriter } from "./file.ts";
import { type BackupHead, type BackupTable, BackupTally, backupFormat } from "./format.ts";
import { type BackedUpTable, backedUpTables } from "./tables.ts";

export interface BackupOptions {
  readonly file: string;
  /** A file of the name is replaced. */
  readonly replaces: boolean;
  /** With what tools have printed. */
  readonly logs: boolean;
  readonly version: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly rows: number;
  readonly tables: Readonly<Record<string, number>>;
  readonly sha256: string;
}

/**
 * @param sql one connection: a pool would answer from more than one snapshot.
 * @throws Fault `invalid` for a database without our schema, `unavailable` when it is lost half-way;
 *   no file is left then.
 */
export async function writeBackup(sql: Sql, options: BackupOptions): Promise<BackupReport> {
  await sql.query("begin isolation level repeatable read read only");
  try {
    const [session] = await sql.query<Session>(sessionSql);
    if (session === undefined) throw new Fault("unavailable", "the database did not answer");
    // The whole takes as long as it takes; who waits for it may interrupt.
    await sql.query("set local statement_timeout = 0");
    const writer = await backupWriter(options.file, options.replaces);
    try {
      return await writeAll(sql, { ...options, pid: session.pid, writer });
    } catch (thrown) {
      await writer.abandon();
      throw thrown;
    }
  } finally {
    await sql.query("rollback").catch(() => {});
  }
}

interface Session {
  readonly pid: number;
}

const sessionSql = "select pg_backend_pid() as pid";

interface Writing extends BackupOptions {
  readonly pid: number;
  readonly writer: BackupWriter;
}

async function writeAll(sql: Sql, writing: Writing): Promise<BackupReport> {
  const { writer, logs, file } = writing;
  const kept = backedUpTables.filter((table) => table.logs !== true || logs);
  const sources: Source[] = [];
  for (const table of kept) {
    const source = await sourceOf(sql, table);
    if (source !== undefined) sources.push(source);
  }
  const tally = new BackupTally();
  const head = JSON.stringify(await headOf(sql, writing, sources));
  tally.other(head);
  await writer.write(head);
  const tables: Record<string, number> = {};
  for (const source of sources) {
    for await (const row of rowsOf(sql, source, writing.pid)) {
      const line = `{"t":${JSON.stringify(source.table.name)},"r":${row}}`;
      tally.row(line);
      await writer.write(line);
    }
    const closed = tally.closeTable();
    tables[source.table.name] = closed.rows;
    const line = JSON.stringify({ t: source.table.name, ...closed });
    tally.other(line);
    await writer.write(line);
  }
  const end = tally.end();
  await writer.write(JSON.stringify({ end: true, ...end }));
  return { file, bytes: await writer.finish(), tables, ...end };
}

/** A table as it is here: what is read of it, and by which key in pages. */
interface Source {
  readonly table: BackupTable;
  readonly where: string;
  readonly keys: readonly BackupTable["columns"][number][];
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly key_place: number | null;
}

const columnsSql = `
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
  array_position(i.indkey::int2[], a.attnum) as key_place
from pg_catalog.pg_attribute a
join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped
order by a.attnum`;

/** Undefined for a table that the database doesn't have yet. */
async function sourceOf(sql: Sql, backed: BackedUpTable): Promise<Source | undefined> {
  const { name, where = "true", without = [] } = backed;
  const columns = await sql.query<ColumnRow>(columnsSql, [`noetl.${quoted(name)}`]);
  if (columns.length === 0) return undefined;
  const kept = columns.filter((column) => !without.includes(column.name));
  const keys = columns
    .filter(({ key_place: place }) => place !== null)
    .sort((a, b) => (a.key_place ?? 0) - (b.key_place ?? 0));
  const told = ({ name: own, type }: ColumnRow) => ({ name: own, type });
  return { table: { name, columns: kept.map(told) }, where, keys: keys.map(told) };
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

interface IdentityRow {
  readonly cluster_id: string | null;
  readonly timeline: string;
  readonly versions: string;
}

const identitySql = `
select (select c.cluster_id::text from noetl.cluster c) as cluster_id, noetl.timeline() as timeline,
  (select json_agg(m.version order by m.version)::text from noetl.migration m) as versions`;

async function headOf(
  sql: Sql,
  { version, at }: BackupOptions,
  sources: readonly Source[],
): Promise<BackupHead> {
  const [table] = await sql.query<{ found: boolean }>(
    "select to_regclass('noetl.cluster') is not null as found",
  );
  const [identity] = table?.found === true ? await sql.query<IdentityRow>(identitySql) : [];
  if (identity === undefined) throw new Fault("invalid", "the database has no schema of noetl");
  const versions: number[] = JSON.parse(identity.versions);
  return {
    noetl_backup: backupFormat,
    version,
    schema: { digest: schemaDigest(), versions },
    cluster_id: identity.cluster_id ?? "",
    timeline: identity.timeline,
    at,
    tables: sources.map((source) => source.table),
  };
}

/** The rows in the order of their key, each as a JSON list of texts. */
async function* rowsOf(sql: Sql, source: Source, pid: number): AsyncGenerator<string> {
  const { keys } = source;
  const first = pageSql(source, false);
  const next = pageSql(source, true);
  let after: readonly string[] | undefined;
  for (;;) {
    const page: readonly PageRow[] = await sql.query<PageRow>(
      after === undefined ? first : next,
      after ?? [],
    );
    const last = page.at(-1);
    if (last === undefined) return;
    // A connection that was made anew would read from another snapshot.
    if (last.pid !== pid) throw new Fault("unavailable", "the connection was lost half-way");
    for (const { row } of page) yield row;
    const place: (string | null)[] = JSON.parse(last.place);
    after = keys.map((_, index) => place[index] ?? "");
  }
}

interface PageRow {
  readonly row: string;
  /** The key of the row, as a JSON list of texts. */
  readonly place: string;
  readonly pid: number;
}

/**
 * A page ends by its number of rows or by their size in the database, whichever comes first, and
 * has one row at least.
 */
function pageSql({ table, where, keys }: Source, isNext: boolean): string {
  const names = keys.map(({ name }) => `t.${quoted(name)}`).join(", ");
  const values = keys.map(({ type }, index) => `$${index + 1}::text::${type}`).join(", ");
  const texts = table.columns.map(({ name }) => `p.${quoted(name)}::text`).join(", ");
  const sizes = table.columns
    .map(({ name }) => `coalesce(pg_column_size(t.${quoted(name)}), 0)`)
    .join(" + ");
  const places = keys.map(({ name }) => `p.${quoted(name)}::text`).join(", ");
  return `
select json_build_array(${texts})::text as row, json_build_array(${places})::text as place,
  pg_backend_pid() as pid
from (
  select t.*, sum(${sizes}) over w as total_size, row_number() over w as place_number
  from (select * from noetl.${quoted(table.name)} t
    where ${where}${isNext ? ` and (${names}) > (${values})` : ""}
    order by ${names} limit ${backupPageRows}) t
  window w as (order by ${names} rows unbounded preceding)) p
where p.total_size <= ${backupFrameBytes} or p.place_number = 1
order by p.place_number`;
}
