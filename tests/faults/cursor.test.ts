// A queue that is drained by workers who are killed while they drain it, and by a control plane that
// goes and comes back: every row is done, and no row was ever in two frames.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { type Cluster, startCluster } from "#scripts/cluster";
import { stormRandom } from "#scripts/storm-random";

const rows = 20_000;
const kills = 6;
const limitMs = 240_000;

let cluster: Cluster;
let jobs: Sql;
let log: Sql;

beforeAll(async () => {
  cluster = await startCluster({ controls: 1, workers: 4, slots: 4, credential: "jobs" });
  log = openPostgres(cluster.postgres.url, { connections: 1 });
  jobs = openPostgres(cluster.postgres.url.replace(/\/[^/]*$/, "/jobs"), { connections: 1 });
  await jobs.query("create table queue (id int primary key, state text not null, frame text)");
  await jobs.query("create index on queue (id) where state = 'new'");
  await jobs.query("create table effects (row_id int primary key, n int not null)");
  await jobs.query(`insert into queue select generate_series(1, ${rows}), 'new'`);
}, limitMs);
afterAll(async () => {
  await Promise.all([jobs?.close(), log?.close()]);
  await cluster?.close();
}, limitMs);

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: drain, path: faults/drain}
workflow:
- step: drain
  loop:
    cursor:
      kind: postgres
      auth: jobs
      claim: >-
        WITH mine AS (SELECT id FROM queue WHERE frame = '{{ __frame_key }}' AND state <> 'done'),
        fresh AS (SELECT id FROM queue WHERE state = 'new' AND NOT EXISTS (SELECT FROM mine)
          ORDER BY id FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }})
        UPDATE queue q SET state = 'taken', frame = '{{ __frame_key }}'
        FROM (SELECT id FROM mine UNION ALL SELECT id FROM fresh) c
        WHERE q.id = c.id RETURNING q.id
    iterator: row
    spec: {mode: cursor, max_in_flight: 8, frame: {max_rows: 100, row_concurrency: 4}}
  tool:
    kind: postgres
    auth: jobs
    command: >-
      WITH e AS (INSERT INTO effects VALUES ({{ row.id }}, 1)
        ON CONFLICT (row_id) DO UPDATE SET n = effects.n + 1)
      UPDATE queue SET state = 'done' WHERE id = {{ row.id }}
`;

const one = async <Row>(sql: Sql, text: string): Promise<Row> => {
  const [row] = await sql.query<Row>(text);
  if (row === undefined) throw new Error(`no row came of ${text}`);
  return row;
};

const statusOf = async (id: string): Promise<string> =>
  (
    await one<{ status: string }>(
      log,
      `select status from noetl.execution where execution_id = ${id}`,
    )
  ).status;

test(
  "every row of the queue is done, and each was in one frame",
  async () => {
    const client: ApiClient = apiClient({
      fetch: (request) => fetch(request),
      baseUrl: cluster.urls[0] ?? "",
    });
    await client.registerCatalog({ body: { content: playbook } });
    const { execution_id: id } = await client.execute({ body: { path: "faults/drain" } });
    await disasters(id);
    while ((await statusOf(id)) === "running") await Bun.sleep(100);

    expect(await statusOf(id)).toBe("completed");
    expect(await jobs.query("select state, count(*)::int as rows from queue group by 1")).toEqual([
      { state: "done", rows },
    ]);
    expect(await one(jobs, "select count(*)::int as rows from effects")).toEqual({ rows });
    const claimed = await log.query<{ rows: number; ids: number }>(
      `select count(*)::int as rows, count(distinct r.id)::int as ids from noetl.event e,
         json_to_recordset(e.payload->'rows') as r(id int)
       where e.execution_id = ${id} and e.type = 'cursor.claimed'`,
    );
    expect(claimed).toEqual([{ rows, ids: rows }]);
    const [reissued] = await log.query<{ again: number }>(
      `select count(*)::int as again from noetl.event
       where execution_id = ${id} and type = 'command.reissued'`,
    );
    expect(reissued?.again).toBeGreaterThan(0);
    const { executions } = await client.verify({ query: { execution_id: id } });
    expect(executions).toMatchObject([{ problems: [] }]);
  },
  limitMs,
);

/** Kills a worker each time so many rows more are done, and the control plane once on the way. */
async function disasters(id: string): Promise<void> {
  const chance = stormRandom(20_261_122);
  for (let kill = 1; kill <= kills; kill++) {
    const due = Math.floor((rows * kill) / (kills + 2));
    for (;;) {
      const { done } = await one<{ done: number }>(
        jobs,
        "select count(*)::int as done from queue where state = 'done'",
      );
      if (done >= due || (await statusOf(id)) !== "running") break;
      await Bun.sleep(20);
    }
    if (kill === 3) {
      await cluster.controls.at(-1)?.kill();
      await cluster.restartControl(0);
    }
    const living = cluster.workers.slice(-4);
    await living[chance.int(living.length)]?.kill();
    await cluster.startWorker();
  }
}
