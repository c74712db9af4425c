// A session with Snowflake through its own client: log in, statements one by one, log out. The
// client writes no log, keeps no state between calls, and evaluates nothing that the server sends.
// It throws where nobody can catch it, so all of this runs in a process of its own.

import type { Connection, RowStatement, SnowflakeError } from "snowflake-sdk";
import { messageOf } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { errorMessageCharsMax, resultBytesMax } from "#core/model/limits";
import type { Failure } from "#core/model/outcome";
import { snowflakeGoodbyeMs, snowflakeLoginMs } from "#core/model/run-tool-limits";
import { redactor } from "./auth.ts";
import type { Bind, SnowflakeAccount, SnowflakeCall } from "./snowflake-config.ts";
import { type ColumnKind, snowflakeValue } from "./snowflake-values.ts";
import { rowBudget } from "./sql-call.ts";
import { ToolFailure } from "./tool.ts";

/** When the call is over, whatever it has come to. */
export interface SessionEnd {
  readonly signal: AbortSignal;
  /** Why it is over, once it is. */
  ended(): ToolFailure | undefined;
}

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
  /** What the server says a statement changed, where it says so. */
  readonly affectedRows: number | undefined;
}

type Sdk = typeof import("snowflake-sdk");

let loaded: Promise<Sdk> | undefined;

async function sdk(): Promise<Sdk> {
  loaded ??= load();
  try {
    return await loaded;
  } catch (error) {
    loaded = undefined;
    throw new ToolFailure(
      {
        kind: "missing_program",
        message: "the client for Snowflake is not part of this installation",
        retryable: false,
      },
      { cause: error },
    );
  }
}

/** What the client looks for and reports beyond the calls themselves; it asks the environment. */
const switchedOff = [
  "SNOWFLAKE_DISABLE_MINICORE",
  "SNOWFLAKE_DISABLE_PLATFORM_DETECTION",
  "SF_TELEMETRY_DISABLE_CONNECTION_SHAPE",
];

async function load(): Promise<Sdk> {
  for (const name of switchedOff) process.env[name] ??= "true";
  const module = await import("snowflake-sdk");
  // It is a module of the older kind: what it exports stands under one name.
  const client = (module as Sdk & { readonly default?: Sdk }).default ?? module;
  const quiet = {
    logLevel: "OFF",
    logFilePath: "/dev/null",
    additionalLogToConsole: false,
  } as const;
  // Its own reading of a value runs what is no JSON as a program.
  const asWritten = (raw: string): string => raw;
  const parsers = { jsonColumnVariantParser: asWritten, xmlColumnVariantParser: asWritten };
  client.configure({ ...quiet, ...parsers });
  return client;
}

/** The results of all statements, in order. @throws ToolFailure for the first one that fails. */
export async function runSession(
  { account, statements, binds, secrets }: SnowflakeCall,
  deadline: SessionEnd,
): Promise<readonly StatementResult[]> {
  const client = await sdk();
  const redact = redactor(secrets);
  const failed = (error: unknown): ToolFailure => deadline.ended() ?? failureOf(error, redact);
  let connection: Connection | undefined;
  try {
    connection = client.createConnection(optionsOf(account));
    await orEnded(logIn(connection), deadline);
    const budget = rowBudget(resultBytesMax);
    const results: StatementResult[] = [];
    for (const text of statements) {
      results.push(await statementResult(connection, { text, binds, deadline, budget }));
    }
    return results;
  } catch (error) {
    throw failed(error);
  } finally {
    if (connection !== undefined) await logOut(connection);
  }
}

function optionsOf(account: SnowflakeAccount) {
  const { privateKey, ...rest } = account;
  return {
    ...rest,
    ...(privateKey === undefined ? {} : { authenticator: "SNOWFLAKE_JWT", privateKey }),
    application: "noetl",
    timeout: snowflakeLoginMs,
    sfRetryMaxLoginRetries: 1,
    clientSessionKeepAlive: false,
    rowMode: "array" as const,
    streamResult: true,
    representNullAsStringNull: false,
    // Everything as the server writes it: values are read here, exactly.
    fetchAsString: ["Number" as const, "Date" as const, "JSON" as const, "Buffer" as const],
  };
}

function logIn(connection: Connection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.connect((error) =>
      error === undefined || error === null ? resolve() : reject(error),
    );
  });
}

async function logOut(connection: Connection): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, snowflakeGoodbyeMs);
  });
  const ended = new Promise<void>((resolve) => {
    try {
      connection.destroy(() => resolve());
    } catch {
      // It was never up.
      resolve();
    }
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
}

interface StatementRun {
  readonly text: string;
  readonly binds: readonly Bind[] | undefined;
  readonly deadline: SessionEnd;
  readonly budget: (bytes: number) => void;
}

async function statementResult(
  connection: Connection,
  { text, binds, deadline, budget }: StatementRun,
): Promise<StatementResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RowStatement>();
  const running = connection.execute({
    sqlText: text,
    ...(binds === undefined ? {} : { binds }),
    complete: (error, statement) => (error ? reject(error) : resolve(statement)),
  });
  const cancel = (): void => running.cancel(() => undefined);
  deadline.signal.addEventListener("abort", cancel, { once: true });
  try {
    const done = await orEnded(promise, deadline);
    return await orEnded(rowsOf(done, budget), deadline);
  } finally {
    deadline.signal.removeEventListener("abort", cancel);
  }
}

async function rowsOf(
  statement: RowStatement,
  budget: (bytes: number) => void,
): Promise<StatementResult> {
  const columns = statement.getColumns() ?? [];
  const kinds = columns.map((column): ColumnKind => {
    if (column.isNumber()) return "number";
    const isJson = [column.isVariant(), column.isObject(), column.isArray(), column.isMap()];
    return isJson.includes(true) ? "json" : "other";
  });
  const rows: (readonly Json[])[] = [];
  for await (const row of statement.streamRows()) {
    // Rows are lists: that was asked for when the session began.
    const values = row as readonly unknown[];
    budget(values.reduce<number>((sum, value) => sum + String(value ?? "").length + 1, 0));
    rows.push(values.map((value, index) => snowflakeValue(value, kinds[index] ?? "other")));
  }
  const affected = statement.getNumUpdatedRows();
  return {
    columns: columns.map((column) => column.getName()),
    rows,
    affectedRows: affected === undefined || affected < 0 ? undefined : affected,
  };
}

/** The value, or the end of the call's time, whichever comes first. */
async function orEnded<Value>(work: Promise<Value>, deadline: SessionEnd): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(deadline.ended());
  if (deadline.signal.aborted) abort();
  deadline.signal.addEventListener("abort", abort, { once: true });
  // The loser of the race has nobody to hear it.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    deadline.signal.removeEventListener("abort", abort);
  }
}

/** The session is over or was never there: a new one may do better. */
const sessionCodes = new Set(["390112", "390114", "390111", "390195"]);

function failureOf(error: unknown, redact: (text: string) => string): ToolFailure {
  if (error instanceof ToolFailure) return error;
  if (isUnreadable(error)) return new ToolFailure(unreadable(error, redact), { cause: error });
  const { code, status, sqlState } = partsOf(error);
  return new ToolFailure(
    {
      kind: "snowflake",
      message: redact(messageOf(error)).slice(0, errorMessageCharsMax),
      retryable: sessionCodes.has(code ?? "") || (status ?? 0) >= 500 || isLineFault(error),
      ...(code === undefined ? {} : { code }),
      ...(sqlState === undefined ? {} : { details: { sqlstate: sqlState } }),
    },
    { cause: error },
  );
}

/** What the client says of itself, not of the server: it came upon what it did not expect. */
const clientBroke = "400001";
/** It could not connect, or could not make anything of what came. */
const clientUnheard = "401001";

function isUnreadable(error: unknown): boolean {
  const { code } = partsOf(error);
  if (code === clientBroke || error instanceof TypeError || error instanceof SyntaxError)
    return true;
  const message = messageOf(error);
  return message === "" || (code === clientUnheard && !lineFault.test(message));
}

/** As a line that broke: nobody knows how far the statement came. */
export function unreadable(error: unknown, redact: (text: string) => string): Failure {
  const [what, why] = ["the service's answer cannot be read", redact(messageOf(error))];
  return {
    kind: "snowflake",
    code: "bad_answer",
    message: (why === "" ? what : `${what}: ${why}`).slice(0, errorMessageCharsMax),
    retryable: true,
  };
}

function partsOf(error: unknown) {
  // What the client throws has these beside what every error has.
  const given = error as Partial<SnowflakeError> & { readonly code?: unknown };
  const status: unknown = given?.response?.["statusCode"] ?? given?.response?.["status"];
  return {
    code: given?.code === undefined || given.code === null ? undefined : String(given.code),
    status: typeof status === "number" ? status : undefined,
    sqlState: typeof given?.sqlState === "string" ? given.sqlState : undefined,
  };
}

const lineFault = /ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|timeout|network error|socket|certificate/i;

/** The server could not be reached: the client's own error, or that of the line below it. */
function isLineFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "NetworkError" || lineFault.test(`${error.name} ${messageOf(error)}`);
}
