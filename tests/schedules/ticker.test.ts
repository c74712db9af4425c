// What comes of schedules as time goes by: each tick once, whoever looks and wherever they die.
import { expect, test } from "bun:test";
import { ticker } from "#control/schedules/ticker";
import { Fault } from "#core/model/fault";
import type { RequestKeys } from "#core/ports/request-keys";
import type { ScheduleStore } from "#core/ports/schedule-store";
import { onMemory } from "#tests/support/control";
import { only } from "#tests/support/hand-worker";
import {
  type Body,
  entries,
  get,
  look,
  minute,
  path,
  type Run,
  runs,
  scheduled,
  tickAt,
  ticksOf,
} from "./scheduled.ts";

onMemory((shelf) => {
  test("two tickers over one store start an interval's playbook once per tick", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const other = world.another({ clock });
    const id = await scheduled(world, { workload: { who: "Ada" }, priority: 4 });
    const fromMs = clock.nowMs();
    const options = (owner: string) => ({ owner, report: () => {} });
    const roles = [world, other].map((one, n) => ticker(one.control.executions, options(`${n}`)));
    await clock.advance(5 * minute + 1_000);
    await Promise.all(roles.map((role) => role.stop()));
    const ticks = [1, 2, 3, 4, 5].map((n) => tickAt(n, fromMs));
    expect(await ticksOf(world)).toEqual(ticks);
    expect(await entries(world, id)).toEqual(ticks.map((tick) => [tick, "started"]));
    const [first] = await runs(world);
    const [started] = await world.events((first as Run).id);
    expect(started).toMatchObject({
      workload: { who: "Ada" },
      priority: 4,
      origin: { client_id: `schedule/${id}`, subject: "local" },
    });
    expect(await get(world, id)).toMatchObject({
      ...{ last_tick: ticks[4], last_status: "started", next_tick: tickAt(6, fromMs) },
    });
  });

  test("three tickers of which one dies at every place start each tick once", async () => {
    const { clock } = shelf();
    const sure = shelf().open({ clock });
    const id = await scheduled(sure);
    const fromMs = clock.nowMs();
    let calls = 0;
    let diesAt = 0;
    const dying = <Store extends object>(store: Store): Store =>
      new Proxy(store, {
        get: (target, name) => {
          const own: unknown = Reflect.get(target, name);
          if (typeof own !== "function") return own;
          return async (...given: unknown[]) => {
            const isBefore = ++calls === diesAt;
            if (isBefore) throw new Fault("unavailable", "died before");
            const answer: unknown = await Reflect.apply(own, target, given);
            if (++calls === diesAt) throw new Fault("unavailable", "died after");
            return answer;
          };
        },
      });
    const options = {
      clock,
      wrap: (stores: { readonly schedules: ScheduleStore; readonly requestKeys: RequestKeys }) => ({
        schedules: dying(stores.schedules),
        requestKeys: dying(stores.requestKeys),
      }),
    };
    const mortal = sure.another(options);
    let deaths = 0;
    for (let place = 1; place <= 12; place++) {
      await clock.advance(minute);
      [calls, diesAt] = [0, place];
      await look(mortal.control.executions).catch(() => deaths++);
      diesAt = 0;
      await Promise.all([look(sure.control.executions), look(mortal.control.executions)]);
    }
    expect(deaths).toBeGreaterThanOrEqual(6);
    const ticks = Array.from({ length: 12 }, (_, n) => tickAt(n + 1, fromMs));
    expect(await ticksOf(sure)).toEqual(ticks);
    expect(await entries(sure, id)).toEqual(ticks.map((tick) => [tick, "started"]));
  });

  test("a process whose clock is ten minutes off starts nothing early and nothing late", async () => {
    const { clock } = shelf();
    for (const offMs of [-10 * minute, 10 * minute]) {
      const off = { ...clock, nowMs: () => clock.nowMs() + offMs };
      const world = shelf().open({ clock: off });
      const id = await scheduled(world, { name: `off by ${offMs}` });
      const fromMs = clock.nowMs();
      expect(await get(world, id)).toMatchObject({ next_tick: tickAt(1, fromMs) });
      await clock.advance(minute - 1);
      await look(world.control.executions);
      expect(await entries(world, id)).toEqual([]);
      await clock.advance(1);
      await look(world.control.executions);
      expect(await entries(world, id)).toEqual([[tickAt(1, fromMs), "started"]]);
      await world.client.deleteSchedule({ params: { id } });
    }
  });

  test("a tick that can't be started fails, the next goes on, and ten are told of", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world);
    const gone = world.another({
      clock,
      wrap: ({ catalog }) => ({ catalog: { ...catalog, byPath: async () => undefined } }),
    });
    const reports: string[] = [];
    for (let n = 1; n <= 11; n++) {
      await clock.advance(minute);
      reports.push(...(await look(gone.control.executions)));
      const { last_status } = await get(world, id);
      expect(last_status).toBe(n < 10 ? "failed" : "failing");
    }
    expect(reports).toEqual([`schedule ${id}: the last 10 ticks could not be started`]);
    const { ticks } = await world.client.scheduleTicks({ params: { id }, query: { limit: 1 } });
    expect(only(ticks).message).toBe(`playbook ${path} is not in the catalog`);
    await clock.advance(minute);
    await look(world.control.executions);
    expect(await get(world, id)).toMatchObject({ last_status: "started" });
  });

  test("a store that is away loses no tick, and is told of once", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world);
    let isAway = true;
    const away = world.another({
      clock,
      wrap: ({ requestKeys }) => ({
        requestKeys: {
          ...requestKeys,
          take: async (list) => {
            if (isAway) throw new Fault("unavailable", "the store is away");
            return requestKeys.take(list);
          },
        },
      }),
    });
    const reports: string[] = [];
    const report = (message: string): void => void reports.push(message);
    const role = ticker(away.control.executions, { owner: "a", report });
    const fromMs = clock.nowMs();
    await clock.advance(minute + 20_000);
    isAway = false;
    await clock.advance(5_000);
    await role.stop();
    expect(reports).toEqual(["schedules: the store is away"]);
    expect(await entries(world, id)).toEqual([[tickAt(1, fromMs), "started"]]);
  });

  test("a start that may go well later is tried again, and no failure", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world);
    let isAway = true;
    const away = world.another({
      clock,
      wrap: ({ catalog }) => ({
        catalog: {
          ...catalog,
          byPath: async (...asked) => {
            if (isAway) throw new Fault("unavailable", "the catalog is away");
            return catalog.byPath(...asked);
          },
        },
      }),
    });
    await clock.advance(minute);
    expect(await look(away.control.executions)).toEqual(["schedules: the catalog is away"]);
    expect(await entries(world, id)).toEqual([]);
    isAway = false;
    await look(away.control.executions);
    expect((await entries(world, id)).map(([, outcome]) => outcome)).toEqual(["started"]);
  });

  test("a change while its tick is being started neither loses nor repeats it", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world);
    const fromMs = clock.nowMs();
    let change = async (): Promise<void> => {};
    const between = world.another({
      clock,
      wrap: ({ requestKeys }) => ({
        requestKeys: {
          ...requestKeys,
          take: async (list) => {
            await change();
            return requestKeys.take(list);
          },
        },
      }),
    });
    const put = (body: Partial<Body>) => async (): Promise<void> => {
      change = async () => {};
      await world.client.putSchedule({ params: { id }, body: { path, ...body } });
    };
    await clock.advance(minute);
    change = put({ interval_seconds: 60, workload: { new: true } });
    await look(between.control.executions);
    expect(await ticksOf(world)).toEqual([tickAt(1, fromMs)]);
    expect(await get(world, id)).toMatchObject({ next_tick: tickAt(2, fromMs), revision: 2 });
    await clock.advance(minute);
    // Due already, and changed before anybody has looked.
    await put({ interval_seconds: 60, catch_up: 3 })();
    change = put({ interval_seconds: 90 });
    await look(between.control.executions);
    expect(await ticksOf(world)).toEqual([tickAt(1, fromMs), tickAt(2, fromMs)]);
    expect((await entries(world, id)).map(([, outcome]) => outcome)).toEqual([
      "started",
      "started",
    ]);
    const next = new Date(fromMs + 180_000).toISOString();
    expect(await get(world, id)).toMatchObject({ next_tick: next, revision: 4 });
  });

  test("jitter moves when a tick is due, by the same for it each time, and not the tick", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    const id = await scheduled(world, { jitter_seconds: 30 });
    const fromMs = clock.nowMs();
    const delays = new Set<number>();
    for (let n = 1; n <= 5; n++) {
      const { next_at, next_tick } = await get(world, id);
      expect(next_tick).toBe(tickAt(n, fromMs));
      const delayMs = Date.parse(next_at ?? "") - Date.parse(next_tick ?? "");
      expect(delayMs).toBeWithin(0, 30_001);
      delays.add(delayMs);
      await clock.advance(Date.parse(next_at ?? "") - clock.nowMs() - 1);
      await look(world.control.executions);
      expect(await entries(world, id)).toHaveLength(n - 1);
      await clock.advance(1);
      await look(world.control.executions);
      expect(await entries(world, id)).toHaveLength(n);
    }
    expect(delays.size).toBeGreaterThan(1);
  });
});
