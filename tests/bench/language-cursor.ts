// How fast a cursor loop goes through a queue in PostgreSQL: frames of a hundred rows, a body that
// does nothing, four workers.

import type { Measurement } from "#scripts/bench-figure";
import { type DistributedHouse, startDistributed } from "./bench-house.ts";
import { playbookText } from "./bench-plans.ts";

const rows = 100_000;
const quickRows = 2_000;
const warmRows = 2_000;
const framesAtOnce = 8;

const drain = playbookText(
  "drain",
  `- step: start
  loop:
    cursor:
      kind: postgres
      auth: bench_pg
      claim: |
        WITH c AS (
          SELECT id FROM queue WHERE state = 'new'
          ORDER BY id FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }})
        UPDATE queue q SET state = 'taken', frame = '{{ __frame_key }}'
        FROM c WHERE q.id = c.id RETURNING q.id
    iterator: row
    spec: {mode: cursor, max_in_flight: ${framesAtOnce}, frame: {max_rows: 100, row_concurrency: 100}}
  tool: {kind: noop}`,
);

async function fill({ target }: DistributedHouse, count: number): Promise<void> {
  await target.query("drop table if exists queue");
  await target.query("create table queue (id bigint primary key, state text not null, frame text)");
  await target.query("create index queue_new on queue (id) where state = 'new'");
  await target.query(`insert into queue select n, 'new' from generate_series(1, ${count}) n`);
  await target.query("analyze queue");
}

/** Drains a queue of so many rows; by the times of the log, in milliseconds. */
async function drainedMs(house: DistributedHouse, count: number): Promise<number> {
  await fill(house, count);
  await house.run("drain");
  const [left] = await house.target.query<{ count: number }>(
    "select count(*)::float8 as count from queue where state = 'new'",
  );
  if (left?.count !== 0) throw new Error(`expected an empty queue, found ${left?.count} rows`);
  const [log] = await house.sql.query<{ ms: number; success: number }>(
    `select d.at - e.at as ms, d.success from
       (select (payload->>'time')::float8 as at, execution_id from noetl.event
          where type = 'step.enter' and step = 'start' order by execution_id desc limit 1) e
       join (select (payload->>'time')::float8 as at, execution_id,
          (payload->'stats'->>'success')::float8 as success from noetl.event
          where type = 'loop.done') d using (execution_id)`,
  );
  if (log?.success !== count) throw new Error(`expected ${count} rows, found ${log?.success}`);
  return log.ms;
}

async function rowsPerSecond(quick: boolean): Promise<number> {
  const house = await startDistributed({ workers: 4, slots: 16 });
  try {
    await house.register(drain);
    if (!quick) await drainedMs(house, warmRows);
    const count = quick ? quickRows : rows;
    return (count / (await drainedMs(house, count))) * 1_000;
  } finally {
    await house.close();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "rows of a cursor loop, no-op body",
        unit: "rows/s",
        target: 5_000,
        better: "higher",
      },
    ],
    runs: 3,
    take: async (quick) => [await rowsPerSecond(quick)],
  },
];
