// Durable waits as the log tells of them: parked as they are issued, answered early, late or never.

import { describe, expect, test } from "bun:test";
import { evolve } from "#core/engine/evolve";
import { instantMs } from "#core/engine/instant";
import { initialState } from "#core/engine/state";
import { dueOutput } from "#core/engine/waits";
import { decodeEvent, genesisDigest } from "#core/model/codec";
import type { EventBody, WaitParked } from "#core/model/event";
import { waitMsMax } from "#core/model/flow-limits";
import type { CommandId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { inlineBytesMax, stateInlineBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { EngineRun, ok, planOf, testExecution } from "#tests/support/engine";

const playbook = (fields: string, more = ""): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {delay: 30, at: "2025-06-15T15:07:10.500Z"}
workflow:
- step: start
  ${more}
  tool: {kind: wait, ${fields}}
  next: {arcs: [{step: after}, {step: late, when: "{{ error.kind == 'timeout' }}"}]}
- step: after
  tool: {kind: noop, message: "{{ start }}"}
- step: late
  tool: {kind: noop}
`;

const start = (fields: string, more = ""): EngineRun =>
  new EngineRun(planOf(playbook(fields, more))).start();
/** The wait comes after a step that a worker runs. */
function behindAnother(fields: string): EngineRun {
  const entry = "executor: {spec: {entry_step: before}}\nworkflow:";
  const before = "- step: before\n  tool: {kind: noop}\n  next: {arcs: [{step: start}]}";
  const text = playbook(fields).replace("workflow:", `${entry}\n${before}`);
  return new EngineRun(planOf(text)).start();
}

const parks = (run: EngineRun): readonly WaitParked[] =>
  run.log.flatMap(({ event }) => (event.type === "wait.parked" ? [event] : []));
const parked = (run: EngineRun): WaitParked => {
  const [event, ...others] = parks(run);
  if (event === undefined || others.length > 0) throw new Error("expected one parked call");
  return event;
};
const answer = (key: string, data: Json, command_id?: CommandId): EventBody => ({
  type: "wait.done",
  key,
  output: { status: "ok", data },
  ...(command_id === undefined ? {} : { command_id }),
});
const issued = (run: EngineRun): readonly string[] => run.open.map(({ event }) => event.step);

describe("a timer", () => {
  test("is parked by the decision that issues it, and nobody is given it", () => {
    const run = start('for: timer, seconds: "{{ delay }}"');
    expect(run.story().slice(-3)).toEqual([
      "step.enter start",
      "command.issued start",
      "wait.parked",
    ]);
    expect(run.open).toEqual([]);
    expect(parked(run)).toMatchObject({ for: "timer", key: "start:1", due: run.nowMs + 30_000 });
  });
  test("ends well with how long it was waited for", () => {
    const run = start("for: timer, seconds: 1.5");
    const { command_id, key, due = 0 } = parked(run);
    const wait = run.state.commands.get(command_id)?.wait;
    if (wait === undefined) throw new Error("expected a wait");
    run.nowMs = due + 10;
    run.tell({ type: "wait.done", key, command_id, output: dueOutput(wait, run.nowMs) });
    expect(run.log.find(({ event }) => event.type === "call.done")?.event).toMatchObject({
      duration_ms: 1_510,
      output: { data: { waited_ms: 1_510 } },
    });
    expect(issued(run)).toEqual(["after"]);
  });
  test("is due at a time as text or as a number, and at once where that is past", () => {
    const base = Date.parse("2025-06-15T15:06:40Z");
    expect(new EngineRun(planOf(playbook("for: timer, seconds: 0"))).nowMs).toBe(base);
    const dues = ['until: "{{ at }}"', `until: ${base + 7}`, "until: 0"].map(
      (field) => (parked(start(`for: timer, ${field}`)).due ?? 0) - base,
    );
    expect(dues).toEqual([30_500, 7, 0]);
  });
  for (const [field, message] of [
    ['seconds: "{{ none_such }}"', "no number of seconds"],
    ['seconds: "{{ delay - 31 }}"', "no number of seconds"],
    ['until: "{{ delay }} o\'clock"', "no time"],
    [`seconds: ${waitMsMax / 1_000 + 1}`, "days away"],
  ] as const) {
    test(`of ${field} fails the step`, () => {
      const run = start(`for: timer, ${field}`);
      expect(run.state.failed.get("start")).toMatchObject({ kind: "wait" });
      expect(run.state.failed.get("start")?.message).toContain(message);
    });
  }
  test("is not ended by an answer under its key", () => {
    const run = start("for: timer, seconds: 5").tell(answer("start:1", 1));
    expect(run.state.commands.size).toBe(1);
    expect(run.state.answers.size).toBe(1);
  });
});

describe("a callback", () => {
  test("that comes while it is waited for ends the call with what it says", () => {
    const run = start('for: callback, key: "order-{{ execution_id }}"');
    const { command_id, key } = parked(run);
    expect(key).toBe(`order-${testExecution}`);
    run.nowMs += 90;
    run.tell(answer(key, { paid: true }, command_id));
    expect(run.log.find(({ event }) => event.type === "call.done")?.event).toMatchObject({
      command_id,
      duration_ms: 90,
      output: { data: { paid: true } },
    });
    expect(run.open[0]?.event.input?.fields).toEqual({ "/0/message": { paid: true } });
    expect([run.state.waits.size, run.state.answered.size]).toEqual([0, 0]);
  });
  test("that came before is consumed by the park", () => {
    const run = behindAnother("for: callback, key: k").tell(answer("k", 42));
    expect(run.state.answers.size).toBe(1);
    run.settle(run.open[0] as never, ok());
    expect(run.open[0]?.event.input?.fields).toEqual({ "/0/message": 42 });
    expect([run.state.answers.size, run.state.waits.size]).toEqual([0, 0]);
    expect(run.state.answeredKeys.has("k")).toBe(true);
  });
  test("that tells of a failure fails the step", () => {
    const run = start("for: callback");
    const { key, command_id } = parked(run);
    const error = { kind: "callback", code: "no", message: "declined", retryable: false };
    run.tell({ type: "wait.done", key, command_id, output: { status: "error", error } });
    expect(run.state.failed.get("start")).toMatchObject({ code: "no" });
  });
  test("that never comes fails the call, of kind timeout, which arcs see", () => {
    const run = start("for: callback, timeout_s: 60");
    const { command_id, key, due = 0 } = parked(run);
    expect(due - run.nowMs).toBe(60_000);
    const wait = run.state.commands.get(command_id)?.wait;
    run.nowMs = due;
    run.tell({ type: "wait.done", key, command_id, output: dueOutput(wait as never, due) });
    expect(issued(run)).toEqual(["late"]);
    expect(run.state.answeredKeys.has(key)).toBe(true);
  });
  test("is known by whoever gave it", () => {
    const run = start("for: callback");
    const { key, command_id } = parked(run);
    run.tell({ ...(answer(key, 1, command_id) as WaitDoneBody), by: "ada" });
    expect(run.state.steps.get("start")?.output?.meta).toEqual({ by: "ada" });
  });
  test("under a key that is waited for already fails the second wait", () => {
    const run = start(
      "for: callback, key: one",
      "loop: {in: 2, iterator: x, spec: {mode: parallel}}",
    );
    expect(parks(run)).toHaveLength(1);
    expect(run.log.find(({ event }) => event.type === "call.error")?.event).toMatchObject({
      output: { error: { kind: "wait", code: "key_taken" } },
    });
  });
  test("under the key of a wait that is over means the next one, once that is parked", () => {
    const again = 'next: {arcs: [{step: start, when: "{{ output.data == 1 }}"}, {step: after}]}';
    const text = playbook("for: callback, key: k").replace(/ {2}next: .*/, `  ${again}`);
    const run = new EngineRun(planOf(text)).start();
    expect(parked(run).key).toBe("k");
    run.answer("k", { status: "ok", data: 1 });
    expect(parks(run)).toHaveLength(2);
    expect([run.state.waits.has("k"), run.state.answeredKeys.has("k")]).toEqual([true, false]);
    run.answer("k", { status: "ok", data: 2 });
    expect(issued(run)).toEqual(["after"]);
  });
  test("under a key that is too long fails its step", () => {
    const run = start(`for: callback, key: ${"k".repeat(201)}`);
    expect(run.state.failed.get("start")?.message).toContain("at most 200");
  });
});

type WaitDoneBody = Extract<EventBody, { type: "wait.done" }>;

describe("waits of a loop", () => {
  test("have a key each, and their results keep the order of the items", () => {
    const run = start("for: callback", "loop: {in: 3, iterator: x, spec: {mode: parallel}}");
    expect(parks(run).map(({ key }) => key)).toEqual(["start:1:i0", "start:1:i1", "start:1:i2"]);
    for (const { key, command_id } of [...parks(run)].reverse()) {
      run.tell(answer(key, key, command_id));
    }
    const done = run.log.find(({ event }) => event.type === "loop.done")?.event;
    expect(done).toMatchObject({ results: ["start:1:i0", "start:1:i1", "start:1:i2"] });
  });
});

describe("an approval", () => {
  test("says who may give it", () => {
    const run = start("for: approval, approvers: {roles: [operator]}");
    expect(parked(run)).toMatchObject({ for: "approval", who: { roles: ["operator"] } });
  });
});

describe("answers in the state", () => {
  test("beyond its budget stay in the log, and are found there", () => {
    const run = start("for: callback, key: last");
    const text = "x".repeat(inlineBytesMax - 1_000);
    const many = Math.ceil(stateInlineBytesMax / inlineBytesMax) + 3;
    for (let index = 0; index < many; index++) run.tell(answer(`early-${index}`, { text }));
    expect(run.state.inlineBytes).toBeLessThanOrEqual(stateInlineBytesMax);
    const last: Output | undefined = run.state.answers.get(`early-${many - 1}`)?.output;
    expect(last?.ref?.ref).toBe(`noetl://execution/${testExecution}/event/${run.state.seq}`);
    const { key, command_id } = parked(run);
    run.tell(answer(key, { text, n: 7 }, command_id));
    expect(run.open[0]?.event.input).toMatchObject({ fields: { "/0/message": { n: 7 } } });
  });
  test("are counted while they are kept, and once when their call has ended", () => {
    const run = behindAnother("for: callback, key: k").tell(answer("k", "x".repeat(50_000)));
    const kept = run.state.inlineBytes;
    expect(kept).toBeGreaterThan(50_000);
    run.settle(run.open[0] as never, ok());
    expect(issued(run)).toEqual(["after"]);
    expect(run.state.inlineBytes).toBeLessThan(kept + 2_000);
  });
  test("that are large are stored", () => {
    const run = start("for: callback");
    const { key, command_id } = parked(run);
    run.tell(answer(key, "x".repeat(inlineBytesMax + 1), command_id));
    expect(run.log.find(({ event }) => event.type === "wait.done")?.event).toMatchObject({
      output: { ref: { kind: "result_ref" } },
    });
  });
});

describe("a log of waits", () => {
  test("gives the state of the run when it is folded, wherever it is cut", () => {
    const run = start("for: callback", "loop: {in: 3, iterator: x, spec: {mode: parallel}}");
    run.tell(answer("other", 1));
    for (const { key, command_id } of parks(run)) run.tell(answer(key, key, command_id));
    const folded = initialState(testExecution, genesisDigest);
    const live = initialState(testExecution, genesisDigest);
    for (const { event, text } of run.log) {
      evolve(folded, decodeEvent(text), text.length);
      evolve(live, event, text.length);
      expect(folded).toEqual(live);
    }
    expect({ ...folded, digest: "" }).toEqual({ ...run.state, digest: "" });
  });
  test("decides the end of an answered call from the state alone", () => {
    const run = start("for: callback");
    const { key, command_id } = parked(run);
    run.tell(answer(key, 1, command_id));
    const at = run.log.findIndex(({ event }) => event.type === "wait.done") + 1;
    const cut = new EngineRun(run.plan);
    for (const { event, text } of run.log.slice(0, at)) evolve(cut.state, event, text.length);
    expect(cut.tell().story()[0]).toBe("call.done");
  });
  const parkedRun = () => {
    const run = start("for: callback");
    return { run, ...parked(run) };
  };
  const wrong: Readonly<Record<string, (of: { key: string; command_id: CommandId }) => EventBody>> =
    {
      "an outcome of a call that waits": ({ command_id }) => ({
        ...{ type: "call.done", command_id, attempt: 1, duration_ms: 0 },
        output: { status: "ok" },
      }),
      "a second park": ({ command_id }) => ({
        ...{ type: "wait.parked", command_id, key: "other", for: "callback" },
      }),
      "an answer of another key": ({ command_id }) => answer("other", 1, command_id),
      "an early answer to what waits": ({ key }) => answer(key, 1),
    };
  for (const [what, event] of Object.entries(wrong)) {
    test(`takes no ${what.replace(/^an? /, "")}`, () => {
      const { run, key, command_id } = parkedRun();
      expect(() => run.tell(event({ key, command_id }))).toThrow();
    });
  }
});

describe("an instant", () => {
  test("is read as calendars have it", () => {
    for (const text of [
      "1970-01-01T00:00:00Z",
      "2000-02-29T23:59:59.999Z",
      "2026-11-22T12:00:00+02:30",
      "2026-11-22 12:00:00-11:00",
      "1969-12-31T23:59:59Z",
      "2100-03-01T00:00:00Z",
    ]) {
      expect([text, instantMs(text)]).toEqual([text, Date.parse(text)]);
    }
    expect(instantMs("1700000000000")).toBe(1_700_000_000_000);
  });
  test("is nothing else", () => {
    for (const text of ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01", "now", ""]) {
      expect([text, instantMs(text)]).toEqual([text, undefined]);
    }
  });
});

describe("a wait that makes no sense", () => {
  for (const [fields, message] of [
    ["for: timer", "neither"],
    ["for: timer, seconds: 1, until: 2", "both"],
    ["for: timer, seconds: 1, key: k", "no 'key'"],
    ["for: callback, seconds: 1", "no 'seconds'"],
    ["for: signal, approvers: {}", "no 'approvers'"],
    ["for: rain", "expected timer, callback, signal or approval"],
    ["seconds: 1", "no 'for'"],
  ] as const) {
    test(`is refused: ${fields}`, () => {
      expect(() => start(fields)).toThrow(message);
    });
  }
  test("is refused in a pipeline of several tasks, and with a policy", () => {
    const list = playbook("for: timer, seconds: 1").replace(
      /tool: (\{kind: wait.*\})/,
      "tool: [$1, {name: b, kind: noop}]",
    );
    expect(() => planOf(list)).toThrow("a step of its own");
    expect(() =>
      start("for: timer, seconds: 1, spec: {policy: {rules: [{then: {do: fail}}]}}"),
    ).toThrow("policy");
  });
});
