// What a page of a list takes among a million executions, by each filter and far from its beginning,
// on PostgreSQL over a connection of its own.

import { sqlEventLog } from "#control/store/event-log";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { catalogId, executionId } from "#core/model/ids";
import type { ExecutionFilter } from "#core/ports/event-log";
import { type Measurement, median } from "#scripts/bench-figure";
import { startPostgres } from "#tests/support/postgres";

const executions = 1_000_000;
/** Written by one statement, whose time is bounded. */
const partRows = 20_000;
const tenant = "default";

/** Four hundred paths; of one in fifty another tenant, of one in a thousand a parent. */
const fillSql = `insert into noetl.execution (execution_id, head, digest, catalog_id, path, version,
  parent_id, status, started_at, tenant)
select 1000000000 + n, 3, '\\x00', 1000 + n % 400, 'team' || n % 20 || '/book' || n % 400, 1,
  case when n % 1000 = 0 then 7 + n % 9000 / 1000 end,
  case when n % 997 = 0 then 'running' when n % 101 = 0 then 'failed'
    when n % 5003 = 0 then 'cancelled' else 'completed' end,
  now(), case when n % 50 = 0 then 'acme' else '${tenant}' end
from generate_series($1::integer, $2::integer) n`;

const before = executionId(String(1_000_000_000 + executions / 20));
const from = executionId(String(1_000_000_000 + executions / 2));
const filters: readonly Omit<ExecutionFilter, "limit">[] = [
  {},
  { before },
  { status: "running" },
  { status: "cancelled", before },
  { status: ["failed", "cancelled"] },
  { path: "team3/book23" },
  { path: "team3/book23", status: "failed", before },
  { path: "team3/nothing" },
  { pathPrefix: "team3/" },
  { pathPrefix: "team3/", status: "failed", before },
  { pathPrefix: "team" },
  { catalogId: catalogId("1023"), status: "completed" },
  { parentId: executionId("9"), status: "completed" },
  { from, before: executionId(String(1_000_000_000 + executions / 2 + 100)) },
];

/** The slowest filter's middle one of many pages of a hundred, in milliseconds. */
async function slowest(sql: Sql): Promise<number> {
  const log = sqlEventLog(sql);
  const each: number[] = [];
  for (const filter of filters) {
    const tookMs: number[] = [];
    for (let n = -2; n < 11; n++) {
      const at = performance.now();
      await log.executions({ tenant, ...filter, limit: 100 });
      if (n >= 0) tookMs.push(performance.now() - at);
    }
    each.push(median(tookMs));
  }
  return Math.max(...each);
}

async function take(quick: boolean): Promise<readonly number[]> {
  const server = await startPostgres({ settings: ["shared_buffers=512MB"] });
  const sql = openPostgres(server.url, { connections: 1 });
  try {
    await migrate(sql);
    const count = quick ? executions / 50 : executions;
    for (let n = 0; n < count; n += partRows) await sql.query(fillSql, [n + 1, n + partRows]);
    await sql.query("analyze noetl.execution");
    return [await slowest(sql)];
  } finally {
    await sql.close();
    await server.stop();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "page of 100 of 1,000,000 executions, slowest filter, p50",
        unit: "ms",
        target: 50,
        better: "lower",
      },
    ],
    runs: 3,
    take,
  },
];
