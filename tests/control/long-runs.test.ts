// Executions that are longer than one transition, more than the memory holds, or damaged.

import { describe, expect, test } from "bun:test";
import { chainDigest } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { decideEventsMax } from "#core/model/limits";
import type { EventLog } from "#core/ports/event-log";
import { eventually, onBothStores, onMemory, sha256, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain, loop } from "./playbooks.ts";

type Id = Parameters<World["events"]>[0];

const items = (count: number) => ({ items: Array.from({ length: count }, (_, index) => index) });

/** Appends an event past everything that would have kept it out. */
async function damage({ log }: { readonly log: EventLog }, id: Id, part: object): Promise<void> {
  const head = await log.head(id);
  if (head === undefined) throw new Error(`execution ${id} does not exist`);
  const seq = head.seq + 1;
  const event = {
    execution_id: id,
    seq,
    event_id: "9000000000000000000",
    time: 9_000_000_000_000,
    schema_version: 1,
    ...part,
  } as unknown as Event;
  const text = JSON.stringify(event);
  const digest = chainDigest(head.digest, text, sha256);
  const transition = { row: head.row, expectedHead: head.seq, settled: [], issued: [] };
  await log.append([{ ...transition, events: [{ event, text, digest }] }]);
}

onBothStores((shelf) => {
  describe("a log that does not replay", () => {
    const damages: readonly (readonly [string, object])[] = [
      [
        "an event that can't stand there",
        { type: "step.exit", step: "nowhere", status: "completed", taken: [] },
      ],
      ["an event without its fields", { type: "call.done", command_id: "none" }],
      ["an event of no known type", { type: "no.such.event" }],
    ];
    for (const [what, part] of damages) {
      test(`sets its own execution aside, with the reason: ${what}`, async () => {
        const world = shelf().open();
        await world.register(chain("t/one", 1));
        const bad = await world.start("t/one");
        const good = await world.start("t/one");
        const worker = handWorker(world.client);
        const commands = await worker.claim();
        await damage(world.stores, bad, part);
        const { verdicts } = await worker.settle(commands.map((command) => done(command)));
        expect(verdicts).toEqual(["gone", "accepted"]);
        expect(await world.ended(good)).toBe("completed");
        const refusal = world.client
          .executionStatus({ params: { id: bad } })
          .catch((thrown: unknown) => thrown);
        expect(await refusal).toMatchObject({
          code: "internal",
          message: expect.stringMatching(`execution ${bad} is quarantined: event 4:`),
        });
        expect(await world.stores.log.quarantined(bad)).toMatch(/^event 4: /);
        expect(await world.stores.log.quarantined(good)).toBeUndefined();
        expect(await world.client.listExecutions({ query: {} })).toHaveLength(2);
        const page = await world.client.executionEvents({ params: { id: bad }, query: {} });
        expect(page.events).toHaveLength(4);
        await world.start("t/one");
        expect(await worker.drain()).toBe(1);
      });
    }
  });

  describe("a state that is not in memory", () => {
    test("is rebuilt, however many executions there are beyond what is kept", async () => {
      const world = shelf().open({ statesMax: 3 });
      await world.register(chain("t/chain", 3));
      const ids: Id[] = [];
      for (let count = 0; count < 12; count++) ids.push(await world.start("t/chain"));
      const worker = handWorker(world.client);
      expect(await worker.drain(({ step }) => step)).toBe(36);
      for (const id of ids) {
        expect(await world.ended(id)).toBe("completed");
        expect(await world.problems(id)).toEqual([]);
      }
    });

    test("leads to the same decisions as one that is", async () => {
      const tale = async (fresh: boolean) => {
        const world = shelf().open();
        await world.register(loop("t/loop", 3));
        const id = await world.start("t/loop", items(7));
        for (let going = true; going; ) {
          const { client } = fresh ? world.another() : world;
          const worker = handWorker(client);
          const [command] = await worker.claim(1);
          going = command !== undefined;
          if (command !== undefined) await worker.settle([done(command, command.step)]);
        }
        expect(await world.ended(id)).toBe("completed");
        expect(await world.problems(id)).toEqual([]);
        return (await world.events(id)).map(({ execution_id, event_id, time, ...rest }) =>
          JSON.stringify(rest)
            .replaceAll(execution_id, "id")
            .replace(/"(duration_ms|catalog_id)":[^,}]*/g, ""),
        );
      };
      expect(await tale(true)).toEqual(await tale(false));
    });
  });
});

onMemory((shelf) => {
  describe("a loop whose items are more than one transition can issue", () => {
    test("goes on over several transitions to its end", async () => {
      const sizes: number[] = [];
      const note = (log: EventLog): EventLog => ({
        ...log,
        append: (transitions) => {
          sizes.push(...transitions.map(({ events }) => events.length));
          return log.append(transitions);
        },
      });
      const world = shelf().open({ wrap: ({ log }) => ({ log: note(log) }) });
      await world.register(loop("t/loop", 5_000));
      const id = await world.start("t/loop", items(5_000));
      await eventually(async () => {
        const [pool] = await world.stores.log.backlog();
        return pool?.ready === 5_000 ? true : undefined;
      });
      expect(sizes.length).toBeGreaterThanOrEqual(3);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(decideEventsMax + 1);
      expect(await handWorker(world.client).drain(({ iteration }) => iteration?.index ?? 0)).toBe(
        5_001,
      );
      expect(await world.ended(id)).toBe("completed");
      expect(await world.problems(id)).toEqual([]);
      expect(await world.stores.log.due(10, 1)).toEqual([]);
    }, 30_000);

    test("goes on after the process died between two of them", async () => {
      let appends = 0;
      const dying = (log: EventLog): EventLog => ({
        ...log,
        append: async (transitions) => {
          if (++appends > 1) throw new Fault("internal", "the process is gone");
          return log.append(transitions);
        },
        due: async () => [],
      });
      const world = shelf().open({ wrap: ({ log }) => ({ log: dying(log) }) });
      await world.register(loop("t/loop", 3_000));
      const id = await world.start("t/loop", items(3_000));
      await eventually(async () => world.reports[0]);
      expect((await world.stores.log.backlog())[0]?.ready).toBeLessThan(3_000);
      const next = world.another();
      await eventually(async () => {
        const [pool] = await next.stores.log.backlog();
        return pool?.ready === 3_000 ? true : undefined;
      });
      expect(await next.problems(id)).toEqual([]);
      expect(only((await next.stores.log.backlog()).map(({ pool }) => pool))).toBe("default");
    }, 30_000);
  });
});
