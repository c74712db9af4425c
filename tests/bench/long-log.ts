// A process of its own, started by hand: whether a log of millions of events is appended to as fast
// as an empty one, and how long a replica takes to be of use over it.
//
//   bun tests/bench/long-log.ts [million events]

import type { Sql } from "#control/store/sql";
import { type DistributedHouse, startDistributed } from "./bench-house.ts";
import { chainText } from "./bench-plans.ts";

const chainSteps = 10;
const eventsPerExecution = 44;
const executionsPerFill = 5_000;
const runsMeasured = 3_000;
const lanes = 64;

/** Ended executions of ten steps, with events of the usual length, in this month's partition. */
const fillSql = `
with ids as (
  select $1::float8::bigint + n * 4096::bigint as id from generate_series(1, ${executionsPerFill}) n),
heads as (
  insert into noetl.execution (execution_id, head, digest, catalog_id, path, version, status,
    started_at, ended_at, current_step)
  select id, ${eventsPerExecution}, sha256(id::text::bytea), 1, 'chain', 1, 'completed', now(),
    now(), 'step_9' from ids)
insert into noetl.event (execution_id, seq, event_id, type, step, payload, digest)
select id, seq, id + seq, 'step.exit', 'step_' || (seq / 4),
  json_build_object('execution_id', id::text, 'seq', seq, 'event_id', (id + seq)::text,
    'time', 1795345077139, 'schema_version', 1, 'type', 'step.exit', 'step', 'step_' || (seq / 4),
    'visit', 1, 'status', 'completed', 'pad', repeat('x', 120)),
  sha256((id + seq)::text::bytea)
from ids cross join generate_series(1, ${eventsPerExecution}) seq`;

async function fill(sql: Sql, events: number): Promise<void> {
  // The first milliseconds of this month: no id that is minted now is among them.
  const [row] = await sql.query<{ start: number }>(
    "select noetl.event_partition_start(date_trunc('month', now() at time zone 'utc'))::float8 as start",
  );
  let next = row?.start ?? 0;
  for (let filled = 0; filled < events; filled += executionsPerFill * eventsPerExecution) {
    await sql.query(fillSql, [next]);
    next += executionsPerFill * 4_096;
  }
  for (const table of ["event", "execution"]) await sql.query(`vacuum analyze noetl.${table}`);
  await sql.query("checkpoint");
}

/** Steps a second with so many chains in flight; the median of three. */
async function rate(house: DistributedHouse): Promise<number> {
  const rates: number[] = [];
  for (let time = 0; time < 3; time++) {
    let left = runsMeasured / 3;
    const beganMs = performance.now();
    const lane = async (): Promise<void> => {
      while (left-- > 0) await house.run("chain");
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    const seconds = (performance.now() - beganMs) / 1_000;
    rates.push(((runsMeasured / 3) * chainSteps) / seconds);
  }
  return rates.sort((left, right) => left - right)[1] ?? 0;
}

/** Until another replica answers, and until it lists executions. */
async function coldStart(house: DistributedHouse): Promise<number> {
  const beganMs = performance.now();
  const member = await house.cluster.startControl();
  const response = await fetch(`${house.cluster.urls.at(-1)}/api/executions?limit=50`);
  if (!response.ok) throw new Error(`the new replica answers ${response.status}`);
  await response.text();
  const tookMs = performance.now() - beganMs;
  await member.stop();
  return tookMs;
}

async function main(millions: number): Promise<void> {
  const house = await startDistributed();
  try {
    await house.register(chainText(chainSteps));
    await rate(house);
    const empty = await rate(house);
    const started = await coldStart(house);
    console.log(`nearly empty: ${empty.toFixed(0)} steps/s, cold start ${started.toFixed(0)} ms`);
    const beganMs = performance.now();
    await fill(house.sql, millions * 1_000_000);
    console.log(`filled in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s`);
    await rate(house);
    const full = await rate(house);
    const later = await coldStart(house);
    const share = ((full / empty) * 100).toFixed(0);
    console.log(
      `${millions} million events: ${full.toFixed(0)} steps/s (${share} %), cold start ${later.toFixed(0)} ms`,
    );
  } finally {
    await house.close();
  }
}

await main(Number(process.argv[2] ?? 10));
