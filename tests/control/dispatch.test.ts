// What decides when a command runs: hand-overs and their acceptance, suspects, priorities, rules,
// labels, and what is told of it.

import { describe, expect, test } from "bun:test";
import type { WorkerCommand } from "#core/model/command";
import type { ExecutionId } from "#core/model/ids";
import {
  acceptMs,
  leaseMs,
  quiesceMs,
  stickyCommandsMax,
  suspectWaitMs,
  sweepMs,
} from "#core/model/limits";
import { onBothStores, onMemory, type Shelf, type World } from "#tests/support/control";
import { done, type HandWorker, handWorker, only } from "#tests/support/hand-worker";
import { chain, loop, parent } from "./playbooks.ts";

/** Time in which the control plane looks about as it should. */
async function pass(shelf: Shelf, world: World, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += sweepMs) {
    await shelf.clock.advance(sweepMs);
    await world.control.sweep.sweepOnce();
  }
}

const items = (count: number) => ({ items: Array.from({ length: count }, (_, index) => index) });

const attemptsOf = async (world: World, id: Parameters<World["events"]>[0]) =>
  (await world.events(id)).filter(({ type }) => type === "command.reissued");

onBothStores((shelf) => {
  describe("a hand-over", () => {
    test("comes again when the settle that brought it is sent again", async () => {
      const world = shelf().open();
      await world.register(chain("t/chain", 3));
      await world.start("t/chain");
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      const second = only((await worker.settle([done(first)], 4)).commands);
      expect(second.lease_ms).toBe(acceptMs);
      const again = await worker.settle([done(first)], 4);
      expect(again.verdicts).toEqual(["duplicate"]);
      expect(again.commands).toEqual([second]);
      // Nobody else's word brings it.
      const other = await handWorker(world.client, "w2").settle([done(first)], 4);
      expect(other).toMatchObject({ verdicts: ["duplicate"], commands: [] });
      const lease = { command_id: second.command_id, attempt: 1 };
      await world.client.renew({ body: { worker: "w1", leases: [lease] } });
      expect((await worker.settle([done(first)], 4)).commands).toEqual([]);
    });

    test("comes again no more often than is wanted", async () => {
      const world = shelf().open();
      await world.register(loop("t/loop", 2));
      await world.start("t/loop", items(6));
      const worker = handWorker(world.client);
      const first = await worker.claim();
      const outcomes = first.map((command) => done(command));
      expect((await worker.settle(outcomes, 2)).commands).toHaveLength(2);
      expect((await worker.settle(outcomes, 1)).commands).toHaveLength(1);
      expect((await worker.settle(outcomes, 0)).commands).toHaveLength(0);
    });
  });

  describe("rules", () => {
    test("hold hand-overs and claims alike, and what ends makes room at once", async () => {
      const world = shelf().open();
      await world.register(chain("t/limited", 3));
      await world.client.putRule({
        params: { key: "playbook:t/limited" },
        body: { max_running: 2 },
      });
      const ids: ExecutionId[] = [];
      for (let count = 0; count < 4; count++) ids.push(await world.start("t/limited"));
      const worker = handWorker(world.client);
      let held = await worker.claim(16);
      let most = 0;
      let settled = 0;
      while (held.length > 0) {
        most = Math.max(most, held.length);
        const [first, ...rest] = held;
        const reply = await worker.settle(first === undefined ? [] : [done(first)], 16);
        settled += 1;
        held = [...rest, ...reply.commands];
        const { rules } = await world.client.listRules();
        expect(rules).toMatchObject([{ running: held.length, max_running: 2 }]);
      }
      expect({ most, settled }).toEqual({ most: 2, settled: 12 });
      for (const id of ids) expect(await world.ended(id)).toBe("completed");
    });

    test("may come with the playbook", async () => {
      const world = shelf().open();
      const text = chain("t/own", 1).replace(
        "workflow:",
        "executor: {spec: {concurrency: 1}}\nworkflow:",
      );
      await world.register(text);
      await world.start("t/own");
      await world.start("t/own");
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      expect(await worker.claim()).toEqual([]);
      expect((await worker.settle([done(first)], 4)).commands).toHaveLength(1);
    });

    test("are freed by a cancel", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      await world.client.putRule({ params: { key: "pool:default" }, body: { max_running: 1 } });
      const first = await world.start("t/one");
      await world.start("t/one");
      const worker = handWorker(world.client);
      expect(await worker.claim()).toHaveLength(1);
      expect(await worker.claim()).toEqual([]);
      await world.client.cancelExecution({ params: { id: first }, body: {} });
      expect(await worker.claim()).toHaveLength(1);
    });
  });

  describe("terms", () => {
    test("come from the request and from the step, and children inherit them", async () => {
      const world = shelf().open();
      for (const content of [chain("t/child", 1), parent("t/parent", "t/child")]) {
        await world.client.registerCatalog({ body: { content, tenant: "acme" } });
      }
      await world.register(chain("t/plain", 1));
      await world.register(`${chain("t/own", 1)}\n  spec: {priority: 7, labels: [gpu]}`);
      await world.start("t/plain");
      const body = { path: "t/parent", priority: 5, tenant: "acme" };
      const { execution_id } = await world.client.execute({ body });
      await world.control.sweep.sweepOnce();
      await world.start("t/own");
      const worker = handWorker(world.client, "w1", ["default"], ["gpu"]);
      expect((await worker.claim(1)).map(({ path }) => path)).toEqual(["t/own"]);
      const child = only(await worker.claim(1));
      expect(child.path).toBe("t/child");
      const [row] = await world.stores.log.openRows(child.execution_id, 1);
      expect(row?.row.terms).toEqual({
        ...{ priority: 5, tenant: "acme", playbook: "t/child", tool: child.kind, labels: [] },
      });
      const [started] = await world.events(execution_id as never);
      expect(started).toMatchObject({ priority: 5, tenant: "acme" });
    });

    test("a command that asks for labels is handed only to a worker that has them", async () => {
      const world = shelf().open();
      await world.register(
        `${chain("t/labels", 1)}
  next: {arcs: [{step: far}]}
- step: far
  spec: {labels: gpu}
  tool: {kind: noop}`,
      );
      await world.start("t/labels");
      const plain = handWorker(world.client);
      const first = only(await plain.claim());
      expect((await plain.settle([done(first)], 4)).commands).toEqual([]);
      expect(await plain.claim()).toEqual([]);
      const gpu = handWorker(world.client, "w2", ["default"], ["gpu"]);
      expect(only(await gpu.claim()).step).toBe("far");
    });
  });

  describe("a dead letter", () => {
    test("is left by a command that killed every worker it ran on, and starts it again on demand", async () => {
      const world = shelf().open({ clock: shelf().clock });
      await world.register(chain("t/poison", 1));
      const id = await world.start("t/poison", { who: "Ada" });
      const worker = handWorker(world.client);
      const { command_id } = only(await worker.claim());
      for (let death = 0; death < 3; death++) {
        await shelf().passLeases(world);
        only(await worker.claimIdle());
      }
      await shelf().passLeases(world);
      expect(await world.ended(id)).toBe("failed");
      const { dead_letters } = await world.client.listDeadLetters({ query: {} });
      expect(dead_letters).toMatchObject([
        { command_id, execution_id: id, step: "s1", attempt: 4, reason: "poisoned", worker: "w1" },
      ]);
      const retried = await world.client.retryDeadLetter({ params: { command_id } });
      expect(retried.status).toBe("started");
      const [started] = await world.events(retried.execution_id as typeof id);
      expect(started).toMatchObject({
        version: 1,
        workload: { who: "Ada" },
        origin: { dead_letter: command_id },
      });
      expect((await world.client.listDeadLetters({ query: {} })).dead_letters).toEqual([]);
    });

    test("stands beside executions in quarantine, which are let go when their log is whole", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      await world.stores.log.quarantine(id, "it did not replay");
      const { dead_letters } = await world.client.listDeadLetters({ query: {} });
      expect(dead_letters).toMatchObject([
        { execution_id: id, reason: "quarantined", message: "it did not replay" },
      ]);
      const retried = await world.client.retryDeadLetter({ params: { command_id: id } });
      expect(retried).toEqual({ execution_id: id, status: "lifted" });
      expect((await world.client.listDeadLetters({ query: {} })).dead_letters).toEqual([]);
    });
  });
});

onMemory((shelf) => {
  const open = () => shelf().open({ clock: shelf().clock });

  test("a hand-over that never arrived costs a moment and no attempt", async () => {
    const world = open();
    await world.register(chain("t/chain", 2));
    const id = await world.start("t/chain");
    await pass(shelf(), world, 2 * leaseMs);
    const worker = handWorker(world.client);
    const first = only(await worker.claim());
    const lost = only((await worker.settle([done(first)], 1)).commands);
    expect(await handWorker(world.client, "w2").claim()).toEqual([]);
    await pass(shelf(), world, acceptMs + 2 * sweepMs);
    const again = only(await handWorker(world.client, "w2").claim());
    expect(again).toMatchObject({ command_id: lost.command_id, attempt: 1 });
    expect(await attemptsOf(world, id)).toEqual([]);
    const { verdicts } = await handWorker(world.client, "w2").settle([done(again)]);
    expect(verdicts).toEqual(["accepted"]);
    expect((await worker.settle([done(lost)])).verdicts).toEqual(["duplicate"]);
    expect(await world.ended(id)).toBe("completed");
  });

  describe("an execution", () => {
    const played = async (world: World, worker: HandWorker) => {
      const ran: WorkerCommand[] = [];
      let command: WorkerCommand | undefined = only(await worker.claim(1));
      await world.control.sweep.sweepOnce();
      while (command !== undefined) {
        ran.push(command);
        command = (await worker.settle([done(command)], 1)).commands[0];
      }
      return ran;
    };

    test("keeps its worker while nobody waits", async () => {
      const world = open();
      await world.register(chain("t/long", stickyCommandsMax * 3));
      await world.start("t/long");
      const [, ...handed] = await played(world, handWorker(world.client));
      expect(handed).toHaveLength(stickyCommandsMax * 3 - 1);
      expect(new Set(handed.map(({ lease_ms }) => lease_ms))).toEqual(new Set([acceptMs]));
    });

    test("yields after its share when others wait, and gets its turn again", async () => {
      const world = open();
      await world.register(chain("t/long", stickyCommandsMax * 3));
      await world.register(chain("t/short", 2));
      await world.start("t/long");
      await world.start("t/short");
      const ran = await played(world, handWorker(world.client));
      const paths = ran.map(({ path }) => path);
      expect(paths.indexOf("t/short")).toBe(stickyCommandsMax + 1);
      expect(paths).toHaveLength(stickyCommandsMax * 3 + 2);
    });
  });

  describe("suspects", () => {
    /** A worker that dies with so many commands in its hands. */
    async function died(count: number) {
      const world = open();
      await world.register(chain("t/one", 1));
      const ids: ExecutionId[] = [];
      for (let n = 0; n < count; n++) ids.push(await world.start("t/one"));
      await handWorker(world.client, "dead").claim(count);
      await shelf().passLeases(world);
      return { world, ids };
    }

    test("run one at a time, each next one in the reply to the settle before", async () => {
      const { world, ids } = await died(64);
      const worker = handWorker(world.client);
      expect(await worker.claim(100)).toEqual([]);
      let held = await worker.claimIdle(100);
      let ran = 0;
      while (held.length > 0) {
        expect(held).toMatchObject([{ alone: true, attempt: 2 }]);
        held = (
          await worker.settleIdle(
            held.map((command) => done(command)),
            100,
          )
        ).commands;
        ran += 1;
      }
      expect(ran).toBe(64);
      for (const id of ids) expect(await world.ended(id)).toBe("completed");
    });

    test("go before the next step of the execution whose suspect went well", async () => {
      const world = open();
      await world.register(chain("t/two", 2));
      await world.start("t/two");
      await world.start("t/two");
      await handWorker(world.client, "dead").claim(2);
      await shelf().passLeases(world);
      const worker = handWorker(world.client);
      const first = only(await worker.claimIdle());
      const next = only((await worker.settleIdle([done(first)])).commands);
      expect(next).toMatchObject({ step: "s1", alone: true });
      const rest = (await worker.settleIdle([done(next)])).commands;
      expect(rest.map(({ step }) => step)).toEqual(["s2", "s2"]);
    });

    test("make a busy worker run empty when no idle one comes, one worker at a time", async () => {
      const { world } = await died(2);
      await world.register(chain("t/busy", 20));
      for (let n = 0; n < 2; n++) await world.start("t/busy");
      const [one, two] = [handWorker(world.client, "one"), handWorker(world.client, "two")];
      let first = only(await one.claim(1));
      let second = only(await two.claim(1));
      const early = await one.settle([done(first)], 1);
      expect(early.quiesce).toBeUndefined();
      first = only(early.commands);
      await pass(shelf(), world, suspectWaitMs + sweepMs);
      const told = await one.settle([done(first)], 1);
      expect(told.quiesce).toBe(true);
      const spared = await two.settle([done(second)], 1);
      expect(spared.quiesce).toBeUndefined();
      second = only(spared.commands);
      await pass(shelf(), world, quiesceMs + sweepMs);
      const again = await two.settle([done(second)], 1);
      expect(again.quiesce).toBe(true);
    });

    test("a worker lost among others counts against nobody; one lost alone counts", async () => {
      const { world, ids } = await died(2);
      const [id] = ids;
      if (id === undefined) throw new Error("nothing was started");
      const worker = handWorker(world.client);
      only(await worker.claimIdle());
      await shelf().passLeases(world);
      const reasons = (await attemptsOf(world, id)).map((event) =>
        event.type === "command.reissued" ? event.reason : "",
      );
      expect(reasons).toEqual(["lease_expired", "worker_died"]);
    });
  });
});
