// Schedules on a database, whose clock says what is due, and of tenants that know nothing of each
// other.
import { expect, test } from "bun:test";
import { tickRound } from "#control/schedules/round";
import { apiClient } from "#core/adapters/api-client";
import type { Principal, Role } from "#core/model/access";
import { onBothStores, onPglite, type World } from "#tests/support/control";
import { minute, path, runs, scheduled } from "./scheduled.ts";

const clientOf = ({ control }: World, tenant: string, role: Role = "editor") => {
  const subject = `${role}@${tenant}`;
  const principal: Principal = { kind: "person", subject, tenant, role };
  return apiClient({ fetch: control.fetchAs(principal), baseUrl: "http://control" });
};

const code = (what: Promise<unknown>): Promise<string> =>
  what.then(
    () => "done",
    (thrown: unknown) => String((thrown as { readonly code?: string }).code),
  );

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: own, path: ${path}}
workflow: [{step: only, tool: {kind: noop}}]`;

onBothStores((shelf) => {
  test("a schedule is its tenant's: others neither see nor move it, and start none of its playbooks", async () => {
    const world = shelf().open();
    const acme = clientOf(world, "acme");
    const other = clientOf(world, "other");
    await acme.registerCatalog({ body: { content: playbook } });
    const asked = { path, interval_seconds: 60 };
    expect(await code(other.createSchedule({ body: asked }))).toBe("not_found");
    const { schedule_id: id } = await acme.createSchedule({ body: asked });
    expect(await code(acme.createSchedule({ body: asked }))).toBe("conflict");
    const params = { id };
    expect((await other.listSchedules({ query: {} })).schedules).toEqual([]);
    expect(await code(other.getSchedule({ params }))).toBe("not_found");
    expect(await code(other.putSchedule({ params, body: asked }))).toBe("not_found");
    expect(await code(other.deleteSchedule({ params }))).toBe("not_found");
    expect(await code(other.triggerSchedule({ params, body: {} }))).toBe("not_found");
    const back = { from: "2025-01-01T00:00:00Z", to: "2025-01-02T00:00:00Z" };
    expect(await code(other.backfillSchedule({ params, body: back }))).toBe("not_found");
    const { execution_id } = await acme.triggerSchedule({ params, body: {} });
    expect(await acme.listExecutions({ query: {} })).toMatchObject([{ execution_id }]);
    expect(await other.listExecutions({ query: {} })).toEqual([]);
  });

  test("an operator pauses and starts, and only an editor changes", async () => {
    const world = shelf().open();
    await clientOf(world, "acme").registerCatalog({ body: { content: playbook } });
    const body = { path, interval_seconds: 60 };
    const [viewer, operator] = (["viewer", "operator"] as const).map((role) =>
      clientOf(world, "acme", role),
    ) as [ReturnType<typeof clientOf>, ReturnType<typeof clientOf>];
    expect(await code(operator.createSchedule({ body }))).toBe("forbidden");
    const { schedule_id: id } = await clientOf(world, "acme").createSchedule({ body });
    const params = { id };
    expect(await code(operator.putSchedule({ params, body }))).toBe("forbidden");
    expect(await code(viewer.pauseSchedule({ params, body: {} }))).toBe("forbidden");
    expect(await operator.pauseSchedule({ params, body: {} })).toMatchObject({ enabled: false });
    expect(await code(operator.triggerSchedule({ params, body: {} }))).toBe("done");
    expect(await viewer.getSchedule({ params })).toMatchObject({ status: "paused" });
  });
});

onPglite((shelf) => {
  test("of four control planes that look at once, each tick is started by one", async () => {
    const world = shelf().open();
    const others = [world.another(), world.another(), world.another()];
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await scheduled(world, { name: `s${n}` }));
    // Three ticks have passed: two are late, of which one is made up for.
    await shelf().sql?.query(
      `update noetl.schedule set created_at = created_at - $1::float8 * interval '1 ms',
      next_at = next_at - $1::float8 * interval '1 ms',
      next_tick = next_tick - $1::float8 * interval '1 ms'`,
      [3 * minute + 30_000],
    );
    const options = { kept: new Map<string, number>(), report: () => {} };
    for (let n = 0; n < 4; n++) {
      const planes = [world, ...others];
      await Promise.all(planes.map(({ control }) => tickRound(control.executions, options)));
    }
    const ticks = (await runs(world)).map(({ client, tick }) => `${client} ${tick}`);
    expect(ticks).toHaveLength(10);
    expect(new Set(ticks).size).toBe(10);
    for (const id of ids) {
      const told = await world.client.scheduleTicks({ params: { id }, query: {} });
      expect(told.ticks.map(({ outcome }) => outcome)).toEqual([
        "started",
        "started",
        "skipped_late",
      ]);
    }
  });
});
