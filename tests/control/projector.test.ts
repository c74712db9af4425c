// The projector: projections keep up with the log, count every event once, and are the same however
// often it was started, stopped, or another took its place.

import { describe, expect, test } from "bun:test";
import { projector, projectorRole } from "#control/roles/projector";
import { projectEvents } from "#control/services/projections";
import { verifyExecution } from "#control/services/verify";
import { systemClock } from "#core/adapters/system-clock";
import type { ExecutionId } from "#core/model/ids";
import { eventually, onBothStores, type World } from "#tests/support/control";
import { done, failed, handWorker, only } from "#tests/support/hand-worker";
import { busyDatabase } from "./busy-database.ts";
import { chain, loop } from "./playbooks.ts";

const page = { afterSeq: 0, limit: 100 };
const reports: string[] = [];

const start = (world: World, owner: string, part: Partial<World["stores"]> = {}) =>
  projector(
    { ...world.stores, ...part, clock: systemClock() },
    { owner, leaseMs: 400, waitMs: 5, report: (message) => void reports.push(message) },
  );

const projectedTo = (world: World, id: ExecutionId): Promise<true> =>
  eventually(async () => {
    const [row] = await world.stores.projections.rows([id]);
    const head = await world.stores.log.head(id);
    return row !== undefined && row.seq === head?.seq ? true : undefined;
  });

onBothStores((shelf) => {
  test("keeps the projections of everything equal to the log", async () => {
    const world = shelf().open();
    const role = start(world, "p1");
    const { ids } = await busyDatabase(world);
    for (const id of Object.values(ids)) {
      await projectedTo(world, id);
      expect((await verifyExecution(world.control.executions.context, id)).problems).toEqual([]);
    }
    await role.stop();
  }, 30_000);

  test("goes on where another one stopped, and counts nothing twice", async () => {
    const world = shelf().open();
    await world.register(chain("t/chain", 3));
    const ids: ExecutionId[] = [];
    const starts: (string | undefined)[] = [];
    const { feed: inner } = world.stores;
    for (let turn = 0; turn < 4; turn++) {
      let reads = 0;
      const after: typeof inner.after = (position, query) => {
        if (reads++ === 0) starts.push(position);
        return inner.after(position, query);
      };
      const role = start(world, `p${turn}`, { feed: { ...inner, after } });
      const id = await world.start("t/chain");
      ids.push(id);
      await handWorker(world.client).drain();
      await projectedTo(world, id);
      await role.stop();
    }
    const steps = await world.stores.projections.stepStatistics(ids);
    expect(steps.map(({ step, visits, runs }) => [step, visits, runs])).toEqual([
      ["s1", 4, 4],
      ["s2", 4, 4],
      ["s3", 4, 4],
    ]);
    expect(starts.slice(1)).not.toContain(undefined);
    expect(starts).toHaveLength(4);
    const held = await world.stores.cursors.list();
    expect(held.find(({ name }) => name === projectorRole)?.held).toBe(false);
  }, 30_000);

  test("is one of any number, and two that overlap change nothing", async () => {
    const world = shelf().open();
    const roles = [start(world, "p1"), start(world, "p2"), start(world, "p3")];
    await world.register(loop("t/loop", 2));
    const id = await world.start("t/loop", { items: [1, 2, 3] });
    await handWorker(world.client).drain();
    await projectedTo(world, id);
    const { stores } = world;
    const events = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
    const ports = { ...stores, report: (message: string) => void reports.push(message) };
    const before = await stores.projections.stages(id, page);
    await Promise.all([projectEvents(ports, events), projectEvents(ports, events.slice(4))]);
    expect(await stores.projections.stages(id, page)).toEqual(before);
    for (const role of roles) await role.stop();
  }, 30_000);

  test("fills a gap from the log, and follows whoever was faster", async () => {
    const world = shelf().open();
    await world.register(chain("t/chain", 2));
    const id = await world.start("t/chain");
    await handWorker(world.client).drain();
    const { stores } = world;
    const events = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
    const ports = { ...stores, report: () => {} };
    await projectEvents(ports, events.slice(0, 3));
    await Promise.all([
      projectEvents(ports, events.slice(6)),
      projectEvents(ports, events.slice(3, 8)),
      projectEvents(ports, events),
    ]);
    const { problems } = await verifyExecution(world.control.executions.context, id);
    expect(problems).toEqual([]);
    expect((await stores.projections.rows([id]))[0]?.seq).toBe(events.length);
  }, 30_000);

  test("loses nothing when another one has moved the projection on meanwhile", async () => {
    const world = shelf().open();
    await world.register(chain("t/chain", 2));
    const id = await world.start("t/chain");
    await handWorker(world.client).drain();
    const { stores } = world;
    const events = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
    const { projections: inner } = stores;
    let looks = 0;
    const projections = {
      ...inner,
      rows: async (ids: readonly ExecutionId[]) => {
        const rows = await inner.rows(ids);
        if (looks++ === 0) await projectEvents({ ...stores, report: () => {} }, events.slice(0, 5));
        return rows;
      },
    };
    await projectEvents({ ...stores, projections, report: () => {} }, events);
    expect((await inner.rows([id]))[0]?.seq).toBe(events.length);
    const { problems } = await verifyExecution(world.control.executions.context, id);
    expect(problems).toEqual([]);
  }, 30_000);

  describe("shows of an execution", () => {
    test("how far a loop has come, with failures and attempts", async () => {
      const world = shelf().open();
      await world.register(loop("t/loop", 4));
      const id = await world.start("t/loop", { items: [1, 2, 3, 4] });
      const worker = handWorker(world.client);
      const [first, second, third] = await worker.claim();
      if (first === undefined || second === undefined) throw new Error("expected commands");
      await worker.settle([{ ...done(first), duration_ms: 40 }, failed(second)]);
      const yielded = { checkpoint: { label: "task_0" }, delay_ms: 3_600_000 };
      if (third !== undefined) await worker.settle([{ ...done(third), yielded }]);
      const { stores } = world;
      const events = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
      await projectEvents({ ...stores, report: () => {} }, events);
      const answer = await world.client.executionStages({ params: { id }, query: {} });
      expect(answer.projected).toBe(answer.head);
      expect(only(answer.stages)).toMatchObject({
        step: "each",
        visit: 1,
        mode: "parallel",
        status: "running",
        total: 4,
        done: 2,
        failed: 1,
        call_seconds: 0.041,
      });
      await world.client.cancelExecution({ params: { id }, body: {} });
      const all = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
      await projectEvents({ ...stores, report: () => {} }, all);
      const { stages } = await world.client.executionStages({ params: { id }, query: {} });
      expect(only(stages)).toMatchObject({ status: "cancelled", done: 2 });
      const { steps } = await world.client.stepStatistics({ query: { path: "t/loop" } });
      expect(only(steps)).toMatchObject({
        step: "each",
        runs: 2,
        failures: 1,
        duration_seconds: { sum: 0.041, min: 0.001, max: 0.04 },
      });
      expect(only(steps).buckets.filter(({ count }) => count > 0)).toEqual([
        { up_to_seconds: 0.005, count: 1 },
        { up_to_seconds: 0.05, count: 1 },
      ]);
    }, 30_000);
  });
});
