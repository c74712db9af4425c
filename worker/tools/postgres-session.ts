// One call's work on one connection: settings, statements in a transaction (or each alone), types
// of the result, commit. Every value travels as text, so that nothing is rounded on the way.

import type { PoolClient, QueryArrayConfig, QueryResult } from "pg";

import type { Json } from "#core/model/json";
import { configFailure, type Deadline } from "./call-config.ts";
import {
  builtInTypes,
  isReadable,
  needsType,
  parameterText,
  readerOf,
  type TypeCatalog,
} from "./postgres-values.ts";
import { rowBudget, type SqlResult } from "./sql-call.ts";
import type { SqlStatement } from "./sql-text.ts";

export interface SessionOptions {
  readonly schema: string | undefined;
  readonly params: readonly Json[] | undefined;
  /** False when a statement of the call must run outside a transaction. */
  readonly inTransaction: boolean;
  readonly rowBytesMax: number;
  readonly deadline: Deadline;
  /** Called when the rows outgrow `rowBytesMax`, so that the server stops sending them. */
  readonly tooLarge: () => void;
}

type TextRow = readonly (string | null)[];

/** How much later than its caller the server gives up by itself, should the caller be gone. */
const statementGraceMs = 5_000;
const statementMsMax = 2_147_483_647;

/** Prepares the session for this call; answers the process id by which it can be cancelled. */
export async function openSession(client: PoolClient, options: SessionOptions): Promise<number> {
  const local = options.inTransaction ? "LOCAL " : "";
  const leftMs = Math.max(0, options.deadline.endsAtMs - performance.now());
  const timeoutMs = Math.min(Math.ceil(leftMs) + statementGraceMs, statementMsMax);
  const settings = [
    "datestyle = 'ISO'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
    `statement_timeout = ${timeoutMs}`,
    ...(options.schema === undefined
      ? []
      : [`search_path = ${quotedName(options.schema)}, public`]),
  ].map((setting) => `SET ${local}${setting}`);
  const begin = options.inTransaction ? ["BEGIN"] : [];
  const results = await runSimple(
    client,
    [...begin, ...settings, "SELECT pg_backend_pid()"].join("; "),
  );
  return Number(results.at(-1)?.rows[0]?.[0]);
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Runs the statements in order; the last one decides the result. */
export async function runStatements(
  client: PoolClient,
  statements: readonly SqlStatement[],
  options: SessionOptions,
): Promise<SqlResult> {
  let last: QueryResult<string[]> | undefined;
  for (const [index, statement] of statements.entries()) {
    const ended = options.deadline.ended();
    if (ended !== undefined) throw ended;
    const isLast = index === statements.length - 1;
    last = await runStatement(client, statement, { ...options, keepsRows: isLast });
  }
  if (last === undefined) throw configFailure("command: expected a statement, found only comments");
  const result = await readResult(client, last);
  await endSession(client, options);
  return result;
}

async function endSession(client: PoolClient, options: SessionOptions): Promise<void> {
  if (options.inTransaction) {
    await client.query("COMMIT");
  } else if (client.getTransactionStatus() === "T") {
    throw configFailure("command: the last statement leaves a transaction open; add COMMIT");
  }
}

async function runStatement(
  client: PoolClient,
  statement: SqlStatement,
  options: SessionOptions & { readonly keepsRows: boolean },
): Promise<QueryResult<string[]>> {
  const values =
    options.params === undefined
      ? undefined
      : await parameterTexts(client, statement, options.params);
  const spend = rowBudget(options.keepsRows ? options.rowBytesMax : Number.POSITIVE_INFINITY);
  const query: QueryArrayConfig = {
    text: statement.text,
    rowMode: "array",
    types: {
      // The client calls this for every value; throwing makes it drop the rows that follow.
      getTypeParser: () => (text: string) => {
        try {
          spend(text.length);
        } catch (error) {
          options.tooLarge();
          throw error;
        }
        return text;
      },
    },
    ...(values === undefined ? {} : { values }),
  };
  return client.query<string[]>(query);
}

/** Values by the simple protocol: every one is text. */
async function runSimple(client: PoolClient, text: string): Promise<QueryResult<string[]>[]> {
  const query: QueryArrayConfig = {
    text,
    rowMode: "array",
    types: { getTypeParser: () => (value: string) => value },
  };
  // Several statements answer with a list of results, which the client's types leave out.
  const results: unknown = await client.query<string[]>(query);
  return (Array.isArray(results) ? results : [results]) as QueryResult<string[]>[];
}

// --- parameters ---------------------------------------------------------------------------

const preparePrefix = "PREPARE noetl_parameters AS ";
const preparable = new Set(["SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"]);

/** An error in the prepared form of a statement, with the length of what was put before it. */
export class PreparedStatementError extends Error {
  override readonly name = "PreparedStatementError";
  readonly prefixChars = preparePrefix.length;
}

async function parameterTexts(
  client: PoolClient,
  statement: SqlStatement,
  params: readonly Json[],
): Promise<(string | null)[]> {
  const askTypes = params.some(needsType) && preparable.has(statement.words[0] ?? "");
  const types = askTypes ? await parameterTypes(client, statement) : [];
  return params.map((param, index) => parameterText(param, types[index]));
}

/** What types the server infers for `$1`, `$2`, …: only it knows whether a list is an array. */
async function parameterTypes(
  client: PoolClient,
  statement: SqlStatement,
): Promise<readonly string[]> {
  try {
    await client.query(preparePrefix + statement.text);
  } catch (error) {
    throw new PreparedStatementError("preparing failed", { cause: error });
  }
  const results = await runSimple(
    client,
    `SELECT unnest(parameter_types)::text
       FROM pg_prepared_statements WHERE name = 'noetl_parameters';
     DEALLOCATE noetl_parameters`,
  );
  return results[0]?.rows.map((row) => row[0] ?? "") ?? [];
}

// --- results ------------------------------------------------------------------------------

async function readResult(client: PoolClient, result: QueryResult<string[]>): Promise<SqlResult> {
  if (result.fields.length === 0 && result.command !== "SELECT") {
    return { kind: "count", affectedRows: result.rowCount ?? 0 };
  }
  const types = result.fields.map((column) => column.dataTypeID);
  const catalog = types.every(isReadable) ? builtInTypes : await typeCatalog(client, types);
  const readers = types.map((type) => readerOf(type, catalog));
  const rows = (result.rows as readonly TextRow[]).map((row) =>
    readers.map((read, index) => {
      const text = row[index] ?? null;
      return text === null ? null : read(text);
    }),
  );
  return { kind: "rows", columns: result.fields.map((column) => column.name), rows };
}

const catalogQuery = `
  WITH RECURSIVE known AS (
    SELECT oid, typtype, typbasetype, typelem, typcategory, typdelim
      FROM pg_type WHERE oid = ANY(string_to_array($1, ',')::oid[])
    UNION
    SELECT t.oid, t.typtype, t.typbasetype, t.typelem, t.typcategory, t.typdelim
      FROM pg_type t JOIN known k
        ON t.oid = CASE WHEN k.typtype = 'd' THEN k.typbasetype
                        WHEN k.typcategory = 'A' THEN k.typelem END
  )
  SELECT k.oid, CASE WHEN k.typtype = 'd' THEN k.typbasetype END,
         CASE WHEN k.typtype <> 'd' AND k.typcategory = 'A' THEN k.typelem END,
         (SELECT e.typdelim FROM pg_type e WHERE e.oid = k.typelem)
    FROM known k`;

/** What the server's catalog says about these types, their elements and their base types. */
async function typeCatalog(client: PoolClient, types: readonly number[]): Promise<TypeCatalog> {
  const query: QueryArrayConfig = {
    text: catalogQuery,
    values: [types.join(",")],
    rowMode: "array",
    types: { getTypeParser: () => (value: string) => value },
  };
  const { rows } = await client.query<(string | null)[]>(query);
  const bases = new Map<number, number>();
  const arrays = new Map<number, { readonly element: number; readonly delimiter: string }>();
  for (const [type, base, element, delimiter] of rows) {
    if (base) bases.set(Number(type), Number(base));
    if (element)
      arrays.set(Number(type), { element: Number(element), delimiter: delimiter ?? "," });
  }
  const baseOf = (type: number): number => {
    const base = bases.get(type);
    return base === undefined ? type : baseOf(base);
  };
  return { baseOf, arrayOf: (type) => arrays.get(type) };
}
