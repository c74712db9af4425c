// Several replicas over one PostgreSQL, behind real HTTP: they share the work, come and go under
// it, and nothing of an execution depends on which of them is asked.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { routedControl } from "#core/adapters/routed-control";
import { systemClock } from "#core/adapters/system-clock";
import { verifyLog } from "#core/engine/verify";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Stores } from "#core/ports/stores";
import { clusterHeader, epochHeader } from "#core/wire/headers";
import { postgresWorld } from "#tests/contract/postgres-world";
import { eventually, sha256 } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import {
  type ReplicaSetting,
  type RunningReplica,
  type RunningWorker,
  startReplica,
  startRoutedWorker,
} from "#tests/support/replicas";
import { ok } from "#tests/worker/commands";
import type { Tool } from "#worker/tools/tool";
import { chain, loop } from "./playbooks.ts";

const world = postgresWorld();
const noop: Tool = { kind: "noop", run: async () => ok(null) };
const chainSteps = 8;

let sql: Sql | undefined;
let stores: Stores | undefined;
let running: { stop(): Promise<void> }[] = [];

const open = (): Stores => {
  if (stores === undefined) throw new Error("expected the hooks to have run");
  return stores;
};

beforeAll(async () => {
  sql = await world.open();
  stores = sqlStores(sql);
}, 60_000);
afterEach(async () => {
  const left = running.reverse();
  running = [];
  for (const one of left) await one.stop();
});
afterAll(() => sql?.close());

async function replica(given: Partial<ReplicaSetting> = {}): Promise<RunningReplica> {
  const started = await startReplica({ stores: open(), ...given });
  running.push(started);
  return started;
}

/** Takes one out: it leaves, or is gone without a word. */
async function end(one: RunningReplica, how: "stop" | "vanish"): Promise<void> {
  running = running.filter((other) => other !== one);
  await one[how]();
}

function worker(name: string, from: readonly RunningReplica[], tools: readonly Tool[] = [noop]) {
  const started: RunningWorker = startRoutedWorker(
    name,
    from.map(({ url }) => url),
    tools,
  );
  running.push(started);
  return started;
}

const agreed = (replicas: readonly RunningReplica[]): Promise<boolean> =>
  eventually(async () => {
    const views = replicas.map((one) => one.replica.view());
    const isOne = views.every(
      ({ epoch, members }) => epoch === views[0]?.epoch && members.length === replicas.length,
    );
    return isOne ? true : undefined;
  });

/** Workers have learned of the replica, and ask it for work. */
const isAsked = (one: RunningReplica): Promise<true> =>
  eventually(async () => (one.served.includes("POST /api/commands/claim") ? true : undefined));

async function start(at: RunningReplica, path: string): Promise<ExecutionId> {
  const { execution_id } = await at.client.execute({
    body: { path, payload: { items: [1, 2, 3, 4, 5, 6] } },
  });
  return executionId(execution_id);
}

async function register(at: RunningReplica): Promise<void> {
  await at.client.registerCatalog({ body: { content: chain("r/chain", chainSteps) } });
  await at.client.registerCatalog({ body: { content: loop("r/loop", 3) } });
}

/** The execution has completed, its log is whole, and each command has one outcome. */
async function expectWhole(id: ExecutionId): Promise<void> {
  const { log } = open();
  const status = await eventually(async () => {
    const now = (await log.head(id))?.row.status;
    return now === "running" ? undefined : now;
  });
  expect(status).toBe("completed");
  const events = await log.events(id, 0, 1_000);
  expect(verifyLog(id, events, sha256).problems).toEqual([]);
  const outcomes = events.flatMap(({ event }) =>
    event.type === "call.done" || event.type === "call.error" ? [event.command_id] : [],
  );
  expect(new Set(outcomes).size).toBe(outcomes.length);
}

describe("replicas over one database", () => {
  test("end every execution while replicas come and go under the work", async () => {
    const first = [await replica(), await replica(), await replica()];
    await agreed(first);
    const [a, b, c] = first as [RunningReplica, RunningReplica, RunningReplica];
    await register(a);
    worker("w-1", [a, b]);
    worker("w-2", [b, c]);
    const ids: ExecutionId[] = [];
    const feed = async (from: readonly RunningReplica[], count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        const at = from[n % from.length] ?? a;
        ids.push(await start(at, n % 4 === 3 ? "r/loop" : "r/chain"));
      }
    };
    await feed([a, b, c], 40);
    const d = await replica();
    await isAsked(d);
    await feed([a, b, c, d], 20);
    await end(b, "vanish");
    await feed([a, c, d], 20);
    await end(c, "stop");
    await feed([a, d], 20);
    const e = await replica();
    await isAsked(e);
    await feed([a, d, e], 20);
    await end(a, "stop");
    for (const id of ids) await expectWhole(id);
    expect(ids).toHaveLength(120);
  }, 60_000);

  test("serve any execution, and only its owner keeps its state", async () => {
    const [a, b] = [await replica(), await replica()];
    await agreed([a, b]);
    await register(a);
    let kept = 0;
    for (let n = 0; n < 6; n++) {
      const id = await start(n % 2 === 0 ? a : b, "r/chain");
      // Every step is reported to the other one than the step before.
      let commands = await handWorker(a.client).claim(1);
      for (let step = 0; commands.length > 0; step++) {
        const at = step % 2 === 0 ? b : a;
        const outcomes = commands.map((command) => done(command));
        const settled = await handWorker(at.client).settle(outcomes, 1);
        expect(settled.verdicts).toEqual(["accepted"]);
        commands = settled.commands;
        for (const one of [a, b]) {
          const isKept = one.control.executions.states.cached(id) !== undefined;
          if (!one.replica.owns(id)) expect(isKept).toBe(false);
          else if (isKept) kept += 1;
        }
      }
      await expectWhole(id);
    }
    expect(kept).toBeGreaterThan(0);
  }, 60_000);

  test("are told each outcome at the replica that owns the execution, and nowhere else", async () => {
    const replicas = [await replica(), await replica(), await replica()];
    await agreed(replicas);
    const [a] = replicas as [RunningReplica];
    await register(a);
    const { notices } = worker("w-1", [a]);
    // Claims go round from the moment in which the worker has the map.
    for (const one of replicas) await isAsked(one);
    const ids: ExecutionId[] = [];
    for (let n = 0; n < 30; n++) ids.push(await start(a, "r/chain"));
    for (const id of ids) await expectWhole(id);
    for (const { replica: seat, reported } of replicas) {
      expect(reported.filter((id) => !seat.owns(id))).toEqual([]);
      const own = ids.filter((id) => seat.owns(id));
      expect(own.length).toBeGreaterThan(0);
      expect(reported).toHaveLength(own.length * chainSteps);
    }
    expect(notices.filter((notice) => notice.includes("does not answer"))).toEqual([]);
  }, 60_000);

  test("mark every reply with the epoch, which changes when one joins", async () => {
    const a = await replica();
    const epochAt = async (path: string): Promise<string | null> =>
      (await fetch(`${a.url}${path}`)).headers.get(epochHeader);
    const alone = await epochAt("/api/health");
    expect(alone).toBe(a.replica.view().epoch);
    expect(await epochAt("/api/executions/1")).toBe(alone);
    const b = await replica();
    await agreed([a, b]);
    expect(await epochAt("/api/nowhere")).toBe(b.replica.view().epoch);
    expect(b.replica.view().epoch).not.toBe(alone);
    const map = await a.client.shardInfo();
    expect(map.epoch).toBe(b.replica.view().epoch);
    expect(map.members.map(({ uri }) => uri).sort()).toEqual([a.url, b.url].sort());
    expect(map.map).toHaveLength(256);
    const shards = map.members.map((member) => member.shards);
    expect(shards.reduce((sum, count) => sum + count, 0)).toBe(256);
  }, 60_000);

  test("refuse what was meant for another cluster, and workers refuse another's replies", async () => {
    let identity = "cluster-1";
    const a = await replica({ identity: () => identity });
    await register(a);
    const headers = { [clusterHeader]: "cluster-9" };
    const refused = await fetch(`${a.url}/api/worker/pools`, { headers });
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ error: { code: "conflict" } });
    const clock = systemClock();
    const control = routedControl({ servers: [a.url], fetch: (request) => fetch(request), clock });
    const work = { worker: "w-1", pools: ["default"], want: 1 };
    await start(a, "r/chain");
    expect(await control.claim(work)).toHaveLength(1);
    identity = "cluster-2";
    await start(a, "r/chain");
    await expect(control.claim(work)).rejects.toMatchObject({ code: "conflict" });
    // It was refused before it leased anything.
    expect(await handWorker(a.client, "w-2").claim(8)).not.toHaveLength(0);
  }, 60_000);

  test("know their workers, how busy they are, and when they leave", async () => {
    const [a, b] = [await replica(), await replica()];
    await agreed([a, b]);
    const { worker: slots, stop } = worker("w-known", [a, b]);
    const listed = async (at: RunningReplica) =>
      (await at.client.listWorkers({ query: {} })).items.find(({ name }) => name === "w-known");
    const there = await eventually(() => listed(b));
    expect(there).toMatchObject({
      status: "ready",
      runtime: "bun",
      pools: ["default"],
      labels: ["test"],
      capacity: 16,
      load: { running: 0, free: 16, waiting: 0 },
      pid: process.pid,
    });
    expect(slots.running()).toBe(0);
    await stop();
    expect(await listed(a)).toMatchObject({ status: "offline" });
  }, 60_000);
});
