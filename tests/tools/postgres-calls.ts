// Calls of the postgres tool against a scratch server of the test file's own.

import { afterAll, beforeAll } from "bun:test";

import type { Json, JsonObject } from "#core/model/json";
import { postgresBin } from "#scripts/system-packages";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { objectData, toolContext } from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { postgresTool } from "#worker/tools/postgres";

const startMsMax = 60_000;

/** False where PostgreSQL is not installed: the tests that need it are skipped and say so. */
export const postgresAvailable = postgresBin() !== undefined;

/** Starts the server before the file's tests, and stops it and the tool after them. */
export function postgresCalls() {
  const tool = postgresTool();
  let started: ScratchPostgres | undefined;
  beforeAll(async () => {
    if (postgresAvailable) started = await startPostgres();
  }, startMsMax);
  afterAll(async () => {
    await tool.close?.();
    await started?.stop();
  }, startMsMax);

  const server = (): ScratchPostgres => {
    if (started === undefined) throw new Error("expected a running server");
    return started;
  };
  const context = (overrides: Parameters<typeof toolContext>[0] = {}) => {
    const { host, port, user, database } = server();
    const data = {
      db_host: host,
      db_port: String(port),
      db_user: user,
      db_password: "pa55-w0rd",
      db_name: database,
    };
    return toolContext({
      credentials: { pg: { name: "pg", type: "postgres", data } },
      ...overrides,
    });
  };
  const outcome = (config: JsonObject, inContext = context()) =>
    outcomeOf(tool, { auth: "pg", ...config }, inContext);
  const failure = (config: JsonObject, inContext = context()) =>
    failureOf(tool, { auth: "pg", ...config }, inContext);
  const run = async (config: JsonObject, inContext = context()): Promise<JsonObject> => {
    const output = await outcome(config, inContext);
    if (output.status === "error") throw new Error(output.error?.message);
    return objectData(output.data);
  };
  const rows = async (command: string, params: readonly Json[] = []): Promise<Json> =>
    (await run({ command, params }))["rows"] ?? null;
  const value = async (expression: string, params: readonly Json[] = []) => {
    const [row] = (await rows(`SELECT ${expression} AS v`, params)) as readonly Json[];
    return objectData(row)["v"];
  };
  /** How many other sessions run a statement that holds this mark. */
  const running = async (mark: string): Promise<number> => {
    const sql = `count(*) from pg_stat_activity where state = 'active'
      and pid <> pg_backend_pid() and query like $1`;
    return Number(await value(`(select ${sql})`, [`%${mark}%`]));
  };
  const untilRunning = async (mark: string, count: number): Promise<void> => {
    while ((await running(mark)) !== count) await Bun.sleep(5);
  };
  return { tool, server, context, outcome, failure, run, rows, value, running, untilRunning };
}
