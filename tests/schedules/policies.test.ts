// What becomes of ticks that come while the last execution runs, that were missed, or lie in a pause;
// and those that are asked for.
import { expect, test } from "bun:test";
import { tickRound } from "#control/schedules/round";
import { executionId } from "#core/model/ids";
import { onMemory } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import {
  entries,
  get,
  look,
  minute,
  path,
  type Run,
  runs,
  scheduled,
  tickAt,
} from "./scheduled.ts";

onMemory((shelf) => {
  for (const [catchUp, made] of [
    [0, 0],
    [1, 1],
    [5, 5],
  ] as const) {
    test(`after an hour away with catch_up ${catchUp}, ${made} missed ticks are made up for`, async () => {
      const { clock } = shelf();
      const world = shelf().open({ clock });
      for (const timing of [{ interval_seconds: 60 }, { cron: "* * * * *" }]) {
        const name = Object.keys(timing).join();
        const id = await scheduled(world, { name, catch_up: catchUp, ...timing });
        const [first = ""] = (await world.client.scheduleNext({ params: { id }, query: {} })).ticks;
        const firstMs = Date.parse(first);
        await clock.advance(firstMs - clock.nowMs() + 59 * minute + 500);
        await look(world.control.executions);
        // The tick of this minute is no late one.
        const started = Array.from({ length: made + 1 }, (_, n) => tickAt(59 - made + n, firstMs));
        expect(await entries(world, id)).toEqual([
          [first, "skipped_late"],
          ...started.map((tick) => [tick, "started"]),
        ]);
        const { ticks } = await world.client.scheduleTicks({ params: { id }, query: {} });
        const many = name === "cron" ? "more than 20" : `${59 - made}`;
        expect(ticks.at(-1)?.message).toStartWith(`${many} ticks from ${first}`);
        await world.client.deleteSchedule({ params: { id } });
      }
    });
  }

  test("what is made up for stays what it was, however long making up takes", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world, { catch_up: 4 });
    const fromMs = clock.nowMs();
    await clock.advance(10 * minute + 30_000);
    const kept = new Map<string, number>();
    for (let n = 0; n < 4; n++) {
      await tickRound(world.control.executions, { kept, report: () => {} });
      await clock.advance(2 * minute);
    }
    const made = [6, 7, 8].map((n) => [tickAt(n, fromMs), "started"]);
    const first = [tickAt(1, fromMs), "skipped_late"];
    expect(await entries(world, id)).toEqual([first, ...made]);
  });

  test("allow starts beside what still runs, and skip does not", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const beside = await scheduled(world, { name: "beside", overlap: "allow" });
    const skip = await scheduled(world, { name: "skip", overlap: "skip" });
    const fromMs = clock.nowMs();
    for (let n = 0; n < 2; n++) {
      await clock.advance(minute);
      await look(world.control.executions);
    }
    const [one, two, three] = [1, 2, 3].map((n) => tickAt(n, fromMs));
    expect(await entries(world, beside)).toEqual([
      [one, "started"],
      [two, "started"],
    ]);
    expect(await entries(world, skip)).toEqual([
      [one, "started"],
      [two, "skipped_overlap"],
    ]);
    await handWorker(world.client).drain();
    await clock.advance(minute);
    await look(world.control.executions);
    expect((await entries(world, skip)).at(-1)).toEqual([three, "started"]);
  });

  test("queue keeps one tick for when the last has ended, and drops those behind it", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world, { overlap: "queue" });
    const fromMs = clock.nowMs();
    for (let n = 0; n < 7; n++) {
      await clock.advance(minute);
      await look(world.control.executions);
    }
    const [one, two] = [1, 2].map((n) => tickAt(n, fromMs));
    expect(await entries(world, id)).toEqual([
      [one, "started"],
      [two, "queued"],
    ]);
    expect(await get(world, id)).toMatchObject({ queued: 1, last_status: "queued" });
    await handWorker(world.client).drain();
    await look(world.control.executions);
    expect(await entries(world, id)).toEqual([
      [one, "started"],
      [two, "started"],
    ]);
    expect(await get(world, id)).toMatchObject({ queued: 0, next_tick: tickAt(8, fromMs) });
    expect((await runs(world)).map(({ tick }) => tick)).toEqual([one, two]);
  });

  test("cancel_previous ends what still runs, and no other than that", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world, { overlap: "cancel_previous" });
    const bystander = await world.start(path);
    for (let n = 0; n < 2; n++) {
      await clock.advance(minute);
      await look(world.control.executions);
    }
    const ended = (await runs(world)).filter(({ client }) => client !== undefined);
    const statuses = ended.map(
      async ({ id: one }) => (await world.client.getExecution({ params: { id: one } })).status,
    );
    expect(await Promise.all(statuses)).toEqual(["CANCELLED", "RUNNING"]);
    const [first] = ended;
    expect((await world.events((first as Run).id)).at(-1)).toMatchObject({ by: `schedule/${id}` });
    const { status } = await world.client.getExecution({ params: { id: bystander } });
    expect(status).toBe("RUNNING");
  });

  test("a second look at the same tick never ends the tick's own execution", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    await scheduled(world, { overlap: "cancel_previous" });
    await clock.advance(minute);
    await look(world.control.executions);
    await clock.advance(minute);
    const { schedules } = world.stores;
    const seen = await schedules.due(10);
    // One that read the schedule before another ticker started its tick.
    const behind = world.another({
      clock,
      wrap: (stores) => ({ schedules: { ...stores.schedules, due: async () => seen } }),
    });
    await look(world.control.executions);
    const { executions } = behind.control;
    await tickRound(executions, { kept: new Map(), report: () => {} });
    const rows = await world.client.listExecutions({ query: {} });
    expect(rows.map(({ status }) => status)).toEqual(["RUNNING", "CANCELLED"]);
  });

  test("a pause passes its ticks over; resumed with catch_up they are made up for", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const until = new Date(clock.nowMs() + 10 * minute + 30_000).toISOString();
    const short = await scheduled(world, { name: "short" });
    const plain = await scheduled(world, { name: "plain" });
    const made = await scheduled(world, { name: "made", catch_up: 3 });
    const fromMs = clock.nowMs();
    await world.client.pauseSchedule({ params: { id: short }, body: { until } });
    await world.client.pauseSchedule({ params: { id: plain }, body: {} });
    await world.client.pauseSchedule({ params: { id: made }, body: {} });
    await clock.advance(10 * minute);
    await look(world.control.executions);
    expect(await runs(world)).toEqual([]);
    expect(await get(world, short)).toMatchObject({ status: "paused", paused_until: until });
    expect(await get(world, plain)).toMatchObject({ status: "paused", enabled: false });
    await world.client.resumeSchedule({ params: { id: plain }, body: {} });
    await world.client.resumeSchedule({ params: { id: made }, body: { catch_up: true } });
    await clock.advance(minute);
    await look(world.control.executions);
    const last = [tickAt(11, fromMs), "started"];
    const passed = [tickAt(1, fromMs), "skipped_late"];
    expect(await entries(world, short)).toEqual([passed, last]);
    expect(await entries(world, plain)).toEqual([last]);
    const late = [7, 8, 9, 10].map((n) => [tickAt(n, fromMs), "started"]);
    expect(await entries(world, made)).toEqual([passed, ...late, last]);
    expect(await get(world, short)).toMatchObject({ status: "active" });
  });

  test("a backfill starts what was not started, in order, and another starts nothing", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world, { cron: "* * * * *", catch_up: 0 });
    const [first = ""] = (await world.client.scheduleNext({ params: { id }, query: {} })).ticks;
    await clock.advance(Date.parse(first) - clock.nowMs());
    await look(world.control.executions);
    await clock.advance(20 * minute + 5_000);
    await look(world.control.executions);
    const [from, to] = [first, new Date(clock.nowMs()).toISOString()];
    const fill = (body: object = {}) =>
      world.client.backfillSchedule({ params: { id }, body: { from, to, ...body } });
    const statuses = async (body: object = {}): Promise<readonly string[]> =>
      (await fill(body)).ticks.map(({ status }) => status);
    expect(await statuses({ dry_run: true })).toEqual([
      "existed",
      ...Array(19).fill("due"),
      "existed",
    ]);
    expect(await runs(world)).toHaveLength(2);
    const part = await fill({ limit: 3 });
    expect(part.next_from).toBe(new Date(Date.parse(first) + 3 * minute).toISOString());
    expect(await statuses()).toEqual([
      ...Array(3).fill("existed"),
      ...Array(17).fill("started"),
      "existed",
    ]);
    expect(await statuses()).toEqual(Array(21).fill("existed"));
    const all = await runs(world);
    expect(all).toHaveLength(21);
    expect(new Set(all.map(({ tick }) => tick)).size).toBe(21);
    // Keys are forgotten after a week, entries are not.
    clock.jumpTo(clock.nowMs() + 8 * 24 * 60 * minute);
    expect(await statuses()).toEqual(Array(21).fill("existed"));
    expect(await runs(world)).toHaveLength(21);
    const missed = (await entries(world, id)).filter(([, outcome]) => outcome !== "started");
    expect(missed).toEqual([]);
  });

  test("a trigger starts beside the ticks, and the same request once", async () => {
    const world = shelf().open({ clock: shelf().clock });
    const id = await scheduled(world);
    const trigger = (body: object = {}) => world.client.triggerSchedule({ params: { id }, body });
    const first = await trigger({ request_id: "r1" });
    expect(await trigger({ request_id: "r1" })).toEqual({ ...first, existed: true });
    const other = await trigger();
    expect(other).toMatchObject({ existed: false });
    expect(other.execution_id).not.toBe(first.execution_id);
    const [one] = await runs(world);
    expect(one).toEqual({
      id: executionId(first.execution_id),
      client: `schedule/${id}`,
      tick: "r1",
    });
    const commands = await handWorker(world.client).claim(2);
    expect(await handWorker(world.client).settle(commands.map((each) => done(each)))).toBeDefined();
  });
});
