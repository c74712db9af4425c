// Starting executions once, with a parent, and many at a time.

import { describe, expect, test } from "bun:test";
import { executionId } from "#core/model/ids";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const path = "t/batches";

const post = async ({ control }: World, body: unknown, headers: Record<string, string> = {}) => {
  const init = { method: "POST", body: JSON.stringify(body), headers };
  const answer = await control.fetch(new Request("http://control/api/execute", init));
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};

onBothStores((shelf) => {
  describe("a start", () => {
    test("with a key of the header or of the body starts one execution", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const first = await post(world, { path }, { "idempotency-key": "k1" });
      expect(first.body).toMatchObject({ status: "started", commands_generated: 1 });
      const again = await post(world, { path, dedup: { key: "k1", window_secs: 60 } });
      expect(again.body).toMatchObject({
        status: "duplicate",
        commands_generated: 0,
        execution_id: first.body.execution_id,
        version: first.body.version,
      });
      const other = await post(world, { path }, { "idempotency-key": "k2" });
      expect(other.body.execution_id).not.toBe(first.body.execution_id);
      for (const dedup of [{ key: "" }, { key: "x".repeat(201) }, { key: "a", window_secs: 0 }]) {
        expect((await post(world, { path, dedup })).status).toBe(422);
      }
      expect((await post(world, { path, dedup: { key: "a", window_secs: 604_801 } })).status).toBe(
        422,
      );
      expect((await post(world, { path }, { "idempotency-key": "x".repeat(201) })).status).toBe(
        422,
      );
    });

    test("that names a parent is listed as its child, and outlives its cancellation", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const parent = await world.start(path);
      const { body } = await post(world, { path, parent_execution_id: parent });
      const id = executionId(String(body.execution_id));
      const listed = await world.client.listExecutions({ query: { parent_execution_id: parent } });
      expect(listed).toMatchObject([{ execution_id: id, parent_execution_id: parent }]);
      await world.client.cancelExecution({ params: { id: parent }, body: { cascade: true } });
      await world.control.sweep.sweepOnce();
      expect((await world.stores.log.head(id))?.row.status).toBe("running");
      await handWorker(world.client).drain();
      expect(await world.ended(id)).toBe("completed");
      expect(await world.problems(id)).toEqual([]);
      const nowhere = await post(world, { path, parent_execution_id: "1234567890123456789" });
      expect(nowhere.status).toBe(404);
      const ofOther = await post(world, { path, parent_execution_id: parent, tenant: "acme" });
      expect(ofOther.status).toBe(404);
    });

    test("asks for kinds and pools that can be had", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      expect((await post(world, { path, resource_kind: "Playbooks" })).status).toBe(200);
      expect((await post(world, { path, resource_kind: "notebook" })).status).toBe(422);
      const pooled = await post(world, { path, execution_pool: "gpu" });
      expect(pooled.status).toBe(422);
      expect(JSON.stringify(pooled.body)).toContain("spec.pool");
    });

    test("by the id of another tenant's playbook finds none", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const { catalog_id } = await world.client.registerCatalog({
        body: { content: chain(`${path}/acme`, 1), tenant: "acme" },
      });
      expect((await post(world, { catalog_id })).status).toBe(404);
      expect((await post(world, { catalog_id, tenant: "acme" })).status).toBe(200);
      const batch = await world.client.executeBatch({ body: { executions: [{ catalog_id }] } });
      expect(batch).toMatchObject({ started: 0, failed: 1 });
    });
  });

  test("of a thousand starts three bad ones are told beside those that go well", async () => {
    const world = shelf().open();
    await world.register(chain(path, 1));
    const bad = new Set([0, 500, 999]);
    const executions = Array.from({ length: 1_000 }, (_, index) =>
      bad.has(index) ? { path: `${path}/none` } : { path, dedup: { key: `n${index % 900}` } },
    );
    const answer = await world.client.executeBatch({ body: { executions } });
    const { count, started, duplicates, failed } = answer;
    expect({ count, started, duplicates, failed }).toEqual({
      count: 1_000,
      started: 899,
      duplicates: 98,
      failed: 3,
    });
    expect(answer.results.filter(({ status }) => status === "failed").map((r) => r.index)).toEqual([
      ...bad,
    ]);
    const [, second] = answer.results;
    expect(answer.results[901]).toMatchObject({
      status: "duplicate",
      execution_id: second?.execution_id,
    });
    const again = await world.client.executeBatch({ body: { executions } });
    expect(again).toMatchObject({ started: 0, duplicates: 997, failed: 3 });
  }, 30_000);
});
