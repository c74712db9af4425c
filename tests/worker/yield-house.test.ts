// Proves that engine, control plane and worker mean the same by a command that waits by timer:
// one clock of the test drives all three.

import { expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint } from "#core/adapters/system-clock";
import type { Event } from "#core/model/event";
import { type ExecutionId, executionId } from "#core/model/ids";
import { virtualClock } from "#tests/support/virtual-clock";
import { failed, ok, tool } from "#tests/worker/commands";
import { startWorker } from "#worker/loop";
import { givenTools } from "#worker/registry";
import type { Tool } from "#worker/tools/tool";

function house(tools: readonly Tool[], slots = 1) {
  const clock = virtualClock();
  const stores = memoryStores(clock);
  const { log } = stores;
  const bus = memoryBus();
  const reports: string[] = [];
  const control = startControl(
    {
      ...stores,
      bus,
      clock,
      ids: snowflakeMint(clock, 1),
      sha256: (text) => Bun.SHA256.hash(text, "hex"),
      credentials: async () => undefined,
      engineVersion: "test",
    },
    { access: openAccess(), report: (message) => void reports.push(message) },
  );
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  const worker = startWorker({
    control: httpControl(client),
    bus,
    clock,
    tools: givenTools(tools),
    workerId: "worker-1",
    pools: ["default"],
    slots,
    policy: { shell: false, fileRoots: [] },
  });
  const start = async (content: string): Promise<ExecutionId> => {
    const { path } = await client.registerCatalog({ body: { content } });
    const { execution_id } = await client.execute({ body: { path, payload: {} } });
    return executionId(execution_id);
  };
  const eventsOf = async (id: ExecutionId): Promise<readonly Event[]> =>
    (await log.events(id, 0, 1_000)).map(({ event }) => event);
  const stop = async (): Promise<void> => {
    const ended = worker.stop({ graceMs: 0 });
    await clock.advance(20_000);
    await ended;
    await control.stop();
    await bus.close();
  };
  return { clock, client, worker, reports, start, eventsOf, stop };
}

const named = (name: string, steps: string) => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: test/${name}}
workflow:
${steps}`;

const patient = named(
  "patient",
  `  - step: start
    tool:
      - name: count
        kind: noop
        result: {n: 1}
        set: {ctx.before: "{{ output.data.n }}"}
      - name: ask
        kind: python
        code: none
        spec:
          policy:
            rules:
              - when: "{{ output.status == 'error' }}"
                then: {do: retry, attempts: 4, backoff: linear, delay: 60}
      - {name: sum, kind: noop, result: "{{ count.n + ask.n + ctx.before }}"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {sum: "{{ start }}", before: "{{ ctx.before }}"}}
`,
);

const quick = named("quick", "  - step: start\n    tool: {kind: noop, result: quick}\n");
const noop = tool((config) => ok(config["result"] ?? null), "noop");

/** Fails so many calls; the keys and attempts of all. */
function asked(failures: number) {
  const calls: { readonly key: string; readonly attempt: number; readonly atMs: number }[] = [];
  const of = (nowMs: () => number) =>
    tool((_config, { idempotencyKey: key, attempt }) => {
      calls.push({ key, attempt, atMs: nowMs() });
      return calls.length <= failures ? failed() : ok({ n: 40 });
    }, "python");
  return { calls, of };
}

const types = (events: readonly Event[]) => events.map(({ type }) => type);

test("a pipeline waits by timer, and others have the only slot meanwhile", async () => {
  const ask = asked(2);
  let nowMs = () => 0;
  const { clock, client, worker, reports, start, eventsOf, stop } = house([
    noop,
    ask.of(() => nowMs()),
  ]);
  nowMs = clock.nowMs;
  const startMs = clock.nowMs();
  const first = await start(patient);
  await clock.advance(2_000);
  expect(types(await eventsOf(first)).at(-1)).toBe("command.yielded");
  expect(worker.running()).toBe(0);

  const second = await start(quick);
  await clock.advance(2_000);
  expect(types(await eventsOf(second)).at(-1)).toBe("playbook.completed");
  expect(ask.calls.length).toBe(1);

  await clock.advance(200_000);
  const { result, status } = await client.getExecution({ params: { id: first } });
  expect({ result, status }).toMatchObject({ result: { sum: 42, before: 1 } });
  expect(ask.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(new Set(ask.calls.map(({ key }) => key)).size).toBe(1);
  const [, again = 0, last = 0] = ask.calls.map(({ atMs }) => atMs - startMs);
  expect(again).toBeGreaterThanOrEqual(60_000);
  expect(again).toBeLessThan(63_000);
  expect(last).toBeGreaterThanOrEqual(again + 120_000);
  const done = (await eventsOf(first)).find(({ type }) => type === "call.done");
  expect(done).toMatchObject({ attempt: 3, set: { "ctx.before": 1 } });
  expect(reports).toEqual([]);
  await stop();
});

test("a loop's iterations all wait at once, whatever the slots, and keep their items", async () => {
  const each = named(
    "each",
    `  - step: start
    loop: {in: [3, 1, 2], iterator: n, spec: {mode: parallel}}
    tool:
      - name: ask
        kind: python
        code: none
        input: {n: "{{ n }}"}
        spec:
          policy:
            rules:
              - when: "{{ output.status == 'error' }}"
                then: {do: retry, attempts: 2, backoff: linear, delay: 60}
`,
  );
  const seen = new Map<number, number>();
  const python = tool((config) => {
    const { n } = config["input"] as { readonly n: number };
    seen.set(n, (seen.get(n) ?? 0) + 1);
    return seen.get(n) === 1 ? failed() : ok(n * 10);
  }, "python");
  const { clock, client, reports, start, stop } = house([python]);
  const id = await start(each);
  await clock.advance(65_000);

  const { result } = await client.getExecution({ params: { id } });
  expect(result).toMatchObject({ results: [30, 10, 20] });
  expect(reports).toEqual([]);
  await stop();
});

test("a cancelled execution does not go on when its wait is over", async () => {
  const ask = asked(9);
  const { clock, client, start, eventsOf, stop } = house([noop, ask.of(() => 0)]);
  const id = await start(patient);
  await clock.advance(2_000);
  await client.cancelExecution({ params: { id }, body: {} });
  await clock.advance(120_000);

  expect(types(await eventsOf(id)).at(-1)).toBe("playbook.cancelled");
  expect(ask.calls.length).toBe(1);
  await stop();
});
