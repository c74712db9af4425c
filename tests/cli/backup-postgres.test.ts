// A backup that is made of a PostgreSQL database while everybody goes on, and a database made of it.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { restoreBackup } from "#control/backup/restore";
import { writeBackup } from "#control/backup/write";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import { sqlStores } from "#control/store/stores";
import { postgresWorld } from "#tests/contract/postgres-world";
import { handWorker } from "#tests/support/hand-worker";
import { workplace } from "./noetl.ts";
import { worldOver } from "./world.ts";

setDefaultTimeout(60_000);
const place = workplace();
afterAll(() => place.remove());
const postgres = postgresWorld();

const chain = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: chain, path: t/chain}
workflow:
  - step: start
    tool: {kind: python, code: "result = 1"}
    next: {arcs: [{step: second}]}
  - step: second
    loop: {in: "{{ range(4) }}", iterator: n, spec: {mode: parallel}}
    tool: {kind: python, code: "result = n"}
    next: {arcs: [{step: third}]}
  - step: third
    tool: {kind: python, code: "result = 3"}
`;

test("is of one moment, whole, and goes on where it was made", async () => {
  const url = await postgres.newDatabase();
  const sql = openPostgres(url);
  await migrate(sql);
  const world = worldOver(sqlStores(sql));
  await world.client.registerCatalog({ body: { content: chain } });
  const worker = handWorker(world.client);
  let isLoading = true;
  const load = (async () => {
    while (isLoading) {
      await world.client.execute({ body: { path: "t/chain" } });
      await worker.settle(
        (await worker.claim(4)).map(({ command_id, attempt }) => {
          return { command_id, attempt, output: { status: "ok", data: 1 }, duration_ms: 1 };
        }),
      );
    }
  })();
  while ((await world.client.listExecutions({ query: {} })).length < 20) await Bun.sleep(1);

  const connection = openPostgres(url, { connections: 1 });
  const file = place.path("load.backup");
  const options = { file, version: "1.2.3", replaces: false, logs: true };
  const report = await writeBackup(connection, { ...options, at: new Date().toISOString() });
  await connection.close();
  isLoading = false;
  await load;
  await world.control.stop();
  expect(report.tables["execution"]).toBeGreaterThanOrEqual(20);

  const target = openPostgres(await postgres.newDatabase(), { connections: 1 });
  await restoreBackup(target, { file, pausesSchedules: false });
  const restored = worldOver(sqlStores(target));
  const rebuilt = await restored.client.rebuild({ body: { projections: true, limit: 500 } });
  expect(rebuilt.executions).toHaveLength(report.tables["execution"] ?? 0);
  expect(rebuilt.executions.flatMap(({ problems }) => problems)).toEqual([]);
  await restored.control.sweep.sweepOnce();
  await handWorker(restored.client, "w2").drain();
  for (const { execution_id: id } of rebuilt.executions) {
    expect(await restored.ended(id)).toBe("completed");
  }
  await restored.control.stop();
  await Promise.all([target.close(), sql.close()]);
});

/** Rows over many pages, by number and by size, with all that text may hold. */
const fillSql = [
  `insert into noetl.request_key (tenant, scope, key, execution_id, expires_at)
    select 't' || n % 3, E'sc"o\\\\pe\t' || n % 7, 'k' || n, n, '2030-01-01 00:00:00.123456+00'
    from generate_series(1, 5000) n`,
  `insert into noetl.result_store (ref, bytes, media_type)
    select 'r' || n, decode(repeat(md5(n::text), 10000), 'hex'), E'\u2028\n\u00fc'
    from generate_series(1, 16) n`,
  `insert into noetl.event (execution_id, seq, event_id, type, payload, digest)
    select (1100000000000 + n) << 22, 1, n, 'x', ('{"a":  1.0, "b":"\\u0041 ' || n || '"}')::json, ''
    from generate_series(1, 10) n`,
  `insert into noetl.event (execution_id, seq, event_id, type, payload, digest)
    values ((70000000000::bigint) << 22, 1, 1, 'x', '{"old": true}', '\\x00ff')`,
];
const digestSql = `select
  (select md5(string_agg(k::text, ',' order by k)) from noetl.request_key k) as keys,
  (select md5(string_agg(r::text, ',' order by r.ref)) from noetl.result_store r) as results,
  (select md5(string_agg(e.payload::text || e.digest::text, ',' order by e.execution_id))
    from noetl.event e) as events`;

test("has every row of every page, to the last character", async () => {
  const source = openPostgres(await postgres.newDatabase(), { connections: 1 });
  await migrate(source);
  for (const text of fillSql) await source.query(text);
  const file = place.path("pages.backup");
  const options = { file, version: "1.2.3", replaces: false, logs: false };
  const report = await writeBackup(source, { ...options, at: new Date().toISOString() });
  expect(report.tables).toMatchObject({ request_key: 5_000, result_store: 16, event: 11 });
  const target = openPostgres(await postgres.newDatabase(), { connections: 1 });
  await restoreBackup(target, { file, pausesSchedules: false });
  expect(await target.query(digestSql)).toEqual(await source.query(digestSql));
  // Events of a month long ago have a partition that retention can take; those of a clock far
  // ahead have none.
  const places = "select tableoid::regclass::text as place from noetl.event order by execution_id";
  const found = (await target.query<{ place: string }>(places)).map(({ place: name }) => name);
  expect(new Set(found)).toEqual(new Set(["noetl.event_2026_03", "noetl.event_default"]));
  await Promise.all([source.close(), target.close()]);
});

test("that is lost half-way leaves nothing behind", async () => {
  const source = await postgres.openCopy();
  const file = place.path("lost.backup");
  const options = { file, version: "1.2.3", replaces: false, logs: false };
  const connection = openPostgres(await postgres.newDatabase(), { connections: 1 });
  const writing = writeBackup(connection, { ...options, at: new Date().toISOString() });
  expect(writing).rejects.toThrow("no schema of noetl");
  await writing.catch(() => {});
  expect(await Bun.file(file).exists()).toBe(false);
  await connection.close();
  await source.close();
});
