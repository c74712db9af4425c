// A control plane that may do nothing between requests: nothing runs by itself, and `finish` does
// what the requests before it have left for later.

import { expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { apiClient } from "#core/adapters/api-client";
import { memoryStores } from "#core/adapters/memory-stores";
import { silentBus } from "#core/adapters/silent-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { executionId } from "#core/model/ids";
import { sha256 } from "#tests/support/control";
import { done, handWorker } from "#tests/support/hand-worker";
import { chain, parent } from "./playbooks.ts";

function open(resident: boolean) {
  const clock = systemClock();
  const stores = memoryStores(clock);
  const control = startControl(
    {
      ...stores,
      bus: silentBus(),
      clock,
      ids: snowflakeMint(clock, 7),
      sha256,
      credentials: async () => undefined,
      engineVersion: "0.0.0-test",
    },
    { access: openAccess(), report: () => {}, resident },
  );
  return {
    control,
    stores,
    client: apiClient({ fetch: control.fetch, baseUrl: "http://control" }),
  };
}

test("children are started and parents told by finish alone", async () => {
  const { control, stores, client } = open(false);
  await client.registerCatalog({ body: { content: chain("t/leaf", 1) } });
  await client.registerCatalog({ body: { content: parent("t/top", "t/leaf") } });
  const started = await client.execute({ body: { path: "t/top" } });
  const id = executionId(started.execution_id);
  // Longer than a sweep of a resident control plane would let it wait.
  await Bun.sleep(50);
  expect(await stores.log.children(id)).toEqual([]);
  await control.finish();
  expect(await stores.log.children(id)).toHaveLength(1);
  const worker = handWorker(client);
  await worker.drain();
  expect((await stores.log.head(id))?.row.currentStep).toBe("start");
  await control.finish();
  const after = await worker.claim();
  expect(after.map(({ step }) => step)).toEqual(["after"]);
  await worker.settle(after.map((command) => done(command)));
  await control.finish();
  expect((await stores.log.head(id))?.row.status).toBe("completed");
  await control.stop();
});

test("finish waits for what is under way", async () => {
  const { control, client } = open(false);
  await client.registerCatalog({ body: { content: chain("t/one", 1) } });
  const started = await client.execute({ body: { path: "t/one" } });
  await control.finish();
  let isDone = false;
  void control.executions.resume(executionId(started.execution_id)).then(() => {
    isDone = true;
  });
  await control.finish();
  expect(isDone).toBe(true);
  await control.stop();
});
