// The log itself: how it is encoded, chained, replayed and verified.

import { describe, expect, test } from "bun:test";
import { decide } from "#core/engine/decide";
import { evolve } from "#core/engine/evolve";
import { initialState } from "#core/engine/state";
import { verifyLog } from "#core/engine/verify";
import { decodeEvent, encodeEvent, genesisDigest } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { EngineRun, failed, ok, planOf, sha256, testExecution } from "#tests/support/engine";

const plan = planOf(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workload: {items: [1, 2, 3]}
workflow:
- step: start
  tool: {kind: noop}
  set: {n: "{{ output.n }}"}
  next: {spec: {mode: inclusive}, arcs: [{step: a}, {step: b}, {step: c, when: "{{ false }}"}]}
- step: a
  loop: {in: "{{ workload.items }}", iterator: x, spec: {mode: parallel, max_in_flight: 2}}
  tool: {kind: noop, message: "{{ x }}"}
  next: {arcs: [{step: j}]}
- step: b
  tool: {kind: noop}
  next: {arcs: [{step: j, when: "{{ event.name == 'call.error' }}"}, {step: j}]}
- step: c
  tool: {kind: noop}
- step: j
  tool: {kind: noop, message: "{{ a.results }} {{ n }}"}
`);

const finished = (): EngineRun =>
  new EngineRun(plan)
    .start()
    .run((command) => (command.event.step === "b" ? failed() : ok({ n: 1, text: "é\u0000" })));

describe("the log", () => {
  test("is dense, with event ids and times that never go back", () => {
    const { log } = finished();
    expect(log.map(({ event }) => event.seq)).toEqual(log.map((_, index) => index + 1));
    const verified = verifyLog(testExecution, log, sha256);
    expect(verified.problems).toEqual([]);
  });
  test("writes four events for a plain step", () => {
    const story = finished().log.filter(({ event }) => "step" in event && event.step === "j");
    expect(story.map(({ event }) => event.type)).toEqual([
      "step.enter",
      "command.issued",
      "step.exit",
    ]); // and its call.done, which names the command
  });
  test("encodes to a text that decodes and encodes to itself", () => {
    for (const { text } of finished().log) expect(encodeEvent(decodeEvent(text))).toBe(text);
  });
  test("refuses an event of a newer schema", () => {
    const event = { ...finished().log[0]?.event, schema_version: 99 } as Event;
    expect(() => decodeEvent(encodeEvent(event))).toThrow("schema version 99, expected at most 1");
  });
  test("never lets time go back", () => {
    const run = new EngineRun(plan).start();
    run.nowMs -= 60_000;
    run.run(() => ok());
    const times = run.log.map(({ event }) => event.time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("replay", () => {
  test("of any prefix gives the state that the engine had there, and decides the same from it", () => {
    const whole = finished();
    for (let cut = 1; cut <= whole.log.length; cut++) {
      const state = initialState(testExecution, genesisDigest);
      for (const { event, text, digest } of whole.log.slice(0, cut)) {
        evolve(state, event, text.length);
        state.digest = digest;
      }
      const facts = new EngineRun(plan).facts();
      const { events } = decide(plan, state, facts, []);
      const next = whole.log.slice(cut, cut + events.length);
      const body = (event: Event): unknown => {
        const { event_id: _id, time: _time, ...rest } = event;
        return rest;
      };
      expect(events.map(({ event }) => body(event))).toEqual(next.map(({ event }) => body(event)));
    }
  });
  test("of a finished log decides nothing more", () => {
    const run = finished();
    expect(decide(plan, run.state, run.facts(), []).events).toEqual([]);
  });
});

describe("verification finds", () => {
  const lines = (): { text: string; digest: string }[] =>
    finished().log.map(({ text, digest }) => ({ text, digest }));
  const problems = (changed: { text: string; digest: string }[]): string =>
    verifyLog(testExecution, changed, sha256).problems.join("\n");

  test("a changed text", () => {
    const log = lines();
    const third = log[3];
    if (third !== undefined) third.text = third.text.replace('"n":1', '"n":2');
    expect(problems(log)).toContain("event 4: digest is");
  });
  test("a dropped event", () => {
    const log = lines();
    log.splice(4, 1);
    expect(problems(log)).toContain("event 5: digest is");
  });
  test("an inserted event", () => {
    const log = lines();
    log.splice(4, 0, { ...(log[4] ?? { text: "", digest: "" }) });
    expect(problems(log)).toContain("event 6");
  });
  test("a log that was rewritten with new digests but breaks the fold", () => {
    const log = lines().slice(0, 4);
    const again = log[3]?.text.replace('"seq":4', '"seq":5').replace("004", "005") ?? "";
    let digest = log[3]?.digest ?? "";
    digest = sha256(digest + again);
    expect(problems([...log, { text: again, digest }])).toContain("is not open");
  });
  test("an event after the end", () => {
    const log = lines();
    const { text, digest } = log.at(-1) ?? { text: "", digest: "" };
    const again = text.replace(/"seq":\d+/, `"seq":${log.length + 1}`);
    const late = again.replace(/"event_id":"\d+"/, '"event_id":"299999999999999999"');
    expect(problems([...log, { text: late, digest: sha256(digest + late) }])).toContain(
      "follows a terminal event",
    );
  });
  test("a log of another execution", () => {
    const [first] = lines();
    expect(verifyLog("1" as never, first === undefined ? [] : [first], sha256).problems).toEqual([
      `event 1: execution is ${testExecution}, expected 1`,
    ]);
  });
});

describe("a command", () => {
  const open = (): EngineRun => new EngineRun(plan).start();

  test("is settled once", () => {
    const run = open();
    const [command] = run.open;
    run.settle(command as never, ok());
    expect(() => run.settle(command as never, ok())).toThrow("is not open");
  });
  test("is settled by its open attempt only", () => {
    const run = open();
    const id = run.open[0]?.event.command_id as never;
    run.tell({ type: "command.reissued", command_id: id, attempt: 2, reason: "lease_expired" });
    expect(() => run.settle(run.open[0] as never, ok())).toThrow("is at attempt 2, not 1");
  });
  test("goes from one attempt to the next and skips none", () => {
    const run = open();
    const id = run.open[0]?.event.command_id as never;
    expect(() =>
      run.tell({ type: "command.reissued", command_id: id, attempt: 3, reason: "lease_expired" }),
    ).toThrow("goes from attempt 1 to 3");
  });
});
