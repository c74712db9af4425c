// Calls of the transfer tool between scratch systems of the test file's own: a PostgreSQL server
// and a folder of files, with the duckdb tool to look into databases.

import { afterAll, afterEach, beforeAll } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Json, JsonObject } from "#core/model/json";
import {
  objectData,
  type TestToolContext,
  type ToolContextOverrides,
  toolContext,
} from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { postgresAvailable, postgresCalls } from "#tests/tools/postgres-calls";
import { duckdbTool } from "#worker/tools/duckdb";
import { transferTool } from "#worker/tools/transfer";

export { postgresAvailable };

export function transferCalls() {
  const postgres = postgresCalls();
  const tool = transferTool();
  const duckdb = duckdbTool();
  let root = "";
  let contexts: TestToolContext[] = [];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "noetl-transfer-test-"));
  });
  afterEach(async () => {
    for (const context of contexts) await context.closeResources();
    contexts = [];
  });
  afterAll(async () => {
    await tool.close?.();
    await rm(root, { recursive: true });
  });

  /** A command's context: the credential `pg`, and one folder. */
  const context = (overrides: ToolContextOverrides = {}): TestToolContext => {
    const { host, port, user, database } = postgres.server();
    const data = { db_host: host, db_port: port, db_user: user, db_name: database };
    const made = toolContext({
      credentials: { pg: { name: "pg", type: "postgres", data } },
      policy: { shell: false, fileRoots: [root] },
      timeoutMs: 120_000,
      ...overrides,
    });
    contexts.push(made);
    return made;
  };
  const transfer = async (config: JsonObject, inContext = context()): Promise<JsonObject> => {
    const output = await outcomeOf(tool, config, inContext);
    if (output.status === "error") throw new Error(JSON.stringify(output.error));
    return objectData(output.data);
  };
  const failure = (config: JsonObject, inContext = context()) => failureOf(tool, config, inContext);
  const sql = (command: string): Promise<Json> => postgres.rows(command);
  const duck = async (command: string, inContext = context()): Promise<Json> => {
    const output = await outcomeOf(duckdb, { command, database: "data.duckdb" }, inContext);
    if (output.status === "error") throw new Error(JSON.stringify(output.error));
    const rows = objectData(output.data)["rows"] ?? null;
    await inContext.closeResources();
    return rows;
  };
  const file = (name: string): string => join(root, name);
  return {
    tool,
    context,
    transfer,
    failure,
    sql,
    duck,
    file,
    write: (name: string, content: string | Uint8Array) => writeFile(file(name), content),
    read: (name: string) => readFile(file(name), "utf8"),
    server: postgres.server,
  };
}
