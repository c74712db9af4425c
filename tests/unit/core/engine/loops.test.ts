// Loops over collections: order, window, results, failures, and what their bodies see.

import { describe, expect, test } from "bun:test";
import type { Json } from "#core/model/json";
import { type Answer, EngineRun, failed, ok, planOf } from "#tests/support/engine";

const playbook = (loop: string, message = "{{ iter.x }}", arcs = "[{step: after}]"): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {items: [10, 20, 30], none: null, empty: []}
workflow:
- step: start
  loop: ${loop}
  tool: {kind: noop, message: "${message}"}
  next: {arcs: ${arcs}}
- step: after
  tool: {kind: noop, message: "{{ start.results }}"}
`;

const items = (spec: string): string => `{in: "{{ workload.items }}", iterator: x, spec: ${spec}}`;
const start = (text: string, workload = {}): EngineRun =>
  new EngineRun(planOf(text)).start(workload);
const echo = (command: { event: { input?: { fields: object } } }): NonNullable<Answer> =>
  ok(Object.values(command.event.input?.fields ?? {})[0] as Json);
const inputs = (run: EngineRun, step = "start"): unknown[] =>
  run.log.flatMap(({ event }) =>
    event.type === "command.issued" && event.step === step
      ? [Object.values(event.input?.fields ?? {})[0]]
      : [],
  );

describe("a sequential loop", () => {
  test("runs one item at a time, in order", () => {
    const run = start(playbook(items("{mode: sequential, max_in_flight: 5}")));
    expect(inputs(run)).toEqual([10]);
    run.settle(run.open[0] as never, ok());
    expect(inputs(run)).toEqual([10, 20]);
  });
});

describe("a parallel loop", () => {
  test("keeps max_in_flight items open and never more", () => {
    const run = start(playbook(items("{mode: parallel, max_in_flight: 2}")));
    expect(run.open.length).toBe(2);
    run.settle(run.open[1] as never, ok());
    expect(run.open.map(({ event }) => event.iteration)).toEqual([0, 2]);
  });
  test("takes max_in_flight from a template", () => {
    const loop = items('{mode: parallel, max_in_flight: "{{ workload.width }}"}');
    expect(start(playbook(loop), { width: 3 }).open.length).toBe(3);
    expect(start(playbook(loop), { width: "1" }).open.length).toBe(1);
  });
  test("fails where max_in_flight is not a whole number from 1", () => {
    const loop = items('{mode: parallel, max_in_flight: "{{ workload.width }}"}');
    for (const width of [0, -1, 1.5, "many", null]) {
      expect(start(playbook(loop), { width }).log.at(-1)?.event).toMatchObject({
        type: "playbook.failed",
        error: { kind: "loop" },
      });
    }
  });
  test("gives results in item order, whatever the order of arrival", () => {
    const run = start(playbook(items("{mode: parallel, max_in_flight: 3}")));
    for (const index of [2, 0, 1]) {
      const command = run.open.find(({ event }) => event.iteration === index);
      run.settle(command as never, ok(`r${index}`));
    }
    expect(inputs(run, "after")).toEqual([["r0", "r1", "r2"]]);
  });
});

describe("the collection", () => {
  test("is rendered once: changing its source changes nothing", () => {
    const run = start(playbook(items("{mode: sequential}")));
    run.tell({ type: "vars.set", set: { workload: [] } });
    run.run(echo);
    expect(inputs(run, "after")).toEqual([[10, 20, 30]]);
  });
  for (const source of ["none", "empty", "missing"]) {
    test(`that is ${source} ends the loop at once and goes on`, () => {
      const loop = `{in: "{{ workload.${source} }}", iterator: x}`;
      const run = start(playbook(loop)).run(echo);
      expect(run.log.find(({ event }) => event.type === "loop.done")?.event).toMatchObject({
        stats: { total: 0, success: 0, failed: 0 },
        results: [],
      });
      expect(run.log.at(-1)?.event.type).toBe("playbook.completed");
    });
  }
  for (const value of [true, -7, 1.5]) {
    test(`that is ${JSON.stringify(value)} fails the step with what was found`, () => {
      const run = start(playbook('{in: "{{ workload.it }}", iterator: x}'), { it: value });
      expect(run.log.at(-1)?.event).toMatchObject({
        type: "playbook.failed",
        error: { kind: "loop", code: "not_a_list" },
      });
    });
  }
  test("may be a literal list with templates in it", () => {
    const run = start(playbook('{in: [1, "{{ workload.items[1] }}"], iterator: x}')).run(echo);
    expect(inputs(run, "after")).toEqual([[1, 20]]);
  });
});

describe("an iteration", () => {
  test("sees its item and place under every name", () => {
    const message = [
      "{{ x }} {{ iter.x }} {{ _index }} {{ iter._index }} {{ _total }}",
      "{{ iter._first }} {{ iter._last }} {{ loop.index }} {{ loop.length }}",
    ].join(" ");
    const run = start(playbook(items("{mode: sequential}"), message)).run(echo);
    expect(inputs(run)).toEqual([
      "10 10 0 0 3 True False 1 3",
      "20 20 1 1 3 False False 2 3",
      "30 30 2 2 3 False True 3 3",
    ]);
  });
  test("that fails is counted, the others run, and the step has failed", () => {
    const run = start(playbook(items("{mode: sequential}"))).run((command) =>
      command.event.iteration === 1 ? failed() : echo(command),
    );
    expect(run.log.find(({ event }) => event.type === "loop.done")?.event).toMatchObject({
      stats: { total: 3, success: 2, failed: 1 },
      results: [10, null, 30],
    });
    expect(run.log.at(-1)?.event).toMatchObject({
      failed_steps: ["start"],
      error: { message: "failed steps: start: 1 of 3 iterations failed, first: boom" },
    });
  });
  test("whose input can't be rendered fails alone", () => {
    const run = start(playbook(items("{mode: sequential}"), "{{ 10 / (x - 20) }}")).run(echo);
    expect(run.log.find(({ event }) => event.type === "loop.done")?.event).toMatchObject({
      stats: { total: 3, success: 2, failed: 1 },
    });
  });
  test("sets variables of the execution in log order", () => {
    const run = start(playbook(items("{mode: parallel, max_in_flight: 3}")));
    for (const index of [1, 0, 2]) {
      const command = run.open.find(({ event }) => event.iteration === index);
      run.settle(command as never, { ...ok(), set: { "ctx.last": index } });
    }
    expect(run.state.variables.last).toBe(2);
  });
});

describe("the arcs of a loop", () => {
  test("see event.name loop.done and the stats, also when iterations failed", () => {
    const arcs =
      "[{step: after, when: \"{{ event.name == 'loop.done' and stats.failed == 1 and output.stats.total == 3 }}\"}]";
    const run = start(playbook(items("{mode: sequential}"), "{{ iter.x }}", arcs)).run((command) =>
      command.event.iteration === 0 ? failed() : echo(command),
    );
    expect(run.log.at(-1)?.event.type).toBe("playbook.completed");
  });
  test("are evaluated once", () => {
    const run = start(playbook(items("{mode: sequential}"))).run(echo);
    const exits = run.story().filter((line) => line === "step.exit start");
    expect(exits.length).toBe(1);
  });
});

describe("a loop entered again", () => {
  test("starts afresh, with command ids of its own", () => {
    const arcs =
      '[{step: start, when: "{{ start.stats.total == 3 and ctx.turns < 2 }}", set: {turns: "{{ ctx.turns + 1 }}"}}]';
    const text = playbook(items("{mode: parallel, max_in_flight: 3}"), "{{ iter.x }}", arcs);
    const run = start(`${text}`, { turns: 0 });
    run.tell({ type: "vars.set", set: { turns: 0 } });
    run.run(echo);
    const ids = run.log.flatMap(({ event }) =>
      event.type === "command.issued" ? [event.command_id] : [],
    );
    expect(ids.length).toBe(9);
    expect(new Set(ids).size).toBe(9);
  });
});

describe("large values", () => {
  test("of an execution beyond its budget stay in the log and come back in order", () => {
    const count = 40;
    const list = Array.from({ length: count }, (_, index) => index);
    const run = start(playbook(items("{mode: parallel, max_in_flight: 50}")), { items: list });
    const pad = "x".repeat(60_000);
    const answer = (index: number): Json => ({ index, pad });
    for (const command of [...run.open])
      run.settle(command, ok(answer(command.event.iteration ?? 0)));
    const done = run.log.find(({ event }) => event.type === "loop.done")?.event;
    expect(done).toHaveProperty("results_ref");
    const ref = (done as { results_ref: { ref: string } }).results_ref.ref;
    const results = run.stored.get(ref) as { index: number }[];
    expect(results.map(({ index }) => index)).toEqual(list);
  });
});
