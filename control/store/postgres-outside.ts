// SQL on a PostgreSQL server that somebody names: a connection for one statement, which is cancelled
// at the server when its time is up, and read in pieces so that no answer fills the memory.

import { SQL } from "bun";
import { Fault, messageOf } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import { databaseConnectMs } from "#core/model/limits";
import { outsideSqlPage } from "#core/model/secret-limits";
import type { OutsideSql, SqlAnswer, SqlCall, SqlPlace } from "#core/ports/outside-sql";

/** @param ownUrl the database of the product itself, where there is one to connect to. */
export function postgresOutside(ownUrl: string | undefined): OutsideSql {
  return {
    run: async (place, call) => {
      const wanted = place ?? (ownUrl === undefined ? undefined : { connectionString: ownUrl });
      if (wanted === undefined) {
        throw new Fault(
          "unavailable",
          "there is no database here to connect to without a credential",
        );
      }
      const client = connect(wanted);
      try {
        return await inTime(client, call);
      } finally {
        await client.close({ timeout: 0 }).catch(() => {});
      }
    },
  };
}

const usual = { max: 1, connectionTimeout: databaseConnectMs / 1_000 } as const;

function connect(place: SqlPlace): SQL {
  const { connectionString, host, port = 5_432, user, password, database, sslMode } = place;
  const connection = { application_name: "noetl postgres/execute" };
  try {
    if (connectionString !== undefined) return new SQL(connectionString, { ...usual, connection });
    const tls = sslMode === undefined || sslMode === "disable" ? {} : { tls: tlsOf(sslMode) };
    return new SQL({
      ...{ ...usual, ...tls, connection, port, adapter: "postgres" as const },
      hostname: host ?? "",
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
    });
  } catch {
    // What the driver says may quote the address, and with it the password.
    throw new Fault("invalid", "expected the address of a PostgreSQL database");
  }
}

/** Certificates are looked at where that was asked for. */
function tlsOf(sslMode: string): { readonly rejectUnauthorized: boolean } {
  return { rejectUnauthorized: sslMode.startsWith("verify") };
}

interface Running {
  /** The statement that is under way, so that it can be cancelled. */
  query: { cancel(): unknown } | undefined;
}

async function inTime(client: SQL, call: SqlCall): Promise<SqlAnswer> {
  const running: Running = { query: undefined };
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    running.query?.cancel();
    late.reject(new Fault("timeout", `the statement was cancelled after ${call.timeoutMs} ms`));
  }, call.timeoutMs);
  const work = client.begin((transaction) => rowsOf(transaction, call, running));
  try {
    return { rows: await Promise.race([work, late.promise]) };
  } catch (thrown) {
    work.catch(() => {});
    return refusalOf(thrown);
  } finally {
    clearTimeout(timer);
  }
}

/** Code and words of the server; anything else says only that there was no answer. */
function refusalOf(thrown: unknown): SqlAnswer {
  if (thrown instanceof Fault) throw thrown;
  const isAnswer = thrown instanceof SQL.PostgresError && /^[0-9A-Z]{5}$/.test(thrown.errno ?? "");
  if (isAnswer) return { refused: `${thrown.errno}: ${messageOf(thrown).slice(0, 2_000)}` };
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ERR_POSTGRES_COPY_NOT_SUPPORTED")
    return { refused: "COPY: expected another statement" };
  throw new Fault("unavailable", "the database could not be reached, or did not answer");
}

async function rowsOf(
  client: Pick<SQL, "unsafe">,
  call: SqlCall,
  running: Running,
): Promise<readonly JsonObject[]> {
  const run = (text: string, values: readonly Json[] = []): Promise<readonly unknown[]> => {
    const query = client.unsafe(text, [...values]);
    running.query = query;
    return query;
  };
  await run("select set_config('statement_timeout', $1, true)", [String(call.timeoutMs)]);
  if (call.schema !== undefined) {
    // Quoted as a name: one with a comma in it is one name.
    await run("select set_config('search_path', quote_ident($1), true)", [call.schema]);
  }
  const collected = collector(call);
  if (!(await isCursor(run, call))) {
    collected.add(lastOf(await run(call.text, call.values)));
    return collected.rows;
  }
  for (;;) {
    const page = await run(`fetch ${outsideSqlPage} from noetl_rows`);
    collected.add(page);
    if (page.length < outsideSqlPage) return collected.rows;
  }
}

type Run = (text: string, values?: readonly Json[]) => Promise<readonly unknown[]>;

const readsRows = /^\s*(?:select|values|table|with)\b/i;

/** Opens a cursor over what only reads; what can't have one has done nothing by then. */
async function isCursor(run: Run, { text, values }: SqlCall): Promise<boolean> {
  if (!readsRows.test(text)) return false;
  await run("savepoint noetl_before");
  try {
    await run(`declare noetl_rows no scroll cursor for ${text.replace(/[\s;]+$/, "")}`, values);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof SQL.PostgresError && thrown.errno === "0A000")) throw thrown;
    await run("rollback to savepoint noetl_before");
    return false;
  }
}

/** Several statements in one text give a list of lists. */
function lastOf(rows: readonly unknown[]): readonly unknown[] {
  const last = rows.at(-1);
  return Array.isArray(last) ? last : rows;
}

function collector({ rowsMax, bytesMax }: SqlCall) {
  const rows: JsonObject[] = [];
  let bytes = 0;
  return {
    rows,
    add: (page: readonly unknown[]): void => {
      for (const row of page) {
        const told = jsonOf(row) as JsonObject;
        bytes += JSON.stringify(told).length;
        rows.push(told);
        if (rows.length > rowsMax) {
          throw new Fault("too_large", `expected at most ${rowsMax} rows, found more`);
        }
        if (bytes > bytesMax) {
          throw new Fault("too_large", `expected at most ${bytesMax} bytes of rows, found more`);
        }
      }
    },
  };
}

/** What JSON has no number for is text, as PostgreSQL writes it. */
function jsonOf(value: unknown): Json {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      return jsonOfObject(value);
    default:
      return String(value);
  }
}

function jsonOfObject(value: object): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (ArrayBuffer.isView(value)) return Array.from(value as Int32Array, jsonOf);
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, jsonOf(own)]));
}
