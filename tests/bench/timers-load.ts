// A process of its own, started by hand: many executions that wait on timers which fall due evenly
// over a minute. How late they wake up, and what waiting costs the control plane in memory.
//
//   bun tests/bench/timers-load.ts [executions]

import { residentBytesOf } from "#scripts/process-usage";
import { type DistributedHouse, startDistributed } from "./bench-house.ts";
import { playbookText } from "./bench-plans.ts";

const windowS = 60;
/** Starts so many a second, at least; the last is due a little after all have started. */
const startsPerSecond = 1_200;
const lanes = 64;
const megabyte = 1_000_000;

/** It fails when it has waited, for its attempts are used up then: what counts is when it woke. */
const waitText = (delayS: number): string =>
  playbookText(
    `wait_${delayS}`,
    `- step: start
  tool:
    kind: noop
    spec:
      policy:
        rules:
          - when: "{{ output.status == 'ok' }}"
            then: {do: retry, attempts: 2, delay: ${delayS}}`,
  );

interface Lateness {
  readonly woken: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const latenessSql = `with waits as (
  select execution_id, min((payload->>'due')::float8) filter (where type = 'command.yielded') as due,
    min((payload->>'time')::float8) filter (where type = 'command.reissued') as woken
  from noetl.event where type in ('command.yielded', 'command.reissued') group by execution_id)
select count(woken)::integer as woken,
  percentile_cont(0.5) within group (order by woken - due) as p50,
  percentile_cont(0.99) within group (order by woken - due) as p99,
  max(woken - due) as max from waits where woken is not null`;

async function startAll(house: DistributedHouse, count: number): Promise<number> {
  const leadS = Math.ceil(count / startsPerSecond) + 5;
  for (let delayS = 5; delayS <= leadS + windowS; delayS++) await house.register(waitText(delayS));
  const beganMs = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const dueS = leadS + (next++ / count) * windowS;
      const delayS = Math.max(5, Math.round(dueS - (performance.now() - beganMs) / 1_000));
      await house.client.execute({ body: { path: `wait_${delayS}` } });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return (performance.now() - beganMs) / 1_000;
}

async function main(count: number): Promise<void> {
  const house = await startDistributed();
  try {
    await startAll(house, 500);
    await Bun.sleep(2_000);
    const memory = (): number =>
      house.cluster.controls.reduce((sum, { pid }) => sum + residentBytesOf(pid), 0) / megabyte;
    const before = memory();
    const tookS = await startAll(house, count);
    console.log(`${count} started in ${tookS.toFixed(1)} s, memory ${before.toFixed(0)} MB`);
    let most = memory();
    for (;;) {
      await Bun.sleep(2_000);
      most = Math.max(most, memory());
      const [row] = await house.sql.query<Lateness>(latenessSql);
      if (row === undefined || row.woken < count) continue;
      const grown = (most - before).toFixed(0);
      const [p50, p99, max] = [row.p50, row.p99, row.max].map(Math.round);
      console.log(
        `memory grew by ${grown} MB; late by p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`,
      );
      return;
    }
  } finally {
    await house.close();
  }
}

await main(Number(process.argv[2] ?? 100_000));
