// Replicas, lost replies and refusals of the store: nothing is lost, nothing is recorded twice.

import { describe, expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import type { EventLog } from "#core/ports/event-log";
import { onBothStores, type Shelf, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import type { VirtualClock } from "#tests/support/virtual-clock";
import { chain, loop } from "./playbooks.ts";

type Id = Parameters<World["events"]>[0];
type Append = EventLog["append"];

const around = (append: (inner: Append) => Append) => ({
  wrap: ({ log }: { readonly log: EventLog }) => ({
    log: { ...log, append: append((transitions) => log.append(transitions)) },
  }),
});

/** Waits while time goes on, so that pauses between tries pass. */
async function inTime<Value>(clock: VirtualClock, wait: Promise<Value>): Promise<Value> {
  let over = false;
  const settled = wait.finally(() => {
    over = true;
  });
  while (!over) await clock.advance(50);
  return settled;
}

const outcomes = async (world: World, id: Id) =>
  (await world.events(id)).filter(({ type }) => type === "call.done" || type === "call.error");

const items = (count: number) => ({ items: Array.from({ length: count }, (_, index) => index) });

onBothStores((shelf) => {
  describe("two control planes over one store", () => {
    test("take turns on one execution, each with the other's words in its ear", async () => {
      const planes = [shelf().open(), shelf().open()] as const;
      await planes[0].register(chain("t/turns", 9));
      const id = await planes[1].start("t/turns");
      let commands = await handWorker(planes[0].client).claim();
      for (let turn = 1; commands.length > 0; turn++) {
        const plane = planes[turn % 2 === 0 ? 0 : 1];
        const reply = await handWorker(plane.client).settle([done(only(commands), turn)], 1);
        expect(reply.verdicts).toEqual(["accepted"]);
        commands = reply.commands;
      }
      expect(await planes[0].ended(id)).toBe("completed");
      expect(await outcomes(planes[0], id)).toHaveLength(9);
      expect(await planes[0].problems(id)).toEqual([]);
    });

    test("serve one execution at the same time: no outcome is lost or doubled", async () => {
      const planes = [shelf().open(), shelf().open()] as const;
      await planes[0].register(loop("t/loop", 40));
      const id = await planes[0].start("t/loop", items(40));
      const workers = planes.map(({ client }, index) => handWorker(client, `w${index}`));
      const commands = (await Promise.all(workers.map((worker) => worker.claim(20)))).flat();
      // Both are told of every outcome, so that each races the other for all of them.
      const both = workers.flatMap((worker) =>
        commands.map(async (command) => {
          for (;;) {
            const [verdict] = (await worker.settle([done(command)])).verdicts;
            if (verdict !== "retry") return verdict;
          }
        }),
      );
      const verdicts = await Promise.all(both);
      expect(verdicts.filter((verdict) => verdict === "accepted")).toHaveLength(40);
      expect(verdicts.filter((verdict) => verdict === "duplicate")).toHaveLength(40);
      await handWorker(planes[1].client).drain();
      expect(await planes[0].ended(id)).toBe("completed");
      expect(await outcomes(planes[0], id)).toHaveLength(41);
      expect(await planes[0].problems(id)).toEqual([]);
    });
  });

  describe("what was committed although its caller saw an error", () => {
    for (const times of [1, 3]) {
      test(`is recorded once, ${times} times in a row`, async () => {
        let losses = 0;
        const lossy = around((append) => async (transitions) => {
          const verdicts = await append(transitions);
          if (losses-- > 0) throw new Fault("unavailable", "the reply was lost");
          return verdicts;
        });
        const world = shelf().open(lossy);
        await world.register(chain("t/chain", 3));
        losses = times;
        const id = await world.start("t/chain");
        expect(await world.client.listExecutions({ query: {} })).toHaveLength(1);
        const worker = handWorker(world.client);
        for (let step = 1; step <= 3; step++) {
          const command = only(await worker.claim());
          losses = times;
          const [verdict] = (await worker.settle([done(command, step)])).verdicts;
          expect(["accepted", "duplicate"]).toContain(verdict ?? "");
        }
        losses = 0;
        const detail = await world.client.getExecution({ params: { id } });
        expect(detail).toMatchObject({ status: "COMPLETED", result: 3 });
        expect(await outcomes(world, id)).toHaveLength(3);
        expect(await world.problems(id)).toEqual([]);
      });
    }

    test("is found again by its verdict when the replies stay away", async () => {
      const { clock } = shelf();
      let lost = false;
      const lossy = around((append) => async (transitions) => {
        const verdicts = await append(transitions);
        if (lost) throw new Fault("unavailable", "the reply was lost");
        return verdicts;
      });
      const world = shelf().open({ ...lossy, clock });
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      lost = true;
      const [verdict] = (await inTime(clock, worker.settle([done(command)]))).verdicts;
      expect(verdict).toBe("duplicate");
      expect(await outcomes(world, id)).toHaveLength(1);
    });
  });

  describe("a store that is away", () => {
    const outage = (shelf: Shelf) => {
      const state = { away: false };
      const away = around((append) => async (transitions) => {
        if (state.away) throw new Fault("unavailable", "the store is away");
        return append(transitions);
      });
      return { state, world: shelf.open({ ...away, clock: shelf.clock }) };
    };

    test("makes workers keep their outcomes, and takes them when it is back", async () => {
      const { state, world } = outage(shelf());
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const worker = handWorker(world.client);
      const command = only(await worker.claim());
      state.away = true;
      const reply = await inTime(shelf().clock, worker.settle([done(command, 5)]));
      expect(reply.verdicts).toEqual(["retry"]);
      expect(await outcomes(world, id)).toEqual([]);
      state.away = false;
      expect((await worker.settle([done(command, 5)])).verdicts).toEqual(["accepted"]);
      expect(await world.client.getExecution({ params: { id } })).toMatchObject({ result: 5 });
    });

    test("is told to everybody else as a fault that may pass", async () => {
      const { state, world } = outage(shelf());
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      state.away = true;
      const cancel = world.client.cancelExecution({ params: { id }, body: {} });
      const fault: unknown = await inTime(
        shelf().clock,
        cancel.catch((thrown: unknown) => thrown),
      );
      expect(fault).toMatchObject({ code: "unavailable", retryable: true });
      state.away = false;
      expect(await world.client.executionStatus({ params: { id } })).toMatchObject({
        status: "RUNNING",
      });
    });
  });

  describe("a payload that the store refuses", () => {
    const picky = around((append) => async (transitions) => {
      const poisoned = transitions.some(({ events }) =>
        events.some(({ text }) => text.includes("poison")),
      );
      if (poisoned) throw new Fault("internal", "the database refused the statement");
      return append(transitions);
    });

    test("becomes an error of its own command; neighbours in the same flush are recorded", async () => {
      const world = shelf().open(picky);
      await world.register(loop("t/loop", 5));
      await world.register(chain("t/one", 1));
      const id = await world.start("t/loop", items(5));
      const other = await world.start("t/one");
      const worker = handWorker(world.client);
      const commands = await worker.claim();
      const { verdicts } = await worker.settle(
        commands.map((command, index) => done(command, index === 2 ? "poison" : index)),
      );
      expect(verdicts).toEqual(Array(6).fill("accepted"));
      expect(await world.ended(other)).toBe("completed");
      const errors = (await outcomes(world, id)).filter(({ type }) => type === "call.error");
      expect(only(errors)).toMatchObject({
        command_id: commands[2]?.command_id,
        output: { error: { code: "result_rejected", retryable: false } },
      });
      expect(await outcomes(world, id)).toHaveLength(5);
      expect(await world.problems(id)).toEqual([]);
    });

    test("does no harm to other executions in the same flush", async () => {
      let flushed = 0;
      const counted = around((append) => (transitions) => {
        flushed = Math.max(flushed, transitions.length);
        return append(transitions);
      });
      const world = shelf().open({
        wrap: (stores) => picky.wrap({ log: counted.wrap(stores).log }),
      });
      await world.register(chain("t/one", 1));
      const ids: Id[] = [];
      for (let count = 0; count < 8; count++) ids.push(await world.start("t/one"));
      const worker = handWorker(world.client);
      const outcomes = (await worker.claim()).map((command, index) =>
        done(command, index === 3 ? "poison" : index),
      );
      expect((await worker.settle(outcomes)).verdicts).toEqual(Array(8).fill("accepted"));
      const ends = await Promise.all(ids.map((id) => world.ended(id)));
      expect(ends).toEqual(ids.map((_, index) => (index === 3 ? "failed" : "completed")));
      expect(flushed).toBeGreaterThan(1);
    });

    test("of an input is told to whoever sent it, and starts nothing", async () => {
      const world = shelf().open(picky);
      await world.register(chain("t/one", 1));
      const refusal = world.start("t/one", { who: "poison" }).catch((thrown: unknown) => thrown);
      expect(await refusal).toMatchObject({ code: "internal" });
      expect(await world.client.listExecutions({ query: {} })).toEqual([]);
    });
  });
});
