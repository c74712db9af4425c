// Claim and settle: who gets which command, and what is recorded of what is reported.

import { describe, expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { acceptMs } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type { EventLog } from "#core/ports/event-log";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { done, failed, handWorker, only } from "#tests/support/hand-worker";
import { chain, loop, passing } from "./playbooks.ts";

const outcomesOf = async (world: World, id: Parameters<World["events"]>[0]) =>
  (await world.events(id)).filter(({ type }) => type === "call.done" || type === "call.error");

onBothStores((shelf) => {
  describe("an outcome", () => {
    test("is recorded once, however often and by whichever process it is taken", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 2));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      expect((await worker.settle([done(command, 1)])).verdicts).toEqual(["accepted"]);
      expect((await worker.settle([done(command, 1)])).verdicts).toEqual(["duplicate"]);
      const next = handWorker(world.another().client);
      expect((await next.settle([done(command, 1), done(command, 1)])).verdicts).toEqual([
        "duplicate",
        "duplicate",
      ]);
      expect(await outcomesOf(world, id)).toHaveLength(1);
      expect(await world.problems(id)).toEqual([]);
    });

    test("named twice in one request is accepted once", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      const { verdicts } = await worker.settle([done(command), done(command)]);
      expect(verdicts).toEqual(["accepted", "duplicate"]);
      expect(await outcomesOf(world, id)).toHaveLength(1);
    });

    test("of an attempt that is not the open one is refused and not recorded", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      expect((await worker.settle([done({ ...command, attempt: 2 })])).verdicts).toEqual([
        "refused",
      ]);
      expect(await outcomesOf(world, id)).toEqual([]);
    });

    test("that nothing waits for is gone: unknown command, unknown execution, no command at all", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const named = [`${id}:nowhere:1`, "4711:s1:1", "not an id", ":s1:1"];
      const outcomes = named.map((command_id) => done({ command_id, attempt: 1 } as never));
      expect((await worker.settle(outcomes)).verdicts).toEqual(["gone", "gone", "gone", "gone"]);
      expect(await outcomesOf(world, id)).toEqual([]);
    });

    test("is gone after the execution was cancelled", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      await world.client.cancelExecution({ params: { id }, body: { reason: "enough" } });
      expect((await worker.settle([done(command)])).verdicts).toEqual(["gone"]);
      expect((await world.events(id)).at(-1)?.type).toBe("playbook.cancelled");
    });

    test("that is an error fails the execution, with its message", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 2));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      await worker.settle([failed(only(await worker.claim()), "no more paper")]);
      const detail = await world.client.getExecution({ params: { id } });
      expect(detail).toMatchObject({ status: "FAILED", failed_steps: ["s1"] });
      expect(detail.error).toContain("no more paper");
    });
  });

  describe("the next commands", () => {
    test("come in the reply that settled the one before, leased to that worker", async () => {
      const world = shelf().open();
      await world.register(passing("t/pass"));
      await world.start("t/pass", { who: "Ada" });
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      const { commands } = await worker.settle([done(first, { got: 7 })], 4);
      const second = only(commands);
      expect(second).toMatchObject({ step: "second", attempt: 1, lease_ms: acceptMs });
      expect(second.tasks[0]?.config).toMatchObject({ message: { got: 7 }, hint: "none" });
      expect(await handWorker(world.client, "w2").claim()).toEqual([]);
      const lease = { command_id: second.command_id, attempt: 1 };
      const renew = (name: string) =>
        world.client.renew({ body: { worker: name, leases: [lease] } });
      expect(await renew("w1")).toEqual({ verdicts: ["renewed"] });
      expect(await renew("w2")).toEqual({ verdicts: ["lost"] });
    });

    test("are no more than wanted, and the rest is for everybody", async () => {
      const world = shelf().open();
      await world.register(loop("t/loop", 4));
      await world.start("t/loop", { items: [1, 2, 3, 4, 5, 6, 7, 8] });
      const worker = handWorker(world.client);
      const claimed = await worker.claim(3);
      expect(claimed).toHaveLength(3);
      const { commands } = await worker.settle(
        claimed.map((command) => done(command)),
        2,
      );
      expect(commands).toHaveLength(2);
      expect(await handWorker(world.client, "w2").claim()).toHaveLength(2);
      expect(await handWorker(world.client, "w3").claim()).toEqual([]);
    });

    test("are of the worker's own pools, at the handing over and at the claim", async () => {
      const world = shelf().open();
      await world.register(
        `${chain("t/pools", 1)}\n  next: {arcs: [{step: far}]}\n- step: far\n  spec: {pool: gpu}\n  tool: {kind: noop}`,
      );
      const id = await world.start("t/pools");
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      expect((await worker.settle([done(first)], 4)).commands).toEqual([]);
      expect(await worker.claim()).toEqual([]);
      const far = only(await handWorker(world.client, "w2", ["other", "gpu"]).claim());
      expect(far).toMatchObject({ step: "far", pool: "gpu" });
      await worker.settle([done(far)]);
      expect(await world.ended(id)).toBe("completed");
    });

    test("are other executions' when the settled one has none", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      await world.start("t/one");
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      const other = await world.start("t/one");
      const { commands } = await worker.settle([done(first)], 1);
      expect(only(commands).execution_id).toBe(other);
    });

    test("that are given back unused are ready at once, at the same attempt", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      await world.start("t/one");
      const { command_id } = only(await handWorker(world.client).claim());
      const leases = [{ command_id, attempt: 1 }];
      await world.client.release({ body: { worker: "w2", leases } });
      expect(await handWorker(world.client, "w2").claim()).toEqual([]);
      await world.client.release({ body: { worker: "w1", leases } });
      expect(only(await handWorker(world.client, "w2").claim())).toMatchObject({ attempt: 1 });
    });
  });

  test("64 settles at once on one execution are merged, and each is accepted", async () => {
    let appends = 0;
    const count = (log: EventLog): EventLog => ({
      ...log,
      append: async (transitions) => {
        appends++;
        await new Promise((resolve) => setImmediate(resolve));
        return log.append(transitions);
      },
    });
    const world = shelf().open({ wrap: ({ log }) => ({ log: count(log) }) });
    await world.register(loop("t/loop", 64));
    const id = await world.start("t/loop", { items: Array.from({ length: 64 }, (_, i) => i) });
    const worker = handWorker(world.client);
    const commands = await worker.claim(64);
    appends = 0;
    const replies = await Promise.all(commands.map((command) => worker.settle([done(command)])));
    expect(replies.map(({ verdicts }) => only(verdicts))).toEqual(Array(64).fill("accepted"));
    expect(appends).toBeLessThanOrEqual(8);
    expect(await worker.drain()).toBe(1);
    expect(await world.ended(id)).toBe("completed");
    expect(await world.problems(id)).toEqual([]);
  });

  test("outcomes of 200 executions at once are all recorded, in a few appends", async () => {
    let appends = 0;
    const count = (log: EventLog): EventLog => ({
      ...log,
      append: (transitions) => {
        appends++;
        return log.append(transitions);
      },
    });
    const world = shelf().open({ wrap: ({ log }) => ({ log: count(log) }) });
    await world.register(chain("t/one", 1));
    const ids = await Promise.all(Array.from({ length: 200 }, () => world.start("t/one")));
    const worker = handWorker(world.client);
    const commands = await worker.claim(256);
    expect(new Set(commands.map(({ execution_id }) => execution_id))).toEqual(new Set(ids));
    appends = 0;
    const { verdicts } = await worker.settle(commands.map((command) => done(command)));
    expect(verdicts).toEqual(Array(200).fill("accepted"));
    expect(appends).toBeLessThanOrEqual(4);
    const page = await world.client.listExecutions({ query: { status: "completed", limit: 500 } });
    expect(page).toHaveLength(200);
  });
});

onMemory((shelf) => {
  const malformed: readonly (readonly [string, object])[] = [
    ["an output that is no map", { output: "done" }],
    ["an output without a status", { output: { data: 1 } }],
    ["an output of another status", { output: { status: "fine" } }],
    ["no attempt", { attempt: undefined }],
    ["an attempt of 0", { attempt: 0 }],
    ["a set that is a list", { set: [1] }],
    ["a duration that is text", { duration_ms: "1" }],
  ];
  for (const [what, part] of malformed) {
    test(`a settle with ${what} is refused whole, and its good neighbour can be sent again`, async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const first = await world.start("t/one");
      await world.start("t/one");
      const worker = handWorker(world.client);
      const [good, bad] = (await worker.claim()).map((command) => done(command));
      const broken = { ...bad, ...part } as Outcome;
      const refusal = worker.settle([good as Outcome, broken]).catch((fault: unknown) => fault);
      expect(await refusal).toMatchObject({ code: "invalid" });
      expect(await outcomesOf(world, first)).toEqual([]);
      expect((await worker.settle([good as Outcome])).verdicts).toEqual(["accepted"]);
    });
  }

  test("a command of a playbook that can't be read any more does not keep others from their work", async () => {
    const world = shelf().open();
    await world.register(chain("t/lost", 1));
    await world.register(chain("t/good", 1));
    await world.start("t/lost");
    await world.start("t/good");
    const { catalog } = world.stores;
    const forgetful = {
      ...catalog,
      byId: async (id: Parameters<typeof catalog.byId>[0]) => {
        const entry = await catalog.byId(id);
        return entry?.path === "t/lost" ? undefined : entry;
      },
    };
    const after = world.another({ wrap: () => ({ catalog: forgetful }) });
    expect(only(await handWorker(after.client).claim()).path).toBe("t/good");
    expect(after.reports.join("\n")).toContain("can't be given out");
  });

  test("a claim that fails half way gives its leases back", async () => {
    const world = shelf().open();
    await world.register(chain("t/one", 1));
    await world.start("t/one");
    const { catalog } = world.stores;
    let away = true;
    const flaky = {
      ...catalog,
      byId: (id: Parameters<typeof catalog.byId>[0]) => {
        if (away) throw new Fault("unavailable", "away");
        return catalog.byId(id);
      },
    };
    const after = world.another({ wrap: () => ({ catalog: flaky }) });
    const refusal = handWorker(after.client)
      .claim()
      .catch((fault: unknown) => fault);
    expect(await refusal).toMatchObject({ code: "unavailable" });
    away = false;
    expect(only(await handWorker(after.client, "w2").claim())).toMatchObject({ attempt: 1 });
  });
});
