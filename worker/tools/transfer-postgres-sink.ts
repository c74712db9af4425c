// Rows into PostgreSQL: one COPY in one transaction. Lists become arrays where the table has arrays;
// an upsert goes through a temporary table.

import { configFailure, textField } from "./call-config.ts";
import { jsonOrText } from "./exact-json.ts";
import { type CopyIn, copyIn } from "./postgres-copy.ts";
import type { PostgresPools } from "./postgres-pool.ts";
import { arrayText } from "./postgres-values.ts";
import type { ToolFailure } from "./tool.ts";
import {
  misfit,
  quotedName,
  quotedTable,
  type Sink,
  type SinkOptions,
  tableColumns,
  transferFailure,
} from "./transfer-ends.ts";
import { type PostgresCall, postgresCall } from "./transfer-postgres-call.ts";
import { postgresType } from "./transfer-postgres-types.ts";
import { type Block, decodedRows, encodedRow } from "./transfer-rows.ts";

const staging = "noetl_transfer_rows";

interface Table {
  /** Quoted, fit for SQL. */
  readonly name: string;
  /** For people. */
  readonly label: string;
  /** The columns that are written, as the table calls them, with their types. */
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly isArray: boolean;
  }[];
}

export async function postgresSink(pools: PostgresPools, options: SinkOptions): Promise<Sink> {
  const label = textField(options.config, "table")?.value;
  if (label === undefined) throw configFailure("target.table: expected a table, found nothing");
  const call = await postgresCall(pools, "target", options);
  let isCommitted = false;
  try {
    await call.begin("");
    const table = await preparedTable(call, label, options);
    if (options.mode === "replace") await call.query(`TRUNCATE ${table.name}`);
    const writer = await tableWriter(call, table, options);
    return {
      name: label,
      write: writer.write,
      commit: async () => {
        await writer.end();
        await call.query("COMMIT");
        isCommitted = true;
        await call.release({ reusable: true });
      },
      // Closing the connection undoes all of it, in whatever state the COPY is.
      rollback: async () => {
        if (!isCommitted) await call.release({ reusable: false });
      },
    };
  } catch (error) {
    await call.release({ reusable: false });
    throw error;
  }
}

export interface TableWriter {
  write(block: Block): Promise<void>;
  end(): Promise<void>;
}

/** Writes rows within the transaction that is open, and no further. */
export async function tableWriter(
  call: PostgresCall,
  table: Table,
  options: SinkOptions,
): Promise<TableWriter> {
  const list = table.columns.map(({ name }) => quotedName(name)).join(", ");
  const isUpsert = options.mode === "upsert";
  if (isUpsert) {
    await call.query(`DROP TABLE IF EXISTS pg_temp.${staging}`);
    const empty = `SELECT ${list} FROM ${table.name} WITH NO DATA`;
    await call.query(`CREATE TEMP TABLE ${staging} ON COMMIT DROP AS ${empty}`);
  }
  const into = isUpsert ? `pg_temp.${staging}` : table.name;
  const needsArrays = table.columns.some(({ isArray }) => isArray);
  let copy: CopyIn | undefined;
  const run = <Result>(work: () => Promise<Result>): Promise<Result> =>
    call.run(() =>
      work().catch((error) => Promise.reject(misfitOf(error, table, options) ?? error)),
    );
  return {
    write: (block) =>
      run(async () => {
        copy ??= copyIn(call.client, `COPY ${into} (${list}) FROM STDIN (FORMAT csv, NULL '\\N')`);
        await copy.write(needsArrays ? withArrays(block, table) : block.bytes);
      }),
    end: async () => {
      if (copy !== undefined) await run(copy.end);
      if (isUpsert) await call.query(upsertSql(table, options.keys));
    },
  };
}

function upsertSql(table: Table, keys: readonly string[]): string {
  const names = table.columns.map(({ name }) => name);
  const list = names.map(quotedName).join(", ");
  const rest = names.filter((name) => !keys.includes(name));
  const set = rest.map((name) => `${quotedName(name)} = EXCLUDED.${quotedName(name)}`).join(", ");
  const action = rest.length === 0 ? "DO NOTHING" : `DO UPDATE SET ${set}`;
  return `INSERT INTO ${table.name} (${list}) SELECT ${list} FROM pg_temp.${staging}
    ON CONFLICT (${keys.map(quotedName).join(", ")}) ${action}`;
}

const tableQuery = `
  SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory = 'A'
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attnum`;

export async function preparedTable(
  call: PostgresCall,
  label: string,
  { columns, create }: Pick<SinkOptions, "columns" | "create">,
): Promise<Table> {
  const name = quotedTable(label);
  if (create) {
    const made = columns.map((column) => `${quotedName(column.name)} ${postgresType(column)}`);
    await call.query(`CREATE TABLE IF NOT EXISTS ${name} (${made.join(", ")})`);
  }
  const rows = await call.query(tableQuery, [name]);
  if (rows.length === 0) {
    throw transferFailure("no_table", `target: no table ${label}; create: true makes it`);
  }
  const known = rows.map(([column, type, isArray]) => ({
    name: column ?? "",
    type: type ?? "",
    isArray: isArray === "t",
  }));
  const wanted = tableColumns(columns, {
    name: label,
    columns: known.map((column) => column.name),
  });
  const written = wanted.flatMap((column) => known.filter(({ name: own }) => own === column));
  return { name, label, columns: written };
}

/** Lists as the arrays that the server reads; what is no list is left for it to judge. */
function withArrays(block: Block, table: Table): Uint8Array {
  const lines: string[] = [];
  for (const row of decodedRows(block)) {
    const values = row.map((value, index) => {
      if (value === null || table.columns[index]?.isArray !== true || !value.startsWith("[")) {
        return value;
      }
      const list = jsonOrText(value);
      return Array.isArray(list) ? arrayText(list) : value;
    });
    lines.push(encodedRow(values));
  }
  return Buffer.from(lines.join(""));
}

const badValue = /^22/;

/** The server's complaint shows the value; its place says as much. */
function misfitOf(error: unknown, table: Table, options: SinkOptions): ToolFailure | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, where } = error as { readonly code?: unknown; readonly where?: unknown };
  if (typeof code !== "string" || !badValue.test(code) || typeof where !== "string")
    return undefined;
  const found = /, line (\d+), column ([^:]+)/.exec(where);
  if (found === null) return undefined;
  const [, row, name = ""] = found;
  const index = table.columns.findIndex((column) => column.name === name);
  const from = options.columns[index]?.type ?? "text";
  return misfit({ row: Number(row), column: name, from, to: table.columns[index]?.type ?? "it" });
}
