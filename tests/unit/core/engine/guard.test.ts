// Guards and admission: what is passed by, what ends, and what is never entered.

import { describe, expect, test } from "bun:test";
import { decide } from "#core/engine/decide";
import { evolve } from "#core/engine/evolve";
import { initialState } from "#core/engine/state";
import { decodeEvent, genesisDigest } from "#core/model/codec";
import { guardsInRowMax } from "#core/model/flow-limits";
import { inlineBytesMax } from "#core/model/limits";
import type { PlaybookDocument, StepDocument } from "#core/playbook/document";
import { EngineRun, ok, planOf, testExecution } from "#tests/support/engine";

const playbook = (...workflow: readonly StepDocument[]): PlaybookDocument => ({
  apiVersion: "noetl.io/v2",
  kind: "Playbook",
  metadata: { name: "t" },
  workflow,
});

const step = (name: string, more: Partial<StepDocument> = {}): StepDocument => ({
  step: name,
  tool: [{ kind: "noop" }],
  ...more,
});

const to = (...names: readonly string[]): Pick<StepDocument, "next"> => ({
  next: { arcs: names.map((name) => ({ step: name })) },
});

const start = (document: PlaybookDocument, workload = {}): EngineRun =>
  new EngineRun(planOf(document)).start(workload);

/** Admitted by no means. */
const refused = JSON.parse(
  '{"spec": {"policy": {"admit": {"rules": [{"then": {"allow": false}}]}}}}',
) as Partial<StepDocument>;

const skips = (run: EngineRun) =>
  run.log.flatMap(({ event }) => (event.type === "step.skipped" ? [event] : []));

describe("a guard that does not hold", () => {
  const passed = playbook(
    step("start", { when: "{{ go }}", set: { touched: true }, ...to("after") }),
    step("after"),
  );
  test("passes its step by: the arcs are taken, its set and its tool are not", () => {
    const run = start(passed, { go: false });
    expect(run.story()).toEqual([
      "playbook.started",
      "step.skipped start",
      "step.enter after",
      "command.issued after",
    ]);
    expect(skips(run)).toMatchObject([
      { reason: "guard", taken: [{ to: "after" }], not_taken: [] },
    ]);
    expect(run.state.variables.touched).toBeUndefined();
    expect(run.state.steps.get("start")).toMatchObject({ status: "skipped", visits: 0 });
  });
  test("is asked anew at each visit, and leaves what an earlier one came to", () => {
    const document = playbook(
      step("start", {
        when: "{{ start is not defined }}",
        next: {
          arcs: [
            { step: "start", when: "{{ output.data == 7 }}" },
            { step: "end", when: "{{ output.status == 'ok' }}" },
          ],
        },
      }),
      step("end", { tool: [{ kind: "noop", message: "{{ start }}" }] }),
    );
    const run = start(document).run(({ event }) => (event.step === "start" ? ok(7) : undefined));
    expect(run.story().filter((line) => line.endsWith(" start"))).toEqual([
      "step.enter start",
      "command.issued start",
      "step.exit start",
      "step.skipped start",
    ]);
    expect(run.open[0]?.event.input?.fields).toEqual({ "/0/message": 7 });
    expect(run.state.steps.get("start")).toMatchObject({ status: "skipped", visits: 1 });
  });
  test("gives arcs the view of a call that gave nothing, and sets what they set", () => {
    const when =
      "{{ event.name == 'call.done' and output.status == 'ok' and output.data is none }}";
    const arcs = [{ step: "after", when, set: { by: "{{ event.step }}" } }];
    const run = start(playbook(step("start", { when: false, next: { arcs } }), step("after")));
    expect(run.state.variables.by).toBe("start");
    expect(run.open.map(({ event }) => event.step)).toEqual(["after"]);
  });
  test("sends an arrival on past a join, which waits for the rest", () => {
    const document = playbook(
      step("start", {
        next: { spec: { mode: "inclusive" }, arcs: [{ step: "a" }, { step: "b" }] },
      }),
      step("a", { when: false, ...to("join") }),
      step("b", to("join")),
      step("join"),
    );
    const run = start(document).run(({ event }) => (event.step === "start" ? ok() : undefined));
    expect(run.open.map(({ event }) => event.step)).toEqual(["b"]);
    run.run(() => ok());
    expect(run.story().filter((line) => line === "step.enter join")).toHaveLength(1);
    expect(run.state.status).toBe("completed");
  });
  test("of a loop is asked before the list is read", () => {
    const loop = { in: "{{ 1 / 0 }}", iterator: "x" };
    const run = start(
      playbook(step("start", { when: false, loop, ...to("after") }), step("after")),
    );
    expect(run.open.map(({ event }) => event.step)).toEqual(["after"]);
  });
  test("ends the execution where it has no arc", () => {
    const run = start(playbook(step("start", { when: false })));
    expect(run.story()).toEqual(["playbook.started", "step.skipped start", "playbook.completed"]);
  });
});

describe("a guard that can't be evaluated", () => {
  test("fails its step, whose arcs see that", () => {
    const arcs = [{ step: "rescue", when: "{{ event.name == 'call.error' }}" }];
    const run = start(
      playbook(step("start", { when: "{{ 1 / 0 }}", next: { arcs } }), step("rescue")),
    );
    expect(run.story().slice(1, 3)).toEqual(["step.enter start", "step.exit start"]);
    expect(run.log[2]?.event).toMatchObject({
      status: "failed",
      recovered: true,
      error: { kind: "template" },
    });
    expect(run.open.map(({ event }) => event.step)).toEqual(["rescue"]);
  });
});

describe("a step that can't begin, whose arcs read what is stored", () => {
  const text = { text: "x".repeat(inlineBytesMax + 1), list: ["deep"] };
  const arcs = [{ step: "rescue", when: "{{ first.list[0] == 'deep' }}" }];
  const bad: Readonly<Record<string, Partial<StepDocument>>> = {
    guard: { when: "{{ 1 / 0 }}" },
    loop: { loop: { in: true, iterator: "x" } },
  };
  for (const [what, more] of Object.entries(bad)) {
    test(`is not entered before that is at hand: ${what}`, () => {
      const document = playbook(
        step("first", to("second")),
        step("second", to("third")),
        step("third", { ...more, next: { arcs } }),
        step("rescue"),
      );
      const run = start(document);
      run.settle(run.open[0] as never, ok(text));
      const [second] = run.open;
      if (second === undefined) throw new Error("expected an open command");
      const { command_id } = second.event;
      const done = { type: "call.done", command_id, attempt: 1, duration_ms: 1 } as const;
      const facts = { ...run.facts(), results: new Map() };
      const first = decide(run.plan, run.state, facts, [{ ...done, output: { status: "ok" } }]);
      expect(first.needs).toHaveLength(1);
      expect(first.events.map(({ event }) => event.type)).toEqual(["call.done", "step.exit"]);
      run.tell();
      expect(run.log.map(({ event }) => event.type).slice(-4)).toEqual([
        "step.enter",
        "step.exit",
        "step.enter",
        "command.issued",
      ]);
      expect(run.state.steps.get("third")?.status).toBe("failed");
    });
  }
});

test("a join does not wait for a branch that was not admitted", () => {
  const run = start(
    playbook(
      step("start", {
        next: { spec: { mode: "inclusive" }, arcs: [{ step: "a" }, { step: "b" }] },
      }),
      { ...step("a", to("join")), ...refused },
      step("b", to("join")),
      step("join"),
    ),
  ).run(({ event }) => (event.step === "join" ? undefined : ok()));
  expect(skips(run)).toMatchObject([{ step: "a", reason: "admit" }]);
  expect(run.open.map(({ event }) => event.step)).toEqual(["join"]);
});

describe("guards in a row", () => {
  test("that lead round and round end with the failure of a step", () => {
    const run = start(
      playbook(
        step("start", { when: false, ...to("b") }),
        step("b", { when: false, ...to("start") }),
      ),
    );
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "guard", code: "guard_cycle" },
    });
    expect(skips(run)).toHaveLength(guardsInRowMax);
  });
  test("of a longer playbook without a cycle are no cycle", () => {
    const count = guardsInRowMax + 50;
    const chain = Array.from({ length: count }, (_, index) =>
      step(`s${index}`, { when: false, ...(index + 1 < count ? to(`s${index + 1}`) : {}) }),
    );
    expect(start(playbook(...chain)).state.status).toBe("completed");
  });
});

describe("admission", () => {
  const text = (rules: string, more = ""): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: t, path: t}
workflow:
- step: start
  tool: {kind: noop}
  spec: {policy: {admit: {rules: [${rules}]}}}
  ${more}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop}
`;
  const outcome = (rules: string, { workload = {}, more = "" } = {}) => {
    const run = new EngineRun(planOf(text(rules, more))).start(workload);
    return { first: run.story()[1], open: run.open.map(({ event }) => event.step), run };
  };
  const rich = '{when: "{{ budget > 0 }}", then: {allow: true}}';
  const broken = '{when: "{{ 1 / 0 }}", then: {allow: true}}';
  const other = {
    inside: "{else: {then: {allow: false}}}",
    beside: "{else: , then: {allow: false}}",
  };
  for (const [spelling, last] of Object.entries(other)) {
    test(`takes the first rule that matches, and else with its then ${spelling}`, () => {
      const rules = `${rich}, ${last}`;
      expect(outcome(rules, { workload: { budget: 1 } }).open).toEqual(["start"]);
      const { first, open, run } = outcome(rules, { workload: { budget: 0 } });
      expect([first, open]).toEqual(["step.skipped start", []]);
      expect(skips(run)).toMatchObject([{ step: "start", reason: "admit" }]);
      expect(skips(run)[0]).not.toHaveProperty("taken");
      expect(run.state.status).toBe("completed");
    });
  }
  test("admits where no rule matches, and refuses where the first that does says so", () => {
    expect(outcome("{when: false, then: {allow: false}}").open).toEqual(["start"]);
    const rules = `{when: true, then: {allow: false}}, ${rich}`;
    expect(outcome(rules, { workload: { budget: 1 } }).open).toEqual([]);
  });
  test("comes after the guard, and is not asked where that does not hold", () => {
    expect(outcome(broken, { more: "when: false" }).open).toEqual(["after"]);
    expect(outcome(broken).run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "template" },
    });
  });
  test("of a loop is asked once, before the list is read", () => {
    const more = 'loop: {in: "{{ 1 / 0 }}", iterator: x}';
    expect(outcome(other.inside, { more }).run.story()[1]).toBe("step.skipped start");
  });
  for (const [rule, message] of [
    ["{when: true}", "no 'then'"],
    ["{when: true, then: {}}", "has no 'allow'"],
    ["{when: true, then: {do: fail}}", "do"],
    ["{when: true, else: , then: {allow: true}}", "both 'when' and 'else'"],
    ["{else: {then: {allow: true}}, then: {allow: true}}", "inside and beside"],
  ] as const) {
    test(`is refused: ${rule}`, () => {
      expect(() => outcome(rule)).toThrow(message);
    });
  }
});

describe("a log with guards", () => {
  const document = playbook(
    step("start", {
      when: "{{ go }}",
      next: {
        spec: { mode: "inclusive" },
        arcs: [
          { step: "a", set: { from: "guard" } },
          { step: "b", when: "{{ false }}" },
        ],
      },
    }),
    step("a"),
    step("b"),
  );
  test("that is cut at any event is decided upon as it was", () => {
    const whole = start(document, { go: false }).run(() => ok());
    const types = whole.story();
    expect(types).toContain("step.skipped b");
    for (let cut = 1; cut <= whole.log.length; cut++) {
      const run = new EngineRun(planOf(document));
      for (const { event, text } of whole.log.slice(0, cut)) evolve(run.state, event, text.length);
      run.tell();
      expect([...types.slice(0, cut), ...run.story()]).toEqual(
        types.slice(0, cut + run.log.length),
      );
    }
  });
  test("gives the state of the run when it is folded", () => {
    const { log, state } = start(document, { go: false }).run(() => ok());
    const folded = initialState(testExecution, genesisDigest);
    for (const { text } of log) evolve(folded, decodeEvent(text), text.length);
    expect({ ...folded, digest: "" }).toEqual({ ...state, digest: "" });
  });
});
