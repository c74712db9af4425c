// A real server that refuses, only reads for a while, or is slow: what workers and clients are told,
// and that nothing is lost or recorded twice over it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { executionId } from "#core/model/ids";
import { settleOutcomesMax } from "#core/model/limits";
import { postgresWorld } from "#tests/contract/postgres-world";
import { eventually, sha256 } from "#tests/support/control";
import { done, type HandWorker, handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const server = postgresWorld();
let sql: Sql;
let control: Control;
let client: ApiClient;
let worker: HandWorker;

beforeAll(async () => {
  sql = await server.open();
  const clock = systemClock();
  const ports = { ...sqlStores(sql), bus: memoryBus(), clock, ids: snowflakeMint(clock, 3) };
  const credentials = async () => undefined;
  control = startControl(
    { ...ports, sha256, credentials, engineVersion: "0.0.0-test" },
    { access: openAccess(), report: () => {} },
  );
  client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  worker = handWorker(client);
  await client.registerCatalog({ body: { content: chain("t/one", 1) } });
}, 60_000);

afterAll(async () => {
  await control.stop();
  await sql.close();
});

const start = async () => {
  const { execution_id } = await client.execute({ body: { path: "t/one" } });
  return executionId(execution_id);
};

const statusOf = async (id: string) => (await client.executionStatus({ params: { id } })).status;

test("of a full batch the bad ones are told apart and the others land, whatever is wrong with them", async () => {
  await sql.query(`create function noetl.refuse() returns trigger language plpgsql as $$
    begin raise exception 'refused' using errcode = '23514'; end $$`);
  await sql.query(`create trigger refuse before insert on noetl.event for each row
    when (new.payload::text like '%poison%') execute function noetl.refuse()`);
  const ids = await Promise.all(Array.from({ length: settleOutcomesMax }, start));
  const commands = await worker.claim(settleOutcomesMax);
  expect(commands).toHaveLength(settleOutcomesMax);
  const [refused, stale, unknown, twice, ...good] = commands;
  if (!refused || !stale || !unknown || !twice) throw new Error("nothing was claimed");
  await worker.settle([done(twice)]);
  const { verdicts } = await worker.settle([
    done(refused, "poison"),
    done({ ...stale, attempt: 7 }),
    done({ ...unknown, command_id: `${unknown.execution_id}:no:1` as typeof unknown.command_id }),
    done(twice),
    ...good.map((command) => done(command)),
  ]);
  expect(verdicts.slice(0, 4)).toEqual(["accepted", "refused", "gone", "duplicate"]);
  expect(new Set(verdicts.slice(4))).toEqual(new Set(["accepted"]));
  expect(await statusOf(refused.execution_id)).toBe("FAILED");
  expect(await statusOf(stale.execution_id)).toBe("RUNNING");
  const ended = good.map(({ execution_id }) => statusOf(execution_id));
  expect(new Set(await Promise.all(ended))).toEqual(new Set(["COMPLETED"]));
  const { dead_letters } = await client.listDeadLetters({ query: {} });
  expect(dead_letters).toMatchObject([
    { command_id: refused.command_id, reason: "result_rejected" },
  ]);
  await worker.settle([done(stale), done(unknown)]);
  expect(ids).toHaveLength(settleOutcomesMax);
  await sql.query("drop trigger refuse on noetl.event");
}, 60_000);

/** Holds for every session a moment later. */
async function readOnly(value: "on" | "off"): Promise<void> {
  await sql.query(`alter system set default_transaction_read_only = ${value}`);
  await sql.query("select pg_reload_conf()");
}

test("a server that only reads makes clients try later and workers keep their outcomes", async () => {
  const id = await start();
  const command = only(await worker.claim());
  await readOnly("on");
  const request = () =>
    new Request("http://control/api/execute", {
      method: "POST",
      body: JSON.stringify({ path: "t/one" }),
    });
  const refusal = await eventually(async () => {
    const answer = await control.fetch(request());
    return answer.status === 503 ? answer : undefined;
  });
  expect(refusal.headers.get("retry-after")).toBe("1");
  expect(await refusal.json()).toMatchObject({ error: { code: "unavailable" } });
  expect((await worker.settle([done(command, 1)])).verdicts).toEqual(["retry"]);
  expect(await statusOf(id)).toBe("RUNNING");
  await readOnly("off");
  const [verdict] = await eventually(async () => {
    const { verdicts } = await worker.settle([done(command, 1)]);
    return verdicts[0] === "retry" ? undefined : verdicts;
  });
  expect(verdict).toBe("accepted");
  expect(await statusOf(id)).toBe("COMPLETED");
}, 60_000);
