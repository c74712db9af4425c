// Where an execution goes: entry, arcs, joins, cycles, skips, the end.

import { describe, expect, test } from "bun:test";
import { EngineRun, failed, ok, planOf } from "#tests/support/engine";

const head = "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: t, path: t}\n";

/** `a -> b, c` lines to a playbook of no-ops; `*` after the step takes all arcs that match. */
function graph(lines: string, more = ""): string {
  const steps = lines
    .trim()
    .split("\n")
    .map((line) => {
      const [left = "", right = ""] = line.split("->").map((part) => part.trim());
      const mode = left.endsWith("*") ? "inclusive" : "exclusive";
      const arcs = right
        .split(",")
        .map((arc) => arc.trim())
        .filter((arc) => arc !== "")
        .map((arc) => {
          const [step = "", when] = arc.split(" if ");
          const condition = when === undefined ? "" : `, when: ${JSON.stringify(`{{ ${when} }}`)}`;
          return `{step: ${step.trim()}${condition}}`;
        });
      const next =
        arcs.length === 0 ? "" : `\n  next: {spec: {mode: ${mode}}, arcs: [${arcs.join(", ")}]}`;
      return `- step: ${left.replace("*", "")}\n  tool: {kind: noop}${next}`;
    });
  return `${head}${more}workflow:\n${steps.join("\n")}\n`;
}

const enters = (run: EngineRun): string[] =>
  run.log.flatMap(({ event }) => (event.type === "step.enter" ? [event.step] : []));
const last = (run: EngineRun): string => run.log.at(-1)?.event.type ?? "";
const start = (text: string, workload = {}): EngineRun =>
  new EngineRun(planOf(text)).start(workload);

describe("entry", () => {
  test("is the step named by executor.spec.entry_step", () => {
    const text = graph("a ->\nstart ->\nb ->", "executor: {spec: {entry_step: b}}\n");
    expect(enters(start(text).run(() => ok()))).toEqual(["b"]);
  });
  test("is step start when no other is named", () => {
    expect(enters(start(graph("a ->\nstart ->")).run(() => ok()))).toEqual(["start"]);
  });
  test("is the first step when none is named start", () => {
    expect(enters(start(graph("a ->\nb ->")).run(() => ok()))).toEqual(["a"]);
  });
});

describe("arcs", () => {
  test("exclusive takes the first that matches, from the top", () => {
    const run = start(graph("start -> a if false, b, c\na ->\nb ->\nc ->")).run(() => ok());
    expect(enters(run)).toEqual(["start", "b"]);
  });
  test("inclusive takes all that match", () => {
    const run = start(graph("start* -> a, b if false, c\na ->\nb ->\nc ->")).run(() => ok());
    expect(enters(run)).toEqual(["start", "a", "c"]);
  });
  test("no match ends the branch and not more", () => {
    const run = start(graph("start -> a if false\na ->")).run(() => ok());
    expect(last(run)).toBe("playbook.completed");
  });
  test("no match fails the step where no_next_is_error says so", () => {
    const more = "executor: {spec: {no_next_is_error: true}}\n";
    const run = start(graph("start -> a if false\na ->", more)).run(() => ok());
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "no_next" },
      failed_steps: ["start"],
    });
  });
  test("two arcs to one target arrive once and bring the values of both", () => {
    const text = `${head}workflow:
- step: start
  tool: {kind: noop}
  next: {spec: {mode: inclusive}, arcs: [{step: a, set: {x: 1}}, {step: a, set: {y: 2}}]}
- step: a
  tool: {kind: noop, message: "{{ x }}{{ y }}"}
`;
    const run = start(text).run(() => ok());
    expect(enters(run)).toEqual(["start", "a"]);
    expect(run.state.variables).toMatchObject({ x: 1, y: 2 });
  });
  test("an arc that can't be evaluated fails the step and follows none", () => {
    const run = start(graph("start -> a if nothing + 1, b\na ->\nb ->")).run(() => ok());
    expect(enters(run)).toEqual(["start"]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "template" },
    });
  });
});

describe("joins", () => {
  const diamond = graph("start* -> a, b\na -> j\nb -> j\nj ->");

  test("wait for every branch that can still come", () => {
    const run = start(diamond);
    run.run((command) => (command.event.step === "b" ? undefined : ok()));
    expect(enters(run)).toEqual(["start", "a", "b"]);
    run.run(() => ok());
    expect(enters(run)).toEqual(["start", "a", "b", "j"]);
  });
  test("do not wait for an exclusive branch that was not taken", () => {
    const run = start(graph("start -> a, b\na -> j\nb -> j\nj ->")).run(() => ok());
    expect(enters(run)).toEqual(["start", "a", "j"]);
  });
  test("do not wait for a branch that died on the way", () => {
    const run = start(graph("start* -> a, b\na -> j if false\nb -> j\nj ->")).run(() => ok());
    expect(enters(run)).toEqual(["start", "a", "b", "j"]);
  });
  test("do not wait for the far side of a cycle that leads through them", () => {
    const run = start(graph("start -> a\na -> b\nb -> a if false, c\nc ->")).run(() => ok());
    expect(enters(run)).toEqual(["start", "a", "b", "c"]);
  });
  test("that wait for one another: the first in the document goes ahead", () => {
    // Each of p and q has the other upstream; neither can come before the other has run.
    const run = start(graph("start* -> p, q\np -> q if false, z\nq -> p if false, z\nz ->")).run(
      () => ok(),
    );
    expect(enters(run)).toEqual(["start", "p", "q", "z"]);
  });
  test("a reducer after a fan-out enters exactly once, after all branches", () => {
    const names = Array.from({ length: 50 }, (_, index) => `w${index}`);
    const text = graph(
      `start* -> ${names.join(", ")}\n${names.map((name) => `${name} -> reduce`).join("\n")}\nreduce ->`,
    );
    const run = start(text).run(() => ok());
    expect(enters(run).filter((name) => name === "reduce")).toEqual(["reduce"]);
    expect(enters(run).at(-1)).toBe("reduce");
  });
  test("an arrival at a running step waits for its exit and enters it again", () => {
    const run = start(graph("start* -> slow, quick\nquick -> slow\nslow ->"));
    // slow has two upstreams: it waits for quick instead of running twice.
    run.run(() => ok());
    expect(enters(run)).toEqual(["start", "quick", "slow"]);
  });
});

describe("cycles", () => {
  const counting = `${head}workflow:
- step: start
  tool: {kind: noop}
  set: {n: 0}
  next: {arcs: [{step: work}]}
- step: work
  tool: {kind: noop, message: "{{ n }}"}
  set: {n: "{{ n + 1 }}"}
  next: {arcs: [{step: work, when: "{{ n < 3 }}"}, {step: done}]}
- step: done
  tool: {kind: noop}
`;
  test("re-enter a step that has run, with the next visit", () => {
    const run = start(counting).run(() => ok());
    const visits = run.log.flatMap(({ event }) =>
      event.type === "step.enter" && event.step === "work" ? [event.visit] : [],
    );
    expect(visits).toEqual([1, 2, 3]);
    expect(last(run)).toBe("playbook.completed");
  });
  test("keep the results of the visit before visible", () => {
    const text = `${head}workflow:
- step: start
  tool: {kind: noop, message: "{{ start.n | default(0) }}"}
  next: {arcs: [{step: start, when: "{{ output.data.n < 3 }}"}]}
`;
    const seen: unknown[] = [];
    start(text).run((command) => {
      seen.push(command.event.input?.fields["/0/message"]);
      return ok({ n: command.event.visit });
    });
    expect(seen).toEqual([0, 1, 2]);
  });
  test("never skip the way out while they turn", () => {
    const run = start(counting).run(() => ok());
    expect(run.story().filter((line) => line.startsWith("step.skipped"))).toEqual([]);
  });
  test("of thousands of turns stay as cheap as the first", () => {
    const long = counting.replace("n < 3", "n < 3000");
    const run = start(long).run(() => ok());
    expect(enters(run).length).toBe(3002);
  });
});

describe("skips", () => {
  test("tell of a step that no arc led to", () => {
    const run = start(graph("start -> a, b\na ->\nb ->")).run(() => ok());
    expect(run.story()).toContain("step.skipped b");
  });
  test("wait while another branch may still come", () => {
    const run = start(graph("start* -> a, b\na -> c if false, d\nb -> c\nc ->\nd ->")).run(() =>
      ok(),
    );
    expect(run.story()).not.toContain("step.skipped c");
    expect(enters(run)).toContain("c");
  });
});

describe("the end", () => {
  test("comes once nothing runs and nothing waits", () => {
    const run = start(graph("start* -> a, b\na ->\nb ->"));
    run.run((command) => (command.event.step === "b" ? undefined : ok()));
    expect(last(run)).not.toBe("playbook.completed");
    run.run(() => ok());
    expect(last(run)).toBe("playbook.completed");
  });
  test("gives the result of step end if it ran", () => {
    const run = start(graph("start* -> end, z\nend ->\nz ->")).run((command) =>
      ok(command.event.step),
    );
    expect(run.log.at(-1)?.event).toMatchObject({ result: "end" });
  });
  test("gives the result of the last step to exit otherwise", () => {
    const run = start(graph("start -> a\na ->")).run((command) => ok(command.event.step));
    expect(run.log.at(-1)?.event).toMatchObject({ result: "a" });
  });
  test("lets nothing follow: a late outcome is refused", () => {
    const run = start(graph("start* -> a, b\na ->\nb ->"));
    run.settle(run.open[0] as never, ok());
    const late = run.open[0];
    run.tell({ type: "playbook.cancelled", reason: "enough" });
    expect(() => run.settle(late as never, ok())).toThrow("follows a terminal event");
  });
});

describe("failure", () => {
  test("without a matching arc fails the execution once the rest has run", () => {
    const run = start(graph("start* -> a, b\na -> c\nb -> d\nc ->\nd ->")).run((command) =>
      command.event.step === "a" ? failed("no luck") : ok(),
    );
    expect(enters(run)).toEqual(["start", "a", "b", "d"]);
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      failed_steps: ["a"],
      error: { message: "failed steps: a: no luck" },
    });
  });
  test("is recovered by an arc whose when holds", () => {
    const run = start(graph("start -> fix if event.name == 'call.error', go\nfix ->\ngo ->")).run(
      (command) => (command.event.step === "start" ? failed() : ok()),
    );
    expect(enters(run)).toEqual(["start", "fix"]);
    expect(last(run)).toBe("playbook.completed");
    expect(run.log.find(({ event }) => event.type === "step.exit")?.event).toMatchObject({
      status: "failed",
      recovered: true,
    });
  });
  test("is never recovered by an arc without a when", () => {
    const run = start(graph("start -> a\na ->")).run((command) =>
      command.event.step === "start" ? failed() : ok(),
    );
    expect(enters(run)).toEqual(["start"]);
    expect(last(run)).toBe("playbook.failed");
  });
  test("binds error in the arcs", () => {
    const run = start(graph("start -> a if error.kind == 'test'\na ->")).run((command) =>
      command.event.step === "start" ? failed() : ok(),
    );
    expect(enters(run)).toEqual(["start", "a"]);
  });
  test("of a step whose input can't be rendered can be recovered like any other", () => {
    const text = `${head}workflow:
- step: start
  tool: {kind: noop, message: "{{ 1 / 0 }}"}
  next: {arcs: [{step: a, when: "{{ event.name == 'call.error' and error.kind == 'template' }}"}]}
- step: a
  tool: {kind: noop}
`;
    const run = start(text).run(() => ok());
    expect(enters(run)).toEqual(["start", "a"]);
    expect(last(run)).toBe("playbook.completed");
  });
  test("of a set that can't be rendered fails its step", () => {
    const text = `${head}workflow:
- step: start
  tool: {kind: noop}
  set: {x: "{{ missing + 1 }}"}
`;
    const run = start(text).run(() => ok());
    expect(run.log.at(-1)?.event).toMatchObject({
      type: "playbook.failed",
      error: { kind: "template" },
    });
  });
});
