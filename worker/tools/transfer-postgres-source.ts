// Rows out of PostgreSQL: a query, or a table, read by COPY from one snapshot.

import { configFailure, textField } from "./call-config.ts";
import { copyOut } from "./postgres-copy.ts";
import type { PostgresPools } from "./postgres-pool.ts";
import {
  mappedColumns,
  quotedName,
  quotedTable,
  type Source,
  type SourceOptions,
  type WindowedSource,
} from "./transfer-ends.ts";
import { type PostgresCall, postgresCall } from "./transfer-postgres-call.ts";
import { columnOf, mayBeAnything, selected } from "./transfer-postgres-types.ts";
import type { Block, Column } from "./transfer-rows.ts";

/** Text that is gathered before it is handed on. */
const blockBytes = 1_048_576;

export async function postgresSource(
  pools: PostgresPools,
  options: SourceOptions,
): Promise<Source> {
  const opened = await openQuery(pools, options);
  const { call, columns } = opened;
  let isRead = false;
  return {
    columns,
    skipped: () => 0,
    blocks: async function* () {
      yield* copied(call, `SELECT ${opened.list} FROM (${opened.query}) AS q`, columns);
      isRead = true;
    },
    close: async () => {
      // A snapshot has nothing to commit, and all rows may be there already: what ends it badly
      // costs the connection, never the transfer.
      const isClean = isRead && (await call.query("COMMIT").then(Boolean, () => false));
      await call.release({ reusable: isClean });
    },
  };
}

export async function postgresWindows(
  pools: PostgresPools,
  options: SourceOptions,
): Promise<WindowedSource> {
  const { call, columns, list, query } = await openQuery(pools, options);
  await call.query("COMMIT");
  const order: Column = { name: "noetl order", type: "text" };
  return {
    columns,
    window: async function* ({ orderBy, after, rowsMax }) {
      await call.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const by = quotedName(orderBy);
      const where = after === undefined ? "" : ` WHERE ${by} > ${after}`;
      const sql = `SELECT ${list}, ${by}::text AS ${quotedName(order.name)}
        FROM (${query}) AS q${where} ORDER BY ${by} NULLS FIRST LIMIT ${rowsMax}`;
      yield* copied(call, sql, [...columns, order]);
    },
    windowEnd: async () => void (await call.query("COMMIT")),
    close: () => call.release({ reusable: false }),
  };
}

async function* copied(
  call: PostgresCall,
  sql: string,
  columns: readonly Column[],
): AsyncGenerator<Block> {
  const quoted = columns.filter(mayBeAnything).map(({ name }) => quotedName(name));
  const force = quoted.length === 0 ? "" : `, FORCE_QUOTE (${quoted.join(", ")})`;
  const copy = `COPY (${sql}) TO STDOUT (FORMAT csv, NULL '\\N'${force})`;
  const blocks = copyOut(call.client, copy, blockBytes);
  for (;;) {
    const next = await call.run(() => blocks.next());
    if (next.done === true) return;
    yield next.value;
  }
}

async function openQuery(pools: PostgresPools, options: SourceOptions) {
  const query = queryText(options);
  const call = await postgresCall(pools, "source", options);
  try {
    await call.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const own = await queryColumns(call, query);
    const mapped = mappedColumns(own, options.mapping);
    const list = mapped.map(({ from, column }) => selected(own[from]?.name ?? "", column));
    return { call, query, list: list.join(", "), columns: mapped.map(({ column }) => column) };
  } catch (error) {
    await call.release({ reusable: false });
    throw error;
  }
}

function queryText({ config }: SourceOptions): string {
  const query = textField(config, "query", "command");
  if (query !== undefined) return query.value.trim().replace(/;\s*$/, "");
  const table = textField(config, "table");
  if (table === undefined) throw configFailure("source.query: expected query or table");
  return `SELECT * FROM ${quotedTable(table.value)}`;
}

async function queryColumns(call: PostgresCall, query: string): Promise<readonly Column[]> {
  const described = await call.run(() =>
    call.client.query(`SELECT * FROM (${query}) AS q LIMIT 0`),
  );
  const fields = described.fields;
  const repeated = fields.find(
    ({ name }, index) => fields.findIndex((f) => f.name === name) < index,
  );
  if (repeated !== undefined) {
    throw configFailure(
      `source.query: expected names of columns to differ, found ${repeated.name} twice`,
    );
  }
  const oids = [...new Set(fields.map(({ dataTypeID }) => String(dataTypeID)))];
  const rows = await call.query(catalogQuery, [oids.join(",")]);
  const types = new Map(rows.map(([oid, typname, isArray]) => [oid, { typname, isArray }]));
  return fields.map(({ name, dataTypeID, dataTypeModifier }) => {
    const type = types.get(String(dataTypeID));
    return columnOf({
      name,
      typname: type?.typname ?? "text",
      modifier: dataTypeModifier,
      isArray: type?.isArray === "t",
    });
  });
}

/** Domains as what they are made of. */
const catalogQuery = `
  WITH RECURSIVE known AS (
    SELECT oid AS asked, oid, typtype, typbasetype, typname, typcategory
      FROM pg_type WHERE oid = ANY(string_to_array($1, ',')::oid[])
    UNION
    SELECT k.asked, t.oid, t.typtype, t.typbasetype, t.typname, t.typcategory
      FROM known k JOIN pg_type t ON k.typtype = 'd' AND t.oid = k.typbasetype)
  SELECT asked, typname, typcategory = 'A' FROM known WHERE typtype <> 'd'`;
