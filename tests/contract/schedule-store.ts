// The contract of schedules, told against the port alone.
import { expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import type {
  NewSchedule,
  Schedule,
  ScheduleAdvance,
  ScheduleStore,
  ScheduleTick,
} from "#core/ports/schedule-store";
import { onWorld, type PlatformStores, type PlatformWorld } from "./platform.ts";
import { newExecution, transition } from "./transitions.ts";

const moved = { schedule: ["next_at", "paused_until"], schedule_tick: ["at"] };

let named = 0;

export function scheduleStoreContract(world: PlatformWorld): void {
  onWorld("schedules", world, (opened) => {
    writing(opened);
    falling(opened);
    moving(opened);
    entering(opened);
  });
}

const storeOf = (opened: () => PlatformStores): ScheduleStore => opened().stores.schedules;

/** Due for a second already, unless said otherwise. */
async function sketch(
  opened: () => PlatformStores,
  part: Partial<NewSchedule> = {},
): Promise<NewSchedule & { readonly nextTickMs: number }> {
  const nowMs = await storeOf(opened).nowMs();
  const nextTickMs = part.nextTickMs ?? nowMs - 1_000;
  return {
    scheduleId: newExecution(),
    tenant: "acme",
    name: `n ${String(++named).padStart(4, "0")}`,
    path: "p/one",
    when: { kind: "cron", cron: "0 9 * * *" },
    timezone: "Europe/Berlin",
    jitterSeconds: 0,
    overlap: "allow",
    catchUp: 1,
    workload: {},
    enabled: true,
    nextAtMs: nextTickMs,
    createdAtMs: nowMs,
    ...part,
    nextTickMs,
  };
}

const moveFrom = (
  { scheduleId, revision, nextTickMs = 0 }: Schedule,
  part: Partial<ScheduleAdvance> = {},
): ScheduleAdvance => ({
  scheduleId,
  revision,
  fromTickMs: nextTickMs,
  nextAtMs: nextTickMs + 60_000,
  nextTickMs: nextTickMs + 60_000,
  queued: 0,
  failures: 0,
  standing: "started",
  tick: { tickMs: nextTickMs, outcome: "started", executionId: newExecution() },
  ...part,
});

function writing(opened: () => PlatformStores): void {
  test("what is put is what is found, every field of it", async () => {
    const store = storeOf(opened);
    const full = await sketch(opened, {
      ...{ version: 3, startsAtMs: 1_000, endsAtMs: 9_000_000_000_001, jitterSeconds: 7 },
      ...{ overlap: "queue", catchUp: 5, priority: -3, enabled: false, pausedUntilMs: 5_000 },
      workload: { text: 'a "b" \u0000 \ud83d\ude00', deep: [{ x: 1e300 }], none: null },
      ...{
        nextAtMs: 1_700_000_000_007,
        nextTickMs: 1_700_000_000_001,
        createdBy: "ada@example.com",
      },
    });
    const stored = await store.put(full);
    expect(stored).toMatchObject({ ...full, queued: 0, failures: 0, revision: 1 });
    expect(await store.get("acme", full.scheduleId)).toEqual(stored);
    const { priority: _p, version: _v, startsAtMs: _s, ...less } = full;
    const plain = { ...less, when: { kind: "interval", intervalSeconds: 90 } } as const;
    const changed = await store.put(plain, { revision: 1 });
    expect(changed).toMatchObject({ ...plain, revision: 2 });
    expect(Object.keys(changed)).not.toContain("priority");
    expect(await store.get("acme", full.scheduleId)).toEqual(changed);
  });

  test("one of another tenant is not there", async () => {
    const store = storeOf(opened);
    const { scheduleId } = await store.put(await sketch(opened));
    expect(await store.get("other", scheduleId)).toBeUndefined();
    expect(await store.remove("other", scheduleId)).toBe(false);
    expect(await store.get("acme", newExecution())).toBeUndefined();
    expect(await store.remove("acme", scheduleId)).toBe(true);
    expect(await store.remove("acme", scheduleId)).toBe(false);
  });

  test("a name is one schedule's of a tenant", async () => {
    const store = storeOf(opened);
    const first = await store.put(await sketch(opened));
    const other = await store.put(await sketch(opened));
    const twice = sketch(opened, { name: first.name });
    expect(store.put(await twice)).rejects.toMatchObject({ code: "conflict" });
    const renamed = store.put({ ...other, name: first.name }, { revision: 1 });
    expect(renamed).rejects.toMatchObject({ code: "conflict" });
    const abroad = await sketch(opened, { name: first.name, tenant: "other" });
    expect(await store.put(abroad)).toMatchObject({ revision: 1 });
  });

  test("of those that change one revision the first does", async () => {
    const store = storeOf(opened);
    const known = await store.put(await sketch(opened));
    const tries = await Promise.allSettled(
      [1, 2, 3, 4].map((catchUp) => store.put({ ...known, catchUp }, { revision: 1 })),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await store.get("acme", known.scheduleId)).toMatchObject({ revision: 2 });
    const gone = await sketch(opened);
    expect(store.put(gone, { revision: 1 })).rejects.toMatchObject({ code: "conflict" });
  });

  test("a list goes by name, from one on, and by what is asked for", async () => {
    const store = storeOf(opened);
    const tenant = "lists";
    const part = [
      { name: "Zeta", path: "p/a" },
      { name: "alpha", path: "p/b", enabled: false },
      { name: "beta 100%", path: "x/Found" },
      { name: "éa", path: "p/a" },
    ];
    for (const one of part) await store.put(await sketch(opened, { tenant, ...one }));
    const names = async (filter: object): Promise<readonly string[]> =>
      (await store.list(tenant, { limit: 10, ...filter })).map(({ name }) => name);
    expect(await names({})).toEqual(["Zeta", "alpha", "beta 100%", "éa"]);
    expect(await names({ after: "alpha", limit: 1 })).toEqual(["beta 100%"]);
    expect(await names({ path: "p/a" })).toEqual(["Zeta", "éa"]);
    expect(await names({ enabled: false })).toEqual(["alpha"]);
    expect(await names({ q: "fOUND" })).toEqual(["beta 100%"]);
    expect(await names({ q: "%" })).toEqual(["beta 100%"]);
    expect(await names({ q: "ZE" })).toEqual(["Zeta"]);
    expect(await store.list("nobody", { limit: 10 })).toEqual([]);
  });
}

const dueIds = async (store: ScheduleStore, limit = 1_000): Promise<readonly string[]> =>
  (await store.due(limit)).schedules.map(({ scheduleId }) => scheduleId);

function falling(opened: () => PlatformStores): void {
  test("due is what is enabled, not paused and has its time behind it, the longest first", async () => {
    const store = storeOf(opened);
    const nowMs = await store.nowMs();
    const make = async (part: Partial<NewSchedule>): Promise<string> =>
      (await store.put(await sketch(opened, part))).scheduleId;
    const second = await make({ nextAtMs: nowMs - 500_000 });
    const first = await make({ nextAtMs: nowMs - 900_000 });
    const later = await make({ nextAtMs: nowMs + 60_000 });
    const off = await make({ enabled: false });
    const paused = await make({ pausedUntilMs: nowMs + 60_000 });
    const { nextAtMs: _at, nextTickMs: _tick, ...over } = await sketch(opened);
    await store.put(over);
    const ids = await dueIds(store);
    expect(ids.slice(0, 2)).toEqual([first, second]);
    expect(await dueIds(store, 1)).toEqual([first]);
    for (const id of [later, off, paused, over.scheduleId]) expect(ids).not.toContain(id);
    await opened().passTime(61_000, moved);
    const then = await store.due(1_000);
    expect(then.schedules.map(({ scheduleId }) => scheduleId)).toContain(later);
    expect(then.schedules.map(({ scheduleId }) => scheduleId)).toContain(paused);
    expect(Math.abs(then.nowMs - (await store.nowMs()))).toBeLessThan(60_000);
  });

  test("the clock is told where nothing is due", async () => {
    const { nowMs, schedules } = await storeOf(opened).due(0);
    expect(schedules).toEqual([]);
    expect(Math.abs(nowMs - (await storeOf(opened).nowMs()))).toBeLessThan(60_000);
  });

  test("one whose tick waits is due once the last execution has ended", async () => {
    const { schedules: store, log } = opened().stores;
    const running = newExecution();
    await log.append([transition(running)]);
    const known = await store.put(await sketch(opened));
    const { nextTickMs = 0 } = known;
    const tick: ScheduleTick = { tickMs: nextTickMs - 1, outcome: "started", executionId: running };
    const here = { nextAtMs: nextTickMs, nextTickMs };
    await store.advance([moveFrom(known, { ...here, tick, queued: 1, standing: "queued" })]);
    expect(await dueIds(store)).not.toContain(known.scheduleId);
    expect(await store.standings([running, newExecution()])).toEqual(
      new Map([[running, "running"]]),
    );
    const ended: ScheduleTick = { ...tick, executionId: newExecution() };
    const row = await store.get("acme", known.scheduleId);
    expect(row).toMatchObject({ queued: 1, lastExecution: running, lastStatus: "queued" });
    await store.advance([moveFrom(known, { ...here, tick: ended, queued: 1 })]);
    expect(await dueIds(store)).toContain(known.scheduleId);
  });
}

function moving(opened: () => PlatformStores): void {
  test("a schedule moves on from the tick that it is at, once", async () => {
    const store = storeOf(opened);
    const known = await store.put(await sketch(opened));
    const move = moveFrom(known, { failures: 2, standing: "failed" });
    const told = await Promise.all([store.advance([move]), store.advance([move])]);
    expect(told.flat().sort()).toEqual([false, true]);
    const row = await store.get("acme", known.scheduleId);
    expect(row).toMatchObject({
      ...{ nextTickMs: move.nextTickMs, nextAtMs: move.nextAtMs, lastTickMs: known.nextTickMs },
      ...{ lastExecution: move.tick.executionId, lastStatus: "failed", failures: 2, revision: 1 },
    });
    expect(await store.ticks(known.scheduleId, { limit: 5 })).toEqual([move.tick]);
  });

  test("without a place it is over", async () => {
    const store = storeOf(opened);
    const known = await store.put(await sketch(opened));
    const { nextAtMs: _at, nextTickMs: _tick, ...last } = moveFrom(known);
    expect(await store.advance([last])).toEqual([true]);
    const row = await store.get("acme", known.scheduleId);
    expect(Object.keys(row ?? {})).not.toContain("nextTickMs");
    expect(await dueIds(store)).not.toContain(known.scheduleId);
  });

  test("a change in between keeps its place, and the tick is written down all the same", async () => {
    const store = storeOf(opened);
    const known = await store.put(await sketch(opened));
    const { nextTickMs = 0 } = known;
    const place = { nextAtMs: nextTickMs + 5_000, nextTickMs: nextTickMs + 5_000 };
    await store.put({ ...known, ...place }, { revision: 1 });
    const move = moveFrom(known);
    expect(await store.advance([move])).toEqual([false]);
    // Nor does one that was decided upon as it stood before move it from a tick that is the same.
    const before = moveFrom({ ...known, ...place }, { tick: move.tick });
    expect(await store.advance([before])).toEqual([false]);
    const row = await store.get("acme", known.scheduleId);
    expect(row).toMatchObject({ ...place, lastExecution: move.tick.executionId });
    const kept = await store.put({ ...known, catchUp: 9 }, { revision: 2, keepsPlace: true });
    expect(kept).toMatchObject({ ...place, catchUp: 9, lastTickMs: nextTickMs });
  });

  test("an older tick that is told of late takes nothing back", async () => {
    const store = storeOf(opened);
    const known = await store.put(await sketch(opened));
    const move = moveFrom(known);
    await store.advance([move]);
    const again: ScheduleTick = { tickMs: known.nextTickMs ?? 0, outcome: "skipped_overlap" };
    expect(await store.advance([moveFrom(known, { tick: again })])).toEqual([false]);
    expect(await store.ticks(known.scheduleId, { limit: 2 })).toEqual([move.tick]);
    const older: ScheduleTick = {
      tickMs: (known.nextTickMs ?? 0) - 1,
      outcome: "started",
      executionId: newExecution(),
    };
    expect(await store.advance([moveFrom(known, { tick: older })])).toEqual([false]);
    const row = await store.get("acme", known.scheduleId);
    expect(row).toMatchObject({
      lastTickMs: known.nextTickMs,
      lastExecution: move.tick.executionId,
    });
  });

  test("of a long list each is told for itself, in its order, whoever moves them too", async () => {
    const store = storeOf(opened);
    const known: Schedule[] = [];
    for (let n = 0; n < 20; n++) known.push(await store.put(await sketch(opened)));
    const moves = known.map((one) => moveFrom(one));
    const unknown = moveFrom({ ...(known[0] as Schedule), scheduleId: newExecution() });
    const [left = [], right = []] = await Promise.all([
      store.advance([unknown, ...moves]),
      store.advance([...moves].reverse()),
    ]);
    expect(left[0]).toBe(false);
    const back = [...right].reverse();
    expect(moves.map((_, n) => Number(left[n + 1]) + Number(back[n]))).toEqual(Array(20).fill(1));
    expect(await store.advance([])).toEqual([]);
  });
}

function entering(opened: () => PlatformStores): void {
  test("entries are told newest first, between bounds, and of a started tick for ever", async () => {
    const store = storeOf(opened);
    const { scheduleId } = await store.put(await sketch(opened));
    const execution = (): ExecutionId => newExecution();
    const started = [10, 20, 30].map(
      (tickMs): ScheduleTick => ({ tickMs, outcome: "started", executionId: execution() }),
    );
    const failed: ScheduleTick = { tickMs: 40, outcome: "failed", message: "it is gone" };
    await store.record(scheduleId, [...started, failed]);
    const [first, second, third] = started as [ScheduleTick, ScheduleTick, ScheduleTick];
    expect(await store.ticks(scheduleId, { limit: 9 })).toEqual([failed, third, second, first]);
    expect(await store.ticks(scheduleId, { limit: 1, beforeMs: 40 })).toEqual([third]);
    const between = { fromMs: 20, beforeMs: 40, limit: 9 };
    expect(await store.ticks(scheduleId, between)).toEqual([third, second]);
    const again: ScheduleTick = { tickMs: 40, outcome: "started", executionId: execution() };
    await store.record(scheduleId, [{ tickMs: 30, outcome: "skipped_late" }, again]);
    expect(await store.ticks(scheduleId, { limit: 2 })).toEqual([again, third]);
    await store.record(newExecution(), [again]);
    expect(await store.ticks(newExecution(), { limit: 2 })).toEqual([]);
  });

  test("old entries are removed, so many at a time, and those of a removed schedule with it", async () => {
    const store = storeOf(opened);
    const { scheduleId } = await store.put(await sketch(opened));
    const entry = (tickMs: number): ScheduleTick => ({ tickMs, outcome: "skipped_late" });
    await opened().passTime(1_000_000, moved);
    while ((await store.purgeTicks(900_000, 1_000)) > 0);
    await store.record(scheduleId, [1, 2, 3].map(entry));
    await opened().passTime(1_000_000, moved);
    await store.record(scheduleId, [entry(4)]);
    expect(await store.purgeTicks(900_000, 2)).toBe(2);
    expect(await store.purgeTicks(900_000, 2)).toBe(1);
    expect(await store.purgeTicks(900_000, 2)).toBe(0);
    expect(await store.ticks(scheduleId, { limit: 9 })).toEqual([entry(4)]);
    await store.remove("acme", scheduleId);
    expect(await store.ticks(scheduleId, { limit: 9 })).toEqual([]);
  });
}
