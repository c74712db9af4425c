// Proves that engine and worker mean the same by a playbook: what the engine leaves open the
// worker fills, and what the worker sets later steps read.

import { expect, test } from "bun:test";
import { assembleCommand } from "#core/engine/assemble";
import type { WorkerCommand } from "#core/model/command";
import { leaseMs } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import { EngineRun, planOf } from "#tests/support/engine";
import { failed, ok, outcomeOf, scriptedTool } from "#tests/worker/commands";
import type { Tool } from "#worker/tools/tool";

const noop: Tool = {
  kind: "noop",
  run: async (config) => ok(config["result"] ?? null),
};

/** Runs a playbook with these tools in place of its own; what crosses a process does so as text. */
async function run(source: string, tools: readonly Tool[]): Promise<EngineRun> {
  const engine = new EngineRun(planOf(source)).start();
  for (let command = engine.open[0]; command !== undefined; command = engine.open[0]) {
    const { event, iteration } = command;
    const step = engine.plan.byName.get(event.step);
    if (step === undefined) throw new Error(`no step ${event.step}`);
    const payload = { ...event, catalog_id: "1" as never, path: "test", iteration };
    const { iteration: _iteration, frame: _frame, ...rest } = payload;
    const assembled = assembleCommand(
      step,
      { ...rest, ...(iteration === undefined ? {} : { iteration }) },
      {
        commandId: event.command_id,
        executionId: engine.id,
        attempt: 1,
        pool: event.pool,
        leaseMs,
      },
    );
    const outcome = overTheWire(await outcomeOf(overTheWire(assembled), tools));
    engine.settle(command, {
      output: outcome.output,
      ...(outcome.set === undefined ? {} : { set: outcome.set }),
    });
  }
  return engine;
}

function overTheWire<Value extends WorkerCommand | Outcome>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

const pagination = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: pages, path: test/pages}
workload: {api: "https://example.org", size: 2}
workflow:
  - step: start
    tool:
      - name: fetch
        kind: http
        url: "{{ workload.api }}/items"
        params: {page: "{{ ctx.page | default(1) }}", size: "{{ workload.size }}"}
        spec:
          policy:
            rules:
              - when: "{{ output.status == 'error' and output.error.retryable }}"
                then: {do: retry, attempts: 3}
      - name: collect
        kind: noop
        result: "{{ (ctx.items | default([])) + fetch.data.items }}"
        set:
          ctx.items: "{{ output.data }}"
          ctx.page: "{{ fetch.data.next }}"
        spec:
          policy:
            rules:
              - when: "{{ fetch.data.next is not none }}"
                then: {do: jump, to: fetch}
    next: {arcs: [{step: report, when: "{{ output.status == 'ok' }}"}]}
  - step: report
    tool:
      kind: noop
      result: {items: "{{ ctx.items }}", page: "{{ ctx.page }}", n: "{{ start.collect | length }}"}
`;

test("a paginating pipeline fetches page after page and hands its sum to the next step", async () => {
  const pages = scriptedTool(
    ok({ data: { items: [1, 2], next: 2 } }),
    failed("http"),
    ok({ data: { items: [3], next: null } }),
  );
  const engine = await run(pagination, [{ ...pages, kind: "http" }, noop]);

  expect(pages.calls.map(({ config }) => config["params"])).toEqual([
    { page: 1, size: 2 },
    { page: 2, size: 2 },
    { page: 2, size: 2 },
  ]);
  expect(engine.state.status).toBe("completed");
  expect(engine.state.result).toEqual({ items: [1, 2, 3], page: null, n: 3 });
});

test("a loop's body sees its item in every tool, and results keep their order", async () => {
  const engine = await run(
    `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: each, path: test/each}
workload: {cities: [{name: Lyon}, {name: Oslo}]}
workflow:
  - step: start
    loop: {in: "{{ workload.cities }}", iterator: city, spec: {mode: parallel}}
    tool:
      - name: greet
        kind: noop
        result: "{{ city.name }} {{ iter._index }}/{{ iter._total }}"
      - name: shout
        kind: noop
        result: "{{ greet | upper }} {{ iter.city.name }}"
`,
    [noop],
  );

  expect(engine.state.steps.get("start")?.results).toEqual(["LYON 0/2 Lyon", "OSLO 1/2 Oslo"]);
});

test("an earlier step's fields reach a worker's templates beside the pipeline's own", async () => {
  const engine = await run(
    `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: reads, path: test/reads}
workflow:
  - step: start
    tool: {kind: noop, result: {id: 7, list: [1, 2]}}
    set: {total: "{{ output.list | sum }}"}
    next: {arcs: [{step: work}]}
  - step: work
    tool:
      - {name: one, kind: noop, result: {n: "{{ start.id }}"}}
      - {name: two, kind: noop, result: "{{ one.n + start.data.id + total + start.list[1] }}"}
`,
    [noop],
  );

  expect(engine.state.result).toBe(7 + 7 + 3 + 2);
});
