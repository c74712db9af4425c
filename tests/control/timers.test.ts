// How soon what is due is seen, and what looking for it costs.

import { expect, test } from "bun:test";
import { dueLookMs, sweepMs } from "#core/model/limits";
import { onMemory, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

onMemory((shelf) => {
  /** Looks that the sweep takes, by what it looks for. */
  const looks = { due: 0, expire: 0, isAway: false };

  async function open(): Promise<World> {
    Object.assign(looks, { due: 0, expire: 0, isAway: false });
    const world = shelf().open({
      clock: shelf().clock,
      wrap: ({ log }) => ({
        log: {
          ...log,
          due: async (limit, holdMs) => {
            looks.due += 1;
            if (looks.isAway) throw new Error("the store is away");
            return log.due(limit, holdMs);
          },
          expire: async (request) => {
            looks.expire += 1;
            return log.expire(request);
          },
        },
      }),
    });
    await world.register(chain("t/one", 1));
    await shelf().clock.advance(2 * sweepMs);
    return world;
  }

  test("a wait is over a quarter of a second after its time at the latest", async () => {
    const world = await open();
    const worker = handWorker(world.client);
    for (const beyondMs of [1, 100, dueLookMs - 1, 600]) {
      const id = await world.start("t/one");
      const command = only(await worker.claim());
      const delay_ms = 60_000 + beyondMs;
      const yielded = { checkpoint: { version: 1 }, delay_ms };
      await worker.settle([{ ...done(command), yielded }]);
      await shelf().clock.advance(delay_ms - 1);
      expect(await worker.claim()).toEqual([]);
      await shelf().clock.advance(dueLookMs + 1);
      const again = only(await worker.claim());
      expect(again).toMatchObject({ execution_id: id, attempt: 2 });
      await worker.settle([done(again)]);
    }
  });

  test("leases and lines are still looked after once a second", async () => {
    await open();
    const before = { ...looks };
    await shelf().clock.advance(10 * sweepMs);
    expect(looks.due - before.due).toBe((10 * sweepMs) / dueLookMs);
    expect(looks.expire - before.expire).toBe(10);
  });

  test("a store that fails is not asked more often than once a second", async () => {
    const { reports } = await open();
    looks.isAway = true;
    const before = looks.due;
    await shelf().clock.advance(10 * sweepMs);
    expect(looks.due - before).toBeLessThanOrEqual(11);
    expect(reports).toContain("sweep: the store is away");
    looks.isAway = false;
    await shelf().clock.advance(2 * sweepMs);
    const afterwards = looks.due;
    await shelf().clock.advance(sweepMs);
    expect(looks.due - afterwards).toBe(sweepMs / dueLookMs);
  });
});
