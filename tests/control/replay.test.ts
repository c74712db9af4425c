// The state as of then: by number, id, time and position the same event is found, and its state is
// the one that the execution had there.

import { describe, expect, test } from "bun:test";
import type { Fault } from "#core/model/fault";
import { inlineBytesMax } from "#core/model/limits";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { busyDatabase } from "./busy-database.ts";
import { chain, passing } from "./playbooks.ts";

type Id = Parameters<World["events"]>[0];
type Query = Parameters<World["client"]["replayState"]>[0]["query"];

const stateAt = (world: World, id: Id, query: Query = {}) =>
  world.client.replayState({ params: { id }, query });

onBothStores((shelf) => {
  const ran = async () => {
    const world = shelf().open();
    await world.register(chain("t/chain", 3));
    const id = await world.start("t/chain");
    await handWorker(world.client).drain(({ step }) => ({ of: step }));
    expect(await world.ended(id)).toBe("completed");
    return { world, id, events: await world.events(id) };
  };

  test("every cutoff that names an event gives the state after it", async () => {
    const { world, id, events } = await ran();
    for (const event of events) {
      const bySeq = await stateAt(world, id, { as_of_seq: event.seq });
      expect(bySeq).toMatchObject({ as_of: { seq: event.seq, event_id: event.event_id } });
      expect(await stateAt(world, id, { as_of_event_id: event.event_id })).toEqual(bySeq);
      const byTime = await stateAt(world, id, { as_of_time: new Date(event.time).toISOString() });
      const last = events.findLast(({ time }) => time <= event.time);
      expect(byTime.as_of.seq).toBe(last?.seq ?? 0);
    }
    const { entries } = await world.stores.feed.after(undefined, {
      limit: 500,
      executionIds: [id],
    });
    expect(entries.map(({ event }) => event.seq)).toEqual(events.map(({ seq }) => seq));
    for (const { position, event } of entries) {
      const { as_of } = await stateAt(world, id, { as_of_position: position });
      expect(as_of.seq).toBe(event.seq);
    }
  }, 30_000);

  test("tells what ran, what was open and what was known then", async () => {
    const { world, id, events } = await ran();
    const settled = events.find(({ type }) => type === "call.done")?.seq ?? 0;
    const before = await stateAt(world, id, { as_of_seq: settled - 1 });
    expect(before).toMatchObject({
      status: "RUNNING",
      current_step: "s1",
      steps: [{ step: "s1", status: "entered", visits: 1 }],
      commands: [{ command_id: `${id}:s1:1`, attempt: 1, waiting: false }],
    });
    const now = await stateAt(world, id);
    expect(now).toMatchObject({
      status: "COMPLETED",
      as_of: { seq: events.length },
      head: events.length,
      commands: [],
      steps: ["s1", "s2", "s3"].map((step) => ({
        step,
        status: "completed",
        output: { status: "ok", data: { of: step } },
      })),
      result: { status: "ok", data: { of: "s3" } },
    });
    expect((await stateAt(world, id, { as_of_seq: 999 })).as_of.seq).toBe(events.length);
  }, 30_000);

  test("shows large values in summary, and open loops with their progress", async () => {
    const world = shelf().open();
    const { ids } = await busyDatabase(world);
    const { loops, commands } = await stateAt(world, ids.looping);
    expect(loops).toEqual([
      { step: "each", visit: 1, mode: "parallel", total: 9, issued: 5, done: 2, failed: 0 },
    ]);
    expect(commands.length).toBe(3);
    const [waiting] = (await stateAt(world, ids.waiting)).commands;
    expect(waiting).toMatchObject({ waiting: true, attempt: 1 });
    await world.register(passing("t/large"));
    const id = await world.start("t/large");
    await handWorker(world.client).drain(() => "x".repeat(inlineBytesMax + 1));
    expect(JSON.stringify(await stateAt(world, id)).length).toBeLessThan(10_000);
  }, 30_000);

  describe("checksums", () => {
    test("are equal for equal states, and say which surface differs", async () => {
      const { world, id, events } = await ran();
      const [one, again] = [await stateAt(world, id), await stateAt(world.another(), id)];
      expect(again.checksums).toEqual(one.checksums);
      expect(again.checksum).toBe(one.checksum);
      const exit = events.findLast(({ type }) => type === "step.exit")?.seq ?? 0;
      const before = await stateAt(world, id, { as_of_seq: exit });
      expect(before.checksum).not.toBe(one.checksum);
      expect(before.checksums.steps).toBe(one.checksums.steps);
      expect(before.checksums.execution).not.toBe(one.checksums.execution);
      const call = await stateAt(world, id, { as_of_seq: exit - 2 });
      expect(call.checksums.commands).not.toBe(one.checksums.commands);
      await world.start("t/chain");
    }, 30_000);

    test("of variables tell of a variable alone", async () => {
      const world = shelf().open();
      await world.register(chain("t/chain", 1));
      const id = await world.start("t/chain");
      const before = await stateAt(world, id);
      await world.client.setVariables({ params: { id }, body: { variables: { b: 1, a: [2] } } });
      const after = await stateAt(world, id);
      expect(after.variables).toEqual({ b: 1, a: [2] });
      expect(after.checksums.variables).not.toBe(before.checksums.variables);
      expect(after.checksums.steps).toBe(before.checksums.steps);
      expect(after.checksums.commands).toBe(before.checksums.commands);
    }, 30_000);
  });

  test("before the first event there was nothing", async () => {
    const { world, id, events } = await ran();
    const early = new Date((events[0]?.time ?? 0) - 1).toISOString();
    for (const query of [{ as_of_time: early }, { as_of_event_id: "1" }, { as_of_seq: 0 }]) {
      const refusal = await stateAt(world, id, query).catch((thrown: Fault) => thrown);
      expect(refusal).toMatchObject({
        code: "not_found",
        message: expect.stringContaining("then"),
      });
    }
  });
});
