// The contract of batches of events, told against the port alone.
import { expect, test } from "bun:test";
import { onWorld, type PlatformWorld } from "./platform.ts";
import { newExecution } from "./transitions.ts";

const dayMs = 86_400_000;

export function eventBatchesContract(world: PlatformWorld): void {
  onWorld("batches of events", world, (opened) => {
    const batches = () => opened().stores.eventBatches;
    const begin = (key?: string, executionId = newExecution()) =>
      batches().begin({
        requestId: newExecution(),
        tenant: "acme",
        executionId,
        ...(key === undefined ? {} : { key }),
      });

    test("a batch is kept with what it came to", async () => {
      const batch = await begin();
      expect(await batches().get(batch.requestId)).toEqual(batch);
      expect(batch.eventIds).toBeUndefined();
      await batches().finish(batch.requestId, ["7", "0"]);
      expect(await batches().get(batch.requestId)).toEqual({ ...batch, eventIds: ["7", "0"] });
      expect(await batches().get(newExecution())).toBeUndefined();
      expect(await batches().get("x")).toBeUndefined();
      await batches().finish(newExecution(), []);
    });

    test("a key stands for one batch of its execution, also when many come with it at once", async () => {
      const executionId = newExecution();
      const begun = await Promise.all(Array.from({ length: 8 }, () => begin("k", executionId)));
      const ids = new Set(begun.map(({ requestId }) => requestId));
      expect(ids.size).toBe(1);
      const [first] = begun;
      if (first === undefined) throw new Error("expected a batch");
      await batches().finish(first.requestId, ["7"]);
      expect((await begin("k", executionId)).eventIds).toEqual(["7"]);
      expect((await begin("k")).requestId).not.toBe(first.requestId);
      expect((await begin(undefined, executionId)).requestId).not.toBe(first.requestId);
    });

    test("old ones are removed, some at a time, and young ones are kept", async () => {
      while ((await batches().purge(0, 100)) > 0) {
        // Those of the tests before.
      }
      const old = await Promise.all([begin(), begin(), begin()]);
      await opened().passTime(2 * dayMs, { event_batch: ["made_at"] });
      const young = await begin();
      expect(await batches().purge(dayMs, 2)).toBe(2);
      expect(await batches().purge(dayMs, 9)).toBe(1);
      expect(await batches().purge(dayMs, 9)).toBe(0);
      const left = await Promise.all([...old, young].map((b) => batches().get(b.requestId)));
      expect(left.filter((batch) => batch !== undefined)).toEqual([young]);
    });
  });
}
