// The duckdb tool: SQL over an in-memory database that the tasks of one step share, or over a file
// within the worker's roots. Statements run one by one, each its own transaction unless SQL opens
// one.

import type {
  DuckDBConnection,
  DuckDBPreparedStatement,
  DuckDBResult,
  DuckDBValue,
} from "@duckdb/node-api";

import type { Json } from "#core/model/json";
import { duckdbMemoryBytesMax, errorMessageCharsMax, resultBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { refuseCredential } from "./auth.ts";
import { configFailure, type Deadline, textField, withDeadline } from "./call-config.ts";
import { duckdbApi, duckdbOpener } from "./duckdb-database.ts";
import { valueReader } from "./duckdb-values.ts";
import {
  type Row,
  rowBudget,
  rowBytes,
  type SqlCall,
  type SqlResult,
  sqlCall,
  sqlData,
} from "./sql-call.ts";
import { splitStatements } from "./sql-text.ts";
import { type Tool, ToolFailure } from "./tool.ts";

export interface DuckdbToolOptions {
  /**
   * Lets SQL reach every file and host, and install extensions: for operators who trust playbooks.
   */
  readonly externalAccess?: boolean;
  /** The folder of the extensions that may be loaded; without it, none but those built in. */
  readonly extensions?: string;
  readonly memoryBytesMax?: number;
  readonly rowBytesMax?: number;
}

/** Data: `{columns, rows, row_count}` or `{affected_rows}` of the last statement. */
export function duckdbTool(options: DuckdbToolOptions = {}): Tool {
  const opener = duckdbOpener({
    externalAccess: options.externalAccess ?? false,
    memoryBytesMax: options.memoryBytesMax ?? duckdbMemoryBytesMax,
    extensions: options.extensions,
  });
  return {
    kind: "duckdb",
    run: (config, context) =>
      withDeadline(config, context, async (deadline) => {
        const call = await sqlCall(config, context);
        const rowBytesMax = rowBytes(config, options.rowBytesMax ?? resultBytesMax);
        const database = textField(config, "database", "db_path")?.value ?? ":memory:";
        await refuseCredential("duckdb", config, context);
        try {
          const session = await opener.session(database, context);
          return await session.inTurn((connection) =>
            runDuckdbCall(connection, call, { deadline, rowBytesMax }),
          );
        } catch (error) {
          throw error instanceof ToolFailure ? error : (deadline.ended() ?? duckdbFailure(error));
        }
      }),
  };
}

interface Bounds {
  readonly deadline: Deadline;
  readonly rowBytesMax: number;
}

export async function runDuckdbCall(
  connection: DuckDBConnection,
  call: SqlCall,
  bounds: Bounds,
): Promise<Output> {
  const calm = interruptOnAbort(connection, bounds.deadline);
  try {
    const { last, statements } = await runTexts(connection, call, bounds);
    const data: Json = sqlData(last, { statements, asObjects: call.asObjects });
    return { status: "ok", data };
  } catch (error) {
    calm();
    await leaveTransaction(connection);
    throw error;
  } finally {
    calm();
  }
}

/** An interrupt counts only for a statement that runs: one that is about to start forgets it. */
const interruptAgainMs = 20;

/**
 * Interrupts from the end of the deadline on, again and again, until the returned function is
 * called.
 */
export function interruptOnAbort(connection: DuckDBConnection, deadline: Deadline): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer ??= setInterval(() => connection.interrupt(), interruptAgainMs);
  };
  if (deadline.signal.aborted) interrupt();
  deadline.signal.addEventListener("abort", interrupt, { once: true });
  return () => {
    deadline.signal.removeEventListener("abort", interrupt);
    clearInterval(timer);
  };
}

/** A failed call must not leave its transaction, aborted, to the next task of the step. */
async function leaveTransaction(connection: DuckDBConnection): Promise<void> {
  await connection.run("ROLLBACK").catch(() => undefined);
}

async function runTexts(connection: DuckDBConnection, call: SqlCall, bounds: Bounds) {
  let last: SqlResult | undefined;
  let statements = 0;
  for (const text of call.texts) {
    // The library has no good answer for a text without a statement.
    if (splitStatements(text).length === 0) continue;
    const extracted = await connection.extractStatements(text);
    if (call.params !== undefined && extracted.count > 1) {
      throw configFailure(`params: expected one statement, found ${extracted.count}`);
    }
    for (let index = 0; index < extracted.count; index++) {
      const ended = bounds.deadline.ended();
      if (ended !== undefined) throw ended;
      const prepared = await extracted.prepare(index);
      last = await runStatement(prepared, call.params, bounds);
      statements++;
    }
  }
  if (last === undefined) throw configFailure("command: expected a statement, found only comments");
  return { last, statements };
}

async function runStatement(
  prepared: DuckDBPreparedStatement,
  params: SqlCall["params"],
  bounds: Bounds,
): Promise<SqlResult> {
  try {
    await bind(prepared, params ?? []);
    // Not streamed: the client takes an error or interrupt in mid-stream for the end of the rows.
    return await readResult(await prepared.run(), bounds);
  } finally {
    prepared.destroySync();
  }
}

async function bind(prepared: DuckDBPreparedStatement, params: readonly Json[]): Promise<void> {
  if (params.length !== prepared.parameterCount) {
    throw configFailure(
      `params: expected ${prepared.parameterCount} values, found ${params.length}`,
    );
  }
  const { listValue } = await duckdbApi();
  for (const [index, param] of params.entries()) {
    if (typeof param === "number") bindNumber(prepared, index + 1, param);
    else prepared.bindValue(index + 1, boundValue(param, listValue));
  }
}

function bindNumber(prepared: DuckDBPreparedStatement, position: number, value: number): void {
  if (!Number.isSafeInteger(value)) prepared.bindDouble(position, value);
  else prepared.bindBigInt(position, BigInt(value));
}

/** Lists of one kind of scalar as lists; other lists and objects as JSON text. */
function boundValue(param: Json, list: (items: DuckDBValue[]) => DuckDBValue): DuckDBValue {
  if (param === null || typeof param !== "object") return param;
  if (!Array.isArray(param)) return JSON.stringify(param);
  const items: readonly Json[] = param;
  const [kind, ...otherKinds] = new Set(items.map((item) => typeof item));
  if (otherKinds.length > 0 || items.includes(null)) return JSON.stringify(items);
  // One kind of scalar is one DuckDB type, which the client infers from the first item.
  if (kind === "string" || kind === "boolean") return list(items as DuckDBValue[]);
  return kind === "number"
    ? list(numbersForList(items as readonly number[]))
    : JSON.stringify(items);
}

/** Integers stay integers unless one of them is too wide or broken; then all are doubles. */
function numbersForList(numbers: readonly number[]): DuckDBValue[] {
  return numbers.every((number) => Number.isSafeInteger(number))
    ? numbers.map(BigInt)
    : [...numbers];
}

async function readResult(result: DuckDBResult, bounds: Bounds): Promise<SqlResult> {
  const api = await duckdbApi();
  if (result.returnType !== api.ResultReturnType.QUERY_RESULT) {
    const changed = result.returnType === api.ResultReturnType.CHANGED_ROWS;
    return { kind: "count", affectedRows: changed ? result.rowsChanged : 0 };
  }
  const spend = rowBudget(bounds.rowBytesMax);
  const read = valueReader(api, spend);
  const columns = result.columnNames();
  const types = result.columnTypes();
  const rows: Row[] = [];
  for await (const chunk of result.yieldRows()) {
    const ended = bounds.deadline.ended();
    if (ended !== undefined) throw ended;
    for (const row of chunk) {
      rows.push(types.map((type, index) => read(row[index] ?? null, type)));
    }
  }
  return { kind: "rows", columns, rows };
}

const transient = /Conflict on|Could not set lock|transaction conflict|write-write conflict/i;

/**
 * A DuckDB error by its own name for it, such as `Catalog Error`; lock and write conflicts may
 * pass.
 */
export function duckdbFailure(error: unknown): ToolFailure {
  const text = error instanceof Error ? error.message : String(error);
  const message = text.replace(/^Failed to \w+ \w+: /, "").slice(0, errorMessageCharsMax);
  const code = /^([A-Za-z]+(?: [A-Za-z]+)*) (?:Error|Exception):/.exec(message)?.[0].slice(0, -1);
  return new ToolFailure(
    {
      kind: "duckdb",
      message,
      retryable: transient.test(text),
      ...(code === undefined ? {} : { code }),
    },
    { cause: error },
  );
}
