// Lists of executions on PostgreSQL read no table from end to end, whatever is asked for.
import { beforeAll, describe, expect, test } from "bun:test";
import { listStatement } from "#control/store/execution-lists";
import type { Sql } from "#control/store/sql";
import { catalogId, executionId } from "#core/model/ids";
import type { ExecutionFilter } from "#core/ports/event-log";
import { postgresWorld } from "./postgres-world.ts";

const database = postgresWorld();
const rows = 20_000;

/** Two tenants, forty paths, all statuses; ids rise with time. */
const fillSql = `insert into noetl.execution (execution_id, head, digest, catalog_id, path, version,
  parent_id, status, started_at, tenant)
select 1000000 + n, 3, '\\x00', 100 + n % 40, 'team' || n % 4 || '/book' || n % 40, 1,
  case when n % 100 = 0 then 7 end,
  (array['running', 'completed', 'failed', 'cancelled'])[1 + (n / 7) % 4], now(),
  case when n % 5 = 0 then 'acme' else 'default' end
from generate_series(1, $1::integer) n`;

const base: Omit<ExecutionFilter, "limit"> = { tenant: "default" };
const filters: readonly (readonly [string, Omit<ExecutionFilter, "limit">])[] = [
  ["nothing", base],
  ["a status", { ...base, status: "failed" }],
  ["several statuses", { ...base, status: ["failed", "running"] }],
  ["a path", { ...base, path: "team1/book5" }],
  ["a path and a status", { ...base, path: "team1/book5", status: "failed" }],
  ["a path that there isn't", { ...base, path: "nowhere" }],
  ["the beginning of a path", { ...base, pathPrefix: "team1/" }],
  ["the beginning of a path and a status", { ...base, pathPrefix: "team1/", status: "failed" }],
  ["a catalog entry", { ...base, catalogId: catalogId("105") }],
  ["a parent", { ...base, parentId: executionId("7") }],
  ["a time", { ...base, from: executionId("1010000"), before: executionId("1010100") }],
  ["an id to go on from", { ...base, before: executionId("1000500") }],
];

describe("a list of executions by", () => {
  let sql: Sql | undefined;
  const opened = (): Sql => {
    if (sql === undefined) throw new Error("expected the hooks to have run");
    return sql;
  };
  beforeAll(async () => {
    sql = await database.openCopy();
    await sql.query(fillSql, [rows]);
    await sql.query("analyze noetl.execution");
  }, 60_000);

  for (const [name, filter] of filters) {
    test(`${name} reads only from indexes, and little more than it shows`, async () => {
      const { text, values } = listStatement("x.execution_id as id_number", {
        ...filter,
        limit: 50,
      });
      const plan = await opened().query<{ "QUERY PLAN": string }>(
        `explain (analyze, buffers, timing off) ${text}`,
        values,
      );
      const lines = plan.map((line) => line["QUERY PLAN"]);
      expect(lines.join("\n")).not.toContain("Seq Scan on execution");
      expect(lines.join("\n")).not.toContain("Seq Scan on noetl.execution");
      const [, hits = "0"] = /Buffers: shared hit=(\d+)/.exec(lines.join("\n")) ?? [];
      expect(Number(hits)).toBeLessThan(filter.pathPrefix === undefined ? 1_500 : 5_000);
    });
  }

  test("several pages gives each once, newest first", async () => {
    const seen: bigint[] = [];
    for (let before: string | undefined; ; ) {
      const { text, values } = listStatement(
        "x.execution_id::text as id, x.execution_id as id_number",
        {
          ...base,
          pathPrefix: "team1/book5",
          ...(before === undefined ? {} : { before: executionId(before) }),
          limit: 60,
        },
      );
      const page = await opened().query<{ id: string }>(text, values);
      seen.push(...page.map(({ id }) => BigInt(id)));
      before = page.at(-1)?.id;
      if (page.length < 60) break;
    }
    const [counted] = await opened().query<{ n: number }>(
      "select count(*)::integer as n from noetl.execution where tenant = 'default' and path like 'team1/book5%'",
    );
    expect(seen).toHaveLength(counted?.n ?? -1);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => (a < b ? 1 : -1)));
  });
});
