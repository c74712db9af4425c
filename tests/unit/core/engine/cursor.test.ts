// Cursor loops in the engine: which frames are issued, when a queue counts as drained, and how a
// loop ends that can't go on.

import { describe, expect, test } from "bun:test";
import { assembleCommand } from "#core/engine/assemble";
import { framePayload } from "#core/engine/cursor";
import { decide } from "#core/engine/decide";
import { evolve } from "#core/engine/evolve";
import type { IssuedCommand } from "#core/engine/journal";
import { decodeState, encodeState } from "#core/engine/snapshot";
import { initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import type { Json, JsonObject } from "#core/model/json";
import { EngineRun, planOf, testExecution } from "#tests/support/engine";

const playbook = (spec: string, cursor = "", next = "[{step: after}]"): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {width: 3, table: jobs}
workflow:
- step: start
  loop:
    cursor:
      kind: postgres
      host: "{{ workload.table }}.example"
      claim: "UPDATE {{ workload.table }} SET f = '{{ __frame_key }}' LIMIT {{ __frame_max_rows }}"
      ${cursor}
    iterator: row
    spec: {mode: cursor, ${spec}}
  tool: {kind: noop, message: "{{ row.id }} of {{ workload.table }}", result: "{{ workload.table }}"}
  next: {arcs: ${next}}
- step: after
  tool: {kind: noop, message: "{{ start.stats.total }}"}
`;

const start = (text: string, workload: JsonObject = {}): EngineRun =>
  new EngineRun(planOf(text)).start(workload);

const frame = (run: EngineRun, number: number): IssuedCommand => {
  const found = run.open.find(({ event }) => event.frame === number);
  if (found === undefined) throw new Error(`frame ${number} is not open`);
  return found;
};

const claimed = (run: EngineRun, number: number, rows: number): EngineRun =>
  run.tell({
    type: "cursor.claimed",
    step: "start",
    visit: 1,
    frame: number,
    command_id: frame(run, number).event.command_id,
    attempt: 1,
    row_count: rows,
    rows: Array.from({ length: rows }, (_, id) => ({ id })),
  });

const counted = (rows: number, failed = 0): Json => ({ rows, success: rows - failed, failed });

const boom = { kind: "frame", message: "boom", retryable: false };

/** A frame that claims so many rows, of which some fail. */
function settle(run: EngineRun, number: number, rows: number, failures = 0): EngineRun {
  if (rows > 0) claimed(run, number, rows);
  const data = counted(rows, failures);
  const output =
    failures === 0
      ? ({ status: "ok", data } as const)
      : ({ status: "error", data, error: boom } as const);
  return run.settle(frame(run, number), { output });
}

const openFrames = (run: EngineRun): unknown[] => run.open.map(({ event }) => event.frame);
const eventsOf = (run: EngineRun, type: string) =>
  run.log.flatMap(({ event }) => (event.type === type ? [event] : []));

describe("with one frame at a time", () => {
  test("an empty claim ends the loop, and its stats reach the next step", () => {
    const run = start(playbook("frame: {max_rows: 5}"));
    expect(openFrames(run)).toEqual([0]);
    settle(run, 0, 5);
    settle(run, 1, 3);
    settle(run, 2, 0);
    expect(run.story().slice(-6)).toEqual([
      "call.done",
      "cursor.drained start",
      "loop.done start",
      "step.exit start",
      "step.enter after",
      "command.issued after",
    ]);
    expect(eventsOf(run, "cursor.drained")).toMatchObject([{ frame: 2 }]);
    expect(eventsOf(run, "loop.done")).toMatchObject([
      { stats: { total: 8, success: 8, failed: 0, frames: 2 } },
    ]);
    expect(run.open[0]?.event.input?.fields).toEqual({ "/0/message": 8 });
  });

  test("rows that failed fail the step once the queue is drained", () => {
    const run = start(playbook("frame: {max_rows: 5}"));
    settle(run, 0, 5, 2);
    settle(run, 1, 5);
    settle(run, 2, 0);
    expect(eventsOf(run, "loop.done")).toMatchObject([
      { stats: { total: 10, success: 8, failed: 2, frames: 2 } },
    ]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "loop", message: "failed steps: start: 2 of 10 rows failed, first: boom" },
    });
  });

  test("an arc may take the failure on", () => {
    const arcs = "[{step: after, when: \"{{ event.name == 'loop.done' and stats.failed == 1 }}\"}]";
    const run = start(playbook("frame: {}", "", arcs));
    settle(run, 0, 1, 1);
    settle(run, 1, 0);
    expect(run.story().at(-1)).toBe("command.issued after");
  });
});

describe("with several frames at a time", () => {
  test("an empty claim beside others is no proof: one more is made once all have ended", () => {
    const run = start(playbook("max_in_flight: 4"));
    expect(openFrames(run)).toEqual([0, 1, 2, 3]);
    claimed(run, 1, 1);
    settle(run, 0, 0);
    expect(openFrames(run)).toEqual([1, 2, 3]);
    settle(run, 2, 0);
    settle(run, 3, 0);
    run.settle(frame(run, 1), { output: { status: "ok", data: counted(1) } });
    expect(openFrames(run)).toEqual([4]);
    expect(eventsOf(run, "cursor.drained")).toEqual([]);
    settle(run, 4, 0);
    expect(eventsOf(run, "cursor.drained")).toMatchObject([{ frame: 4 }]);
    expect(eventsOf(run, "loop.done")).toMatchObject([{ stats: { total: 1, frames: 1 } }]);
  });

  test("the first frame proves nothing either, where others began after it", () => {
    const run = start(playbook("max_in_flight: 2"));
    settle(run, 1, 0);
    settle(run, 0, 0);
    expect(eventsOf(run, "cursor.drained")).toEqual([]);
    expect(openFrames(run)).toEqual([2]);
  });

  test("a probe that finds rows opens the loop again as soon as they are recorded", () => {
    const run = start(playbook("max_in_flight: 3"));
    for (const number of [0, 1, 2]) settle(run, number, 0);
    expect(openFrames(run)).toEqual([3]);
    claimed(run, 3, 1);
    expect(openFrames(run)).toEqual([3, 4, 5]);
    run.settle(frame(run, 3), { output: { status: "ok", data: counted(1) } });
    expect(openFrames(run)).toEqual([4, 5, 6]);
    for (const number of [4, 5, 6]) settle(run, number, 0);
    settle(run, 7, 0);
    expect(eventsOf(run, "loop.done").length).toBe(1);
  });

  test("all frames end before the loop does", () => {
    const run = start(playbook("max_in_flight: 2"));
    claimed(run, 0, 1);
    const error = { kind: "pg", message: "no such table", retryable: false };
    run.settle(frame(run, 1), { output: { status: "error", error } });
    expect(openFrames(run)).toEqual([0]);
    expect(eventsOf(run, "loop.done")).toEqual([]);
    run.settle(frame(run, 0), { output: { status: "ok", data: counted(1) } });
    expect(eventsOf(run, "loop.done")).toMatchObject([{ stats: { total: 1, success: 1 } }]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { ...error, message: "failed steps: start: no such table" },
    });
  });
});

describe("a loop that can't go on", () => {
  test("a claim that fails ends it with its own error, and nothing says drained", () => {
    const run = start(playbook("frame: {}"));
    const error = { kind: "pg", code: "42P01", message: "no such table", retryable: false };
    run.settle(frame(run, 0), { output: { status: "error", error } });
    expect(eventsOf(run, "cursor.drained")).toEqual([]);
    expect(eventsOf(run, "step.exit")).toMatchObject([{ status: "failed" }]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { ...error, message: "failed steps: start: no such table" },
    });
  });

  test("a claim that can't be rendered fails like one that was refused", () => {
    const run = start(playbook("frame: {}", "user: '{{ workload.table + 1 }}'"));
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "template" },
    });
  });

  test("max_iterations ends a loop over a queue that never gets empty", () => {
    const run = start(playbook("frame: {}", "options: {max_iterations: 3}"));
    for (const number of [0, 1, 2]) settle(run, number, 1);
    expect(openFrames(run)).toEqual([]);
    expect(eventsOf(run, "loop.done")).toMatchObject([{ stats: { total: 3, frames: 3 } }]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "loop", code: "max_iterations" },
    });
  });

  test("the last claim that is allowed may be the one that finds it empty", () => {
    const run = start(playbook("frame: {}", "options: {max_iterations: 3}"));
    for (const number of [0, 1]) settle(run, number, 1);
    settle(run, 2, 0);
    expect(run.story().at(-1)).toBe("command.issued after");
  });

  test("a number that is none fails the step before anything is claimed", () => {
    const cases: readonly (readonly [string, Json, string])[] = [
      ["frame: {max_rows: '{{ workload.n }}'}", 0, "frame.max_rows is 0"],
      ["frame: {max_rows: '{{ workload.n }}'}", 1.5, "frame.max_rows is 1.5"],
      ["frame: {max_rows: '{{ workload.n }}'}", 100_001, "frame.max_rows is 100001"],
      ["frame: {max_seconds: '{{ workload.n }}'}", "soon", "frame.max_seconds is a text"],
      ["max_in_flight: '{{ workload.n }}'", null, "max_in_flight is not defined"],
      ["max_in_flight: '{{ workload.n }}'", 1_001, "max_in_flight is 1001"],
      ["frame: {row_concurrency: '{{ workload.n }}'}", [], "frame.row_concurrency is a list"],
    ];
    for (const [spec, n, says] of cases) {
      const last = start(playbook(spec), { n }).log.at(-1)?.event;
      expect(last).toMatchObject({ type: "playbook.failed", error: { kind: "loop" } });
      expect(JSON.stringify(last)).toContain(says);
    }
  });
});

describe("what a frame brings along", () => {
  test("its claim is rendered, its body's row is left to the worker", () => {
    const run = start(playbook("max_in_flight: 2, frame: {max_rows: 7, lease_seconds: 60}"));
    const { event } = frame(run, 1);
    expect(event.command_id as string).toBe(`${testExecution}:start:1:f1`);
    const step = run.plan.byName.get("start");
    if (step === undefined) throw new Error("no such step");
    const payload = {
      catalog_id: "400000000000000001" as never,
      path: "t",
      step: "start",
      visit: 1,
      kind: event.kind,
      ...(event.input === undefined ? {} : { input: event.input }),
      frame: framePayload(run.state, event) as never,
    };
    const leased = { commandId: event.command_id, executionId: testExecution, attempt: 1 };
    const command = assembleCommand(step, payload, { ...leased, pool: "default", leaseMs: 1 });
    expect(command.frame).toMatchObject({
      number: 1,
      key: `${testExecution}:start:1:f1`,
      iterator: "row",
      driver: "postgres",
      settings: { max_rows: 7, lease_seconds: 60, process: "row", frames_max: 100_000 },
      claim: {
        kind: "postgres",
        label: "claim",
        holes: [],
        config: {
          host: "jobs.example",
          command: `UPDATE jobs SET f = '${testExecution}:start:1:f1' LIMIT 7`,
        },
      },
    });
    expect(command.tasks[0]).toMatchObject({
      config: { message: null, result: "jobs" },
      holes: [{ at: ["message"], text: "{{ row.id }} of {{ workload.table }}" }],
    });
    expect(command.scope).toEqual({ workload: { table: "jobs" } });
  });

  test("numbers are rendered once, when the step is entered", () => {
    const run = start(
      playbook("max_in_flight: '{{ workload.width }}', frame: {max_rows: '{{ 2 * 3 }}'}"),
    );
    expect(openFrames(run)).toEqual([0, 1, 2]);
    expect(eventsOf(run, "step.enter")).toMatchObject([
      { loop: { mode: "cursor", total: 0, max_in_flight: 3, frame: { max_rows: 6 } } },
    ]);
  });
});

describe("the state", () => {
  test("keeps no rows, and is the same however much went through", () => {
    const run = start(playbook("frame: {max_rows: 100}"));
    for (let number = 0; number < 50; number++) settle(run, number, 100);
    const before = encodeState(run.state, 100_000) ?? "";
    for (let number = 50; number < 100; number++) settle(run, number, 100);
    const after = encodeState(run.state, 100_000) ?? "";
    expect(Math.abs(after.length - before.length)).toBeLessThan(20);
    expect(run.state.inlineBytes).toBe(0);
    const back = decodeState(testExecution, genesisDigest, after);
    expect(back?.active.get("start")?.loop?.cursor).toEqual(
      run.state.active.get("start")?.loop?.cursor as never,
    );
  });

  test("a log that is cut anywhere decides the same", () => {
    const run = start(playbook("max_in_flight: 2"));
    settle(run, 0, 2);
    settle(run, 1, 0);
    settle(run, 2, 1, 1);
    settle(run, 3, 0);
    const told = new Set(["playbook.started", "cursor.claimed", "call.done", "call.error"]);
    const { log } = run;
    for (let cut = 1; cut < log.length; cut++) {
      const state = initialState(testExecution, genesisDigest);
      for (const { event, text, digest } of log.slice(0, cut)) {
        evolve(state, event, text.length);
        state.digest = digest;
      }
      const rest = log.slice(cut);
      const until = rest.findIndex(({ event }) => told.has(event.type));
      const expected = (until < 0 ? rest : rest.slice(0, until)).map(({ event }) => event.type);
      const decision = decide(run.plan, state, { ...run.facts(), results: run.stored }, []);
      expect(decision.events.map(({ event }) => event.type)).toEqual(expected);
    }
  });
});
