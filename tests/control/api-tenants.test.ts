// What a person of one tenant sees and can do of another tenant's executions: nothing, told as if
// there were none.

import { expect, test } from "bun:test";
import { apiClient } from "#core/adapters/api-client";
import type { Principal, Role } from "#core/model/access";
import { Fault } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import { onBothStores, onMemory, type World } from "#tests/support/control";
import { only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const path = "t/tenants";

const person = (tenant: string, role: Role): Principal => ({
  kind: "person",
  subject: `ada@${tenant}`,
  tenant,
  role,
  via: "token",
});

const clientOf = ({ control }: World, tenant: string, role: Role = "admin") =>
  apiClient({ fetch: control.fetchAs(person(tenant, role)), baseUrl: "http://control" });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (thrown: unknown) => (thrown instanceof Fault ? thrown.code : String(thrown)),
  );

async function scene(world: World) {
  for (const tenant of ["acme", "other"]) {
    await world.client.registerCatalog({ body: { content: chain(path, 2), tenant } });
  }
  const [acme, other] = [clientOf(world, "acme"), clientOf(world, "other")];
  const { execution_id: id } = await acme.execute({ body: { path } });
  await other.execute({ body: { path } });
  return { id, acme, other };
}

onBothStores((shelf) => {
  test("lists, feeds, statistics and dead letters are of the asker's tenant alone", async () => {
    const world = shelf().open();
    const { id, acme, other } = await scene(world);
    expect(only(await acme.listExecutions({ query: {} }))).toMatchObject({ execution_id: id });
    expect(await codeOf(acme.listExecutions({ query: { tenant: "other" } }))).toBe("forbidden");
    const feed = await acme.feedExecutions({ query: { limit: 100 } });
    const told = feed as { readonly events: readonly { readonly tenant_id: string }[] };
    expect(new Set(told.events.map((event) => event.tenant_id))).toEqual(new Set(["acme"]));
    await world.stores.log.quarantine(executionId(id), "looked odd");
    expect((await acme.listDeadLetters({ query: {} })).dead_letters).toMatchObject([
      { execution_id: id, reason: "quarantined" },
    ]);
    expect((await other.listDeadLetters({ query: {} })).dead_letters).toEqual([]);
    expect((await world.client.listDeadLetters({ query: {} })).dead_letters).toHaveLength(1);
    expect((await other.stepStatistics({ query: { path } })).steps).toEqual([]);
  });

  test("nothing can be asked or done by the id of another tenant's execution", async () => {
    const world = shelf().open();
    const { id, other } = await scene(world);
    const params = { id };
    const asked = [
      other.rerunExecution({ params, body: {} }),
      other.rerunFrom({ params: { id, step: "s1" }, body: {} }),
      other.finalizeExecution({ params, body: {} }),
      other.cancellationCheck({ params }),
      other.analyzeExecution({ params }),
      other.setVariables({ params, body: { a: 1 } }),
      other.setVariable({ params: { id, name: "a" }, body: { value: 1 } }),
      other.deleteVariables({ params }),
      other.postEvent({ body: { execution_id: id, name: "a.b" } }),
      other.postEvents({ body: { execution_id: id, events: [] } }),
      other.listJobs({ query: { execution_id: id } }),
      other.listResults({ params, query: {} }),
      other.stepResult({ params: { id, step: "s1" }, query: {} }),
      other.resultStats({ query: { execution_id: id } }),
      other.deleteResults({ params }),
      other.execute({ body: { path, parent_execution_id: id } }),
    ];
    expect(await Promise.all(asked.map(codeOf))).toEqual(asked.map(() => "not_found"));
    expect(await world.events(executionId(id))).toHaveLength(3);
  });

  test("a batch of events is shown to who sent it, and to nobody of another tenant", async () => {
    const world = shelf().open();
    const { id, acme, other } = await scene(world);
    const { request_id } = await acme.postEvents({ body: { execution_id: id, events: [] } });
    expect(await acme.eventBatch({ params: { request_id } })).toMatchObject({ execution_id: id });
    expect(await codeOf(other.eventBatch({ params: { request_id } }))).toBe("not_found");
  });

  test("a step that names another tenant's playbook by its id finds none", async () => {
    const world = shelf().open();
    const theirs = await world.client.registerCatalog({
      body: { content: chain(`${path}/theirs`, 1), tenant: "other" },
    });
    const calling = chain(
      `${path}/calling`,
      1,
      `kind: playbook, catalog_id: "${theirs.catalog_id}"`,
    );
    await world.client.registerCatalog({ body: { content: calling, tenant: "acme" } });
    const { execution_id } = await clientOf(world, "acme").execute({
      body: { path: `${path}/calling` },
    });
    expect(await world.ended(executionId(execution_id))).toBe("failed");
    expect(await world.stores.log.executions({ tenant: "other", limit: 9 })).toEqual([]);
  });

  test("a rerun and a key of one tenant are of that tenant", async () => {
    const world = shelf().open();
    const { id, acme, other } = await scene(world);
    const again = await acme.rerunExecution({ params: { id }, body: {} });
    const row = (await world.stores.log.head(executionId(again.execution_id)))?.row;
    expect(row?.tenant).toBe("acme");
    const [first] = await world.events(executionId(again.execution_id));
    expect(first).toMatchObject({ origin: { subject: "ada@acme", rerun_of: id } });
    const dedup = { key: "k" };
    const mine = await acme.execute({ body: { path, dedup } });
    const yours = await other.execute({ body: { path, dedup } });
    expect([mine.status, yours.status]).toEqual(["started", "started"]);
  });
});

onMemory((shelf) => {
  test("roles say who may start, end and remove, and machines alone work the queue", async () => {
    const world = shelf().open();
    const { id } = await scene(world);
    const params = { id };
    const as = (role: Role) => clientOf(world, "acme", role);
    const needs = {
      viewer: [
        (role: Role) => as(role).cancellationCheck({ params }),
        (role: Role) => as(role).analyzeExecution({ params }),
        (role: Role) => as(role).listJobs({ query: { execution_id: id } }),
      ],
      operator: [
        (role: Role) => as(role).executeBatch({ body: { executions: [{ path }] } }),
        (role: Role) => as(role).rerunExecution({ params, body: {} }),
        (role: Role) => as(role).postEvent({ body: { execution_id: id, name: "a.b" } }),
      ],
      admin: [(role: Role) => as(role).cleanupExecutions({ body: { older_than_minutes: 999 } })],
    };
    for (const call of needs.viewer) expect(await codeOf(call("viewer"))).toBe("none");
    for (const call of needs.operator) {
      expect([await codeOf(call("viewer")), await codeOf(call("operator"))]).toEqual([
        "forbidden",
        "none",
      ]);
    }
    for (const call of needs.admin) {
      expect([await codeOf(call("editor")), await codeOf(call("admin"))]).toEqual([
        "forbidden",
        "none",
      ]);
    }
    const admin = as("admin");
    const forMachines = [
      admin.leaseJob({ body: { worker_id: "w" } }),
      admin.enqueueJob({ body: { execution_id: id, node_id: "n", action: { kind: "noop" } } }),
      admin.getCommand({ params: { event_id: `${id}:s1:1` }, query: {} }),
      admin.claimCommand({
        params: { event_id: `${id}:s1:1` },
        query: {},
        body: { worker_id: "w" },
      }),
      admin.claimFrames({ params: { stage_id: `${id}:s1:1` }, body: { worker_id: "w" } }),
    ];
    expect(await Promise.all(forMachines.map(codeOf))).toEqual(forMachines.map(() => "forbidden"));
  });
});
