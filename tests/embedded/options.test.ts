// Proves that what is given to the embedded shape takes the place of what it would make itself.

import { expect, test } from "bun:test";
import { startEmbedded } from "#cli/embedded";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { type Event, terminalStatus } from "#core/model/event";
import { executionId } from "#core/model/ids";
import { executionUpdates } from "#core/wire/subjects";
import { echoTool } from "#tests/worker/commands";
import { givenTools, toolRegistry } from "#worker/registry";

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: given, path: tests/given}
workflow:
  - step: start
    tool: {kind: noop, result: {said: hello}}
`;

const nowMs = 1_000_000_000_000;
const base = {
  credentials: async () => undefined,
  policy: { shell: false, fileRoots: [] },
  slots: 1,
  report: () => {},
};

test("ids, clock and tools that were given are those that are used", async () => {
  const clock = { ...systemClock(), nowMs: () => nowMs };
  const id = executionId("478775660589088776");
  const stores = memoryStores(clock);
  const embedded = startEmbedded({
    ...base,
    stores,
    clock,
    ids: { ...snowflakeMint(clock, 1), executionId: () => id },
    tools: givenTools([echoTool("noop")]),
  });
  const { client } = embedded;
  await client.registerCatalog({ body: { content: playbook, path: "tests/given" } });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const updates = embedded.bus.subscribe(executionUpdates(id), ({ data }) => {
    // A published update is the event's own text from the log.
    if (terminalStatus(JSON.parse(data) as Event) !== undefined) resolve();
  });
  const started = await client.execute({ body: { path: "tests/given", workload: {} } });
  await ended;
  updates.close();
  const head = await stores.log.head(id);
  const events = (await stores.log.events(id, 0, 100)).map(({ event }) => event);
  await embedded.stop(0);

  expect(started.execution_id).toBe(id);
  expect(head?.row).toMatchObject({ status: "completed", startedAtMs: nowMs, endedAtMs: nowMs });
  // The product's own tool would have given the result; the given one gives its whole config.
  const done = events.find(({ type }) => type === "call.done");
  expect(done).toMatchObject({ output: { data: { result: { said: "hello" } } } });
});

test("tools that were given are closed with it", async () => {
  const closed: string[] = [];
  const tools = toolRegistry({});
  const embedded = startEmbedded({
    ...base,
    stores: memoryStores(systemClock()),
    tools: { ...tools, close: async () => void closed.push("tools") },
  });
  await embedded.stop(0);

  expect(closed).toEqual(["tools"]);
});
