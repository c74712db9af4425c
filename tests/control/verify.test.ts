// Verification of a whole database while it is used: what is whole is found whole, and every kind
// of damage beside the log is found and put right, without the execution noticing.

import { describe, expect, test } from "bun:test";
import { workThrough } from "#control/services/page-work";
import { catchUp } from "#control/services/projections";
import { rebuildExecution } from "#control/services/rebuild";
import { type ExecutionVerdict, verifyExecution } from "#control/services/verify";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { verifyPageMs } from "#core/model/limits";
import { onBothStores, type World } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import { virtualClock } from "#tests/support/virtual-clock";
import { busyDatabase } from "./busy-database.ts";
import { chain } from "./playbooks.ts";

const snapshotEvents = 10;
const all = { projections: true, repair: true };

async function everything(world: World) {
  const { context } = world.control.executions;
  const verdicts: ExecutionVerdict[] = [];
  for (let after: ExecutionId | undefined; ; ) {
    const ids = await context.repair.executionIds(after, 4);
    const { results } = await workThrough(context, ids, (id) => verifyExecution(context, id));
    verdicts.push(...results);
    if (ids.length < 4) return verdicts;
    after = ids.at(-1);
  }
}

async function projectAll(world: World): Promise<void> {
  const { context } = world.control.executions;
  for (const { executionId } of await everything(world)) await catchUp(context, executionId);
}

const problemsOf = async (world: World, id: ExecutionId) =>
  (await verifyExecution(world.control.executions.context, id)).problems;

describe("a page of executions", () => {
  const ids = Array.from({ length: 20 }, (_, index) => String(index + 1) as ExecutionId);

  test("ends with what it has when its time is over, and says where to go on", async () => {
    let passedMs = 0;
    const clock = { ...virtualClock(), nowMs: () => passedMs };
    const { results, last, cut } = await workThrough({ clock }, ids, async (id) => {
      passedMs += verifyPageMs / 5;
      return id;
    });
    expect(cut).toBe(true);
    expect(results.length).toBeLessThan(ids.length);
    expect(results).toEqual(ids.slice(0, results.length));
    expect(last).toBe(results.at(-1));
  });

  test("holds at least one, and passes over what is gone by then", async () => {
    let late = 0;
    const clock = { ...virtualClock(), nowMs: () => ++late * verifyPageMs };
    const one = await workThrough({ clock }, ids, async (id) => id);
    expect(one).toEqual({ results: ids.slice(0, 1), last: ids[0], cut: true });
    const work = async (id: ExecutionId) => {
      if (id === "3") throw new Fault("not_found", "gone");
      return id;
    };
    const { results, cut } = await workThrough({ clock: virtualClock() }, ids, work);
    expect([results.length, cut, results.includes("3" as ExecutionId)]).toEqual([19, false, false]);
    await expect(workThrough({ clock }, [], work)).resolves.toMatchObject({
      results: [],
      cut: false,
    });
  });
});

onBothStores((shelf) => {
  const busy = async () => {
    const world = shelf().open({ snapshotEvents });
    const { ids } = await busyDatabase(world);
    return { world, ids, context: world.control.executions.context };
  };

  test("a database in which much has happened is whole, with and without projections", async () => {
    const { world, ids } = await busy();
    for (const projected of [false, true]) {
      if (projected) await projectAll(world);
      const verdicts = await everything(world);
      expect(verdicts.filter(({ problems }) => problems.length > 0)).toEqual([]);
      expect(verdicts.map(({ executionId }) => executionId)).toEqual(
        expect.arrayContaining(Object.values(ids)),
      );
      expect(verdicts.length).toBeGreaterThan(Object.keys(ids).length);
      const longest = verdicts.find(({ executionId }) => executionId === ids.looped);
      expect(longest?.events).toBe((await world.events(ids.looped)).length);
      expect(longest?.digest).toBe((await world.stores.log.head(ids.looped))?.digest ?? "");
    }
    expect(await world.stores.snapshots.latest(ids.looped)).toBeDefined();
    expect(await world.stores.projections.stageCount(ids.looped)).toBe(2);
  }, 30_000);

  test("a rebuild of what is whole changes nothing but the time it takes", async () => {
    const { world, context } = await busy();
    await projectAll(world);
    for (const { executionId } of await everything(world)) {
      const rebuilt = await rebuildExecution(context, executionId, all);
      expect(rebuilt).toMatchObject({ executionId, repaired: [], problems: [] });
    }
  }, 30_000);

  test("a verified execution goes on as if nobody had looked", async () => {
    const { world, ids } = await busy();
    await everything(world);
    for (const id of [ids.working, ids.parentWaiting, ids.looping]) {
      await rebuildExecution(world.control.executions.context, id, all);
    }
    const worker = handWorker(world.client);
    await worker.drain();
    expect(await world.ended(ids.working)).toBe("completed");
    expect(await problemsOf(world, ids.working)).toEqual([]);
  }, 30_000);

  describe("projections", () => {
    test("that were dropped are made again as they were", async () => {
      const { world, ids, context } = await busy();
      await projectAll(world);
      const { projections } = world.stores;
      const page = { afterSeq: 0, limit: 100 };
      const before = await projections.stages(ids.looped, page);
      await projections.remove([ids.looped]);
      await rebuildExecution(context, ids.looped, { projections: true, repair: false });
      expect(await projections.stages(ids.looped, page)).toEqual(before);
      expect(before.map(({ step, total, done }) => [step, total, done])).toEqual([
        ["each", 7, 7],
        ["after", 1, 1],
      ]);
    }, 30_000);

    test("that say otherwise than the log are found, and made anew", async () => {
      const { world, ids, context } = await busy();
      await projectAll(world);
      const { projections } = world.stores;
      const [row] = await projections.rows([ids.looping]);
      const [stage] = await projections.stages(ids.looping, { afterSeq: 0, limit: 1 });
      if (row === undefined || stage === undefined) throw new Error("expected a projection");
      await projections.apply([
        { ...row, expectedSeq: row.seq, stages: [{ ...stage, done: 99 }], frames: [] },
      ]);
      expect(await problemsOf(world, ids.looping)).toEqual([
        `stage each 1 of event ${stage.enteredSeq} is not as the log has it`,
      ]);
      const rebuilt = await rebuildExecution(context, ids.looping, all);
      expect(rebuilt.problems).toEqual([]);
    }, 30_000);

    test("that are behind the log are not wrong", async () => {
      const { world, context } = await busy();
      const id = await world.start("t/chain");
      await catchUp(context, id);
      await handWorker(world.client).drain();
      expect(await world.ended(id)).toBe("completed");
      expect(await problemsOf(world, id)).toEqual([]);
      await catchUp(context, id);
      expect(await problemsOf(world, id)).toEqual([]);
    }, 30_000);
  });

  describe("snapshots", () => {
    test("that were garbled are found, and removed by a rebuild", async () => {
      const { world, ids, context } = await busy();
      const snapshot = await world.stores.snapshots.latest(ids.looped);
      if (snapshot === undefined) throw new Error("expected a snapshot");
      await world.stores.snapshots.remove([ids.looped]);
      await world.stores.snapshots.put({ ...snapshot, text: `${snapshot.text} ` });
      expect(await problemsOf(world, ids.looped)).toEqual([
        `the snapshot of event ${snapshot.seq} is not what the log says`,
      ]);
      const rebuilt = await rebuildExecution(context, ids.looped, all);
      expect(rebuilt).toMatchObject({ repaired: ["the snapshot was removed"], problems: [] });
      expect(await world.stores.snapshots.latest(ids.looped)).toBeUndefined();
    }, 30_000);
  });

  test("what is wrong is found although the execution moves on while it is read", async () => {
    const world = shelf().open();
    await world.register(chain("t/long", 5));
    const id = await world.start("t/long");
    let looks = 0;
    const { context } = world.control.executions;
    const rowsOf = async (): Promise<readonly []> => {
      const worker = handWorker(world.client);
      if (looks++ < 2) {
        await worker.settle((await worker.claim(1)).map((command) => done(command)));
      }
      return [];
    };
    const { repair } = context;
    const verdict = await verifyExecution({ ...context, repair: { ...repair, rowsOf } }, id);
    expect(verdict.problems).toEqual([`command ${id}:s3:1 is open and has no row`]);
    expect(looks).toBe(3);
    expect(verdict.events).toBe((await world.events(id)).length);
  }, 30_000);

  test("an execution is found whole although it moves on while it is read", async () => {
    const world = shelf().open();
    await world.register(chain("t/long", 60));
    const id = await world.start("t/long");
    const working = handWorker(world.client).drain();
    const verdicts: ExecutionVerdict[] = [];
    for (let done = false; !done; ) {
      const verdict = await verifyExecution(world.control.executions.context, id);
      verdicts.push(verdict);
      done = verdict.status !== "running";
    }
    await working;
    expect(verdicts.flatMap(({ problems }) => problems)).toEqual([]);
    expect(new Set(verdicts.map(({ events }) => events)).size).toBeGreaterThan(1);
  }, 30_000);
});
