// A stand-in for Snowflake's service, as far as its own client needs one: sessions, and statements
// that are answered by their text. It is not the real service, and nothing here says how that is.

import { gunzipSync } from "node:zlib";
import type { Json, JsonObject } from "#core/model/json";

export interface SnowflakeSeen {
  readonly path: string;
  readonly body: JsonObject;
}

export interface TestSnowflake {
  readonly url: string;
  readonly seen: SnowflakeSeen[];
  /** Sessions that were begun and not ended. */
  open(): number;
  stop(): Promise<void>;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly scale?: number;
}

const sessionParameters = {
  CLIENT_TELEMETRY_ENABLED: false,
  TIMEZONE: "UTC",
  BINARY_OUTPUT_FORMAT: "HEX",
  DATE_OUTPUT_FORMAT: "YYYY-MM-DD",
  TIME_OUTPUT_FORMAT: "HH24:MI:SS",
  TIMESTAMP_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
  TIMESTAMP_NTZ_OUTPUT_FORMAT: "YYYY-MM-DD HH24:MI:SS.FF3",
  TIMESTAMP_LTZ_OUTPUT_FORMAT: "",
  TIMESTAMP_TZ_OUTPUT_FORMAT: "",
  CLIENT_RESULT_PREFETCH_THREADS: 1,
};

const table: { readonly columns: readonly Column[]; readonly rows: readonly Json[] } = {
  columns: [
    { name: "ID", type: "fixed", scale: 0 },
    { name: "PRICE", type: "fixed", scale: 2 },
    { name: "RATIO", type: "real" },
    { name: "TAGS", type: "variant" },
    { name: "DAY", type: "date" },
    { name: "AT", type: "timestamp_ntz", scale: 9 },
    { name: "OK", type: "boolean" },
    { name: "NOTE", type: "text" },
    { name: "NOTE", type: "text" },
    { name: "RAW", type: "binary" },
    { name: "OBJ", type: "object" },
    { name: "ARR", type: "array" },
  ],
  rows: [
    [
      "1",
      "12.50",
      "1.5",
      '{"a": [1, 2]}',
      "19000",
      "1700000000.123456789",
      "1",
      "x",
      "y",
      "ABCD",
      "{}",
      "[1]",
    ],
    [
      "12345678901234567890",
      "12345678901234567.89",
      "NaN",
      "Function('return 1')()",
      null,
      null,
      "0",
      null,
      "",
      null,
      "Function('return 1')()",
      "Function('return 1')()",
    ],
  ],
};

const parameters = Object.entries(sessionParameters).map(([name, value]) => ({ name, value }));

export interface TestSnowflakeOptions {
  readonly password: string;
  /** Answers in place of the stand-in's own, by where they were asked for; undefined leaves its own. */
  readonly instead?: (path: string) => Response | undefined;
}

export function startSnowflake({ password, instead }: TestSnowflakeOptions): TestSnowflake {
  const seen: SnowflakeSeen[] = [];
  let open = 0;
  const logIn = ({ data }: JsonObject): Response => {
    const given = data as JsonObject;
    const isKnown = given["PASSWORD"] === password || given["AUTHENTICATOR"] === "SNOWFLAKE_JWT";
    if (!isKnown) return failed("390100", "Incorrect username or password was specified.");
    open++;
    const names = { databaseName: "D", schemaName: "S", warehouseName: "W", roleName: "R" };
    const tokens = { token: "token", masterToken: "master", validityInSeconds: 3_600 };
    return done({ ...tokens, sessionId: 1, parameters, sessionInfo: names });
  };
  const query = ({ sqlText }: JsonObject): Response | Promise<Response> => {
    const text = String(sqlText);
    if (text.includes("hangs")) return new Promise(() => undefined);
    if (text.includes("broken")) return failed("002003", "Object 'BROKEN' does not exist", "02000");
    if (text.includes("insert")) {
      const inserted = { name: "number of rows inserted", type: "fixed", scale: 0 };
      return result({ columns: [inserted], rows: [["3"]], statementTypeId: 0x3100 });
    }
    return result({ ...table, statementTypeId: 0x1000 });
  };
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const body = await bodyOf(request);
      seen.push({ path: pathname, body });
      const other = instead?.(pathname);
      if (other !== undefined) return other;
      if (pathname === "/session/v1/login-request") return logIn(body);
      if (pathname === "/queries/v1/query-request") return query(body);
      if (pathname === "/session" && searchParams.get("delete") === "true") open--;
      return done({});
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    seen,
    open: () => open,
    stop: () => server.stop(true),
  };
}

async function bodyOf(request: Request): Promise<JsonObject> {
  const bytes = Buffer.from(await request.arrayBuffer());
  if (bytes.length === 0) return {};
  const plain = request.headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes;
  // The client sends JSON.
  return JSON.parse(plain.toString()) as JsonObject;
}

function done(data: JsonObject): Response {
  return Response.json({ success: true, code: null, message: null, data });
}

function failed(code: string, message: string, sqlState?: string): Response {
  return Response.json({ success: false, code, message, data: { sqlState: sqlState ?? null } });
}

interface Rows {
  readonly columns: readonly Column[];
  readonly rows: readonly Json[];
  readonly statementTypeId: number;
}

function result({ columns, rows, statementTypeId }: Rows): Response {
  const rowtype = columns.map((column) => ({ nullable: true, precision: 38, ...column }));
  return done({
    queryId: crypto.randomUUID(),
    sqlState: "00000",
    queryResultFormat: "json",
    parameters,
    total: rows.length,
    returned: rows.length,
    statementTypeId,
    rowtype,
    rowset: rows,
  });
}
