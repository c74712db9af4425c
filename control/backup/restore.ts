// Puts a backup into an empty database, in one transaction: all of it is there in the end, or
// nothing. What the database says of its own place (positions of feeds, leases) is made anew.

import { ensurePartitions, type Migration, migrate, migrations } from "#control/store/migrate";
import type { Sql } from "#control/store/sql";
import { restoreBatchBytes, restoreBatchRows } from "#core/model/cli-limits";
import { Fault } from "#core/model/fault";
import type { BackupHead, BackupTable } from "./format.ts";
import { type BackupRow, backupRows, type CheckedBackup, checkBackup } from "./read.ts";
import { backedUpTables } from "./tables.ts";
import { quoted } from "./write.ts";

export interface RestoreOptions {
  readonly file: string;
  /** Schedules come back switched off: for a copy beside what it is a copy of. */
  readonly pausesSchedules: boolean;
  /** What was read of the file before; it is read first without it. */
  readonly checked?: CheckedBackup;
}

/**
 * @param sql one connection, to a database without our schema or with an empty one.
 * @throws Fault `invalid` for a backup that isn't whole or comes from a later build, `conflict` for
 *   a database that isn't empty; nothing is changed then.
 */
export async function restoreBackup(sql: Sql, options: RestoreOptions): Promise<CheckedBackup> {
  const { checked = await checkBackup(options.file) } = options;
  const schema = schemaOf(checked.head);
  await checkEmpty(sql, schema.length);
  await sql.query("begin");
  try {
    await sql.query("set local statement_timeout = 0");
    await migrate(sql, schema);
    const transaction = await newTransaction(sql);
    await fill(sql, options.file);
    await settle(sql, options);
    await migrate(sql);
    await ensurePartitions(sql);
    if ((await transactionOf(sql)) !== transaction) {
      throw new Fault("unavailable", "the connection was lost half-way");
    }
    await sql.query("commit");
  } catch (thrown) {
    await sql.query("rollback").catch(() => {});
    throw thrown;
  }
  await sql.query("select noetl.identify()");
  return checked;
}

/** Whether a database of this build has what the backup's had. */
export function isOfThisSchema({ schema }: BackupHead): boolean {
  return Math.max(0, ...schema.versions) === migrations.length;
}

/** The migrations that the backup's database had. */
function schemaOf({ schema, version }: BackupHead): readonly Migration[] {
  const newest = Math.max(0, ...schema.versions);
  if (newest > migrations.length) {
    throw new Fault(
      "invalid",
      `the backup has schema ${newest} of noetl ${version}, expected at most ${migrations.length} of this build`,
    );
  }
  return migrations.slice(0, newest);
}

/** A database that has a later schema than the backup would miss what the migrations do to rows. */
async function checkEmpty(sql: Sql, version: number): Promise<void> {
  const [table] = await sql.query<{ found: boolean }>(
    "select to_regclass('noetl.migration') is not null as found",
  );
  if (table?.found !== true) return;
  const [applied] = await sql.query<{ version: number | null }>(
    "select max(version) as version from noetl.migration",
  );
  for (const { name } of backedUpTables) {
    const [place] = await sql.query<{ found: boolean }>(
      "select to_regclass($1) is not null as found",
      [`noetl.${quoted(name)}`],
    );
    if (place?.found !== true) continue;
    const [held] = await sql.query<{ rows: number }>(
      `select count(*)::integer as rows from (select from noetl.${quoted(name)} limit 1000) t`,
    );
    if (held === undefined || held.rows === 0) continue;
    const rows = held.rows === 1_000 ? "1,000 rows or more" : `${held.rows} rows`;
    throw new Fault(
      "conflict",
      `expected an empty database, found ${rows} in table ${name}; restore into a new one`,
    );
  }
  if (applied?.version !== version) {
    throw new Fault(
      "conflict",
      `expected a database without a schema, or with ${version}, found schema ${applied?.version ?? 0}`,
    );
  }
}

async function newTransaction(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ id: string }>("select pg_current_xact_id()::text as id");
  return row?.id ?? "";
}

/** Of a connection that was made anew there is none. */
async function transactionOf(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ id: string | null }>(
    "select pg_current_xact_id_if_assigned()::text as id",
  );
  return row?.id ?? "none";
}

interface Batch {
  readonly table: BackupTable;
  readonly rows: string[];
  size: number;
}

async function fill(sql: Sql, file: string): Promise<void> {
  const tables = new Map<string, BackupTable>();
  let madeAt = "";
  const rows = backupRows(file, (head) => {
    madeAt = head.at;
    for (const table of head.tables) tables.set(table.name, table);
  });
  let months: Months | undefined;
  let batch: Batch | undefined;
  for await (const row of rows) {
    if (batch !== undefined && (batch.table.name !== row.table || isFull(batch))) {
      await insert(sql, batch);
      batch = undefined;
    }
    batch ??= { table: tableOf(tables, row), rows: [], size: 0 };
    if (row.table === "event") {
      months ??= new Months(sql, madeAt);
      await months.ensure(executionOf(row, batch.table));
    }
    const text = JSON.stringify(row.values);
    batch.rows.push(text);
    batch.size += text.length;
  }
  if (batch !== undefined) await insert(sql, batch);
}

function isFull({ rows, size }: Batch): boolean {
  return size >= restoreBatchBytes || rows.length >= restoreBatchRows;
}

function executionOf({ values }: BackupRow, { columns }: BackupTable): string {
  const id = values[columns.findIndex(({ name }) => name === "execution_id")] ?? "";
  if (/^\d{1,19}$/.test(id)) return id;
  throw new Fault("invalid", "the backup is damaged: an event is of no execution");
}

function tableOf(tables: ReadonlyMap<string, BackupTable>, { table }: BackupRow): BackupTable {
  const found = tables.get(table);
  const isOurs = backedUpTables.some(({ name }) => name === table);
  if (found !== undefined && isOurs) return found;
  throw new Fault("invalid", `the backup has a table ${JSON.stringify(table)}, expected none such`);
}

async function insert(sql: Sql, { table, rows }: Batch): Promise<void> {
  const target = `noetl.${quoted(table.name)}`;
  const known = await sql.query<{ name: string; type: string }>(columnsSql, [target]);
  const types = new Map(known.map(({ name, type }) => [name, type]));
  const values = table.columns.map(({ name }, index) => {
    const type = types.get(name);
    if (type !== undefined) return `(r.value ->> ${index})::${type}`;
    throw new Fault("invalid", `the backup has a column ${table.name}.${name}, expected none such`);
  });
  const names = table.columns.map(({ name }) => quoted(name)).join(", ");
  const done = await sql.query(
    `insert into ${target} (${names})
    select ${values.join(", ")} from json_array_elements($1::text::json) with ordinality r(value, n)
    order by r.n returning 1 as done`,
    [`[${rows.join(",")}]`],
  );
  if (done.length !== rows.length) {
    throw new Fault("internal", `table ${table.name} took ${done.length} of ${rows.length} rows`);
  }
}

const columnsSql = `
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
from pg_catalog.pg_attribute a
where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`;

/** Makes the partitions of the log for months of which there are events; later ones have theirs. */
class Months {
  readonly #sql: Sql;
  readonly #seen = new Set<string>();
  readonly #last: string;

  /** @param at when the backup was made: an id of a later month is of a clock far ahead. */
  constructor(sql: Sql, at: string) {
    this.#sql = sql;
    this.#last = at.slice(0, 7);
  }

  /** Retention takes whole partitions, so events of months long ago go into their own. */
  async ensure(executionId: string): Promise<void> {
    const ms = Number(BigInt(executionId) >> 22n) + epochMs;
    const start = new Date(ms);
    const month = start.toISOString().slice(0, 7);
    if (this.#seen.has(month) || month > this.#last) return;
    this.#seen.add(month);
    const [low, high] = [0, 1].map((ahead) => {
      const at = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + ahead, 1);
      return BigInt(at - epochMs) << 22n;
    });
    await this.#sql.query(`create table if not exists noetl.event_${month.replace("-", "_")}
      partition of noetl.event for values from (${low}) to (${high})`);
  }
}

/** Ids count the milliseconds since then, above 22 bits of machine and sequence. */
const epochMs = Date.UTC(2024, 0, 1);

/** Whoever held a lease, or waited for a turn, belongs to the database that this is a copy of. */
const readySql = `
update noetl.command set status = 'ready', worker = null, lease_until = null, expired_at = null,
  leased_at = null, handed = false, courted_until = null, held_until = least(held_until, now())`;

async function settle(sql: Sql, { pausesSchedules }: RestoreOptions): Promise<void> {
  await sql.query(readySql);
  const rules = await sql.query<{ key: string }>("select key from noetl.rule order by key");
  for (const { key } of rules) {
    await sql.query(
      "select noetl.put_rule(r.key, r.max_running, r.per_second, r.burst) from noetl.rule r where r.key = $1",
      [key],
    );
  }
  const [table] = await sql.query<{ found: boolean }>(
    "select to_regclass('noetl.schedule') is not null as found",
  );
  if (pausesSchedules && table?.found === true) {
    await sql.query("update noetl.schedule set enabled = false");
  }
}
