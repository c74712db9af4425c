// Leases: what becomes of commands whose worker is silent, and of the worker that comes back.

import { describe, expect, test } from "bun:test";
import { leaseMs, sweepMs } from "#core/model/limits";
import type { EventLog } from "#core/ports/event-log";
import { eventually, onBothStores, onMemory, type Shelf, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

async function running(shelf: Shelf) {
  const world = shelf.open({ clock: shelf.clock });
  await world.register(chain("t/one", 1));
  const id = await world.start("t/one");
  return { world, id, first: only(await handWorker(world.client).claim()) };
}

const claimed = (world: World, name: string) =>
  eventually(async () => {
    const commands = await handWorker(world.client, name).claimIdle();
    return commands.length > 0 ? only(commands) : undefined;
  });

onBothStores((shelf) => {
  test("a lease that ran out lets another worker try again; the first one's outcome is refused", async () => {
    const { world, id, first } = await running(shelf());
    expect(await handWorker(world.client, "w2").claim()).toEqual([]);
    await shelf().passLeases(world);
    const second = await claimed(world, "w2");
    expect(second).toMatchObject({ command_id: first.command_id, attempt: 2 });
    expect(await world.events(id)).toContainEqual(
      expect.objectContaining({
        type: "command.reissued",
        command_id: first.command_id,
        attempt: 2,
        reason: "lease_expired",
      }),
    );
    const late = await handWorker(world.client).settle([done(first, "late")]);
    expect(late.verdicts).toEqual(["refused"]);
    const { verdicts } = await handWorker(world.client, "w2").settle([done(second, "in time")]);
    expect(verdicts).toEqual(["accepted"]);
    const detail = await world.client.getExecution({ params: { id } });
    expect(detail).toMatchObject({ status: "COMPLETED", result: "in time" });
    expect(await world.problems(id)).toEqual([]);
  });

  test("a command that lost its worker too often while alone fails, and its execution with it", async () => {
    const { world, id } = await running(shelf());
    await shelf().passLeases(world);
    expect(await claimed(world, "w2")).toMatchObject({ attempt: 2 });
    for (const attempt of [3, 4]) {
      await shelf().passLeases(world);
      expect(await claimed(world, `w${attempt}`)).toMatchObject({ attempt, alone: true });
    }
    await shelf().passLeases(world);
    expect(await world.ended(id)).toBe("failed");
    const error = (await world.events(id)).find(({ type }) => type === "call.error");
    const output = { error: { kind: "lease_expired", code: "poisoned" } };
    expect(error).toMatchObject({ attempt: 4, output });
    const detail = await world.client.getExecution({ params: { id } });
    expect(detail.error).toContain("worker w4");
    expect(await world.stores.log.backlog()).toEqual([]);
  });

  test("renewals say what became of each lease", async () => {
    const { world, first } = await running(shelf());
    const renew = (worker: string, command_id: string, attempt = 1) =>
      world.client.renew({ body: { worker, leases: [{ command_id, attempt }] } });
    expect(await renew("w1", first.command_id)).toEqual({ verdicts: ["renewed"] });
    expect(await renew("w2", first.command_id)).toEqual({ verdicts: ["lost"] });
    expect(await renew("w1", first.command_id, 2)).toEqual({ verdicts: ["lost"] });
    expect(await renew("w1", "12:s1:1")).toEqual({ verdicts: ["gone"] });
  });
});

onMemory((shelf) => {
  /** Time in which the control plane looks about as it should. */
  async function pass(world: World, durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += sweepMs) {
      await shelf().clock.advance(sweepMs);
      await world.control.sweep.sweepOnce();
    }
  }

  const attempts = async (world: World, id: Parameters<World["events"]>[0]) =>
    (await world.events(id)).filter(({ type }) => type === "command.reissued").length;

  test("a lease that is renewed in time never runs out", async () => {
    const { world, id, first } = await running(shelf());
    const leases = [{ command_id: first.command_id, attempt: 1 }];
    for (let round = 0; round < 6; round++) {
      await pass(world, leaseMs / 2);
      const { verdicts } = await world.client.renew({ body: { worker: "w1", leases } });
      expect(verdicts).toEqual(["renewed"]);
    }
    expect(await attempts(world, id)).toBe(0);
  });

  describe("an outage burns no attempt of work that is still running", () => {
    test("after a start, leases that ran out meanwhile get one lease to report", async () => {
      const { world, id, first } = await running(shelf());
      await world.control.stop();
      await shelf().clock.advance(10 * leaseMs);
      const next = world.another({ clock: shelf().clock });
      await pass(next, leaseMs - sweepMs);
      expect(await attempts(next, id)).toBe(0);
      const { verdicts } = await handWorker(next.client).settle([done(first)]);
      expect(verdicts).toEqual(["accepted"]);
    });

    test("but no more than one", async () => {
      const { world, id } = await running(shelf());
      await world.control.stop();
      await shelf().clock.advance(10 * leaseMs);
      const next = world.another({ clock: shelf().clock });
      await pass(next, leaseMs + 2 * sweepMs);
      expect(await attempts(next, id)).toBe(1);
    });

    test("nor is anybody waited for where every worker starts with the control plane", async () => {
      const { world, id } = await running(shelf());
      await world.control.stop();
      await shelf().clock.advance(leaseMs + sweepMs);
      const next = world.another({ clock: shelf().clock, workersAreNew: true });
      await pass(next, sweepMs);
      expect(await attempts(next, id)).toBe(1);
    });

    test("nor does one of the store, which no sweep gets through", async () => {
      let away = false;
      const failing = (log: EventLog): EventLog => ({
        ...log,
        due: async (limit, holdMs) => {
          if (away) throw new Error("the store is away");
          return log.due(limit, holdMs);
        },
      });
      const world = shelf().open({
        clock: shelf().clock,
        wrap: ({ log }) => ({ log: failing(log) }),
      });
      await world.register(chain("t/one", 1));
      await pass(world, 2 * leaseMs);
      const id = await world.start("t/one");
      const first = only(await handWorker(world.client).claim());
      away = true;
      await shelf().clock.advance(3 * leaseMs);
      away = false;
      await pass(world, leaseMs - sweepMs);
      expect(await attempts(world, id)).toBe(0);
      expect((await handWorker(world.client).settle([done(first)])).verdicts).toEqual(["accepted"]);
    });
  });
});
