// The root, steps, arcs and loops of a playbook: what is refused, where, in which words.

import { describe, expect, test } from "bun:test";
import {
  documentOf,
  expectProblem,
  expectWarning,
  header,
  positionOf,
  problemsOf,
  warningsOf,
  withStep,
  withStepKeys,
  withTool,
} from "./playbook-text.ts";

describe("the root", () => {
  test("needs its header, a name and steps", () => {
    expect(problemsOf("workload: {}\n")).toEqual([
      "1:1: playbook has no 'apiVersion', expected noetl.io/v2 or noetl.io/v10",
      "1:1: playbook has no 'kind', expected Playbook or Agent",
      "1:1: playbook has no 'metadata', expected a map",
      "1:1: playbook has no 'workflow', expected a list",
    ]);
    const unnamed = withTool("kind: noop").replace("name: sample", "path: a");
    expectProblem(unnamed, "metadata", "metadata has no 'name', expected text");
    const empty = `${header}workflow: []\n`;
    expectProblem(empty, "[]", "'workflow' is an empty list, expected at least one item");
  });

  test("has apiVersion v2 or v10", () => {
    const source = withTool("kind: noop").replace("noetl.io/v2", "noetl.io/v3");
    const message = "'apiVersion' is 'noetl.io/v3', expected noetl.io/v2 or noetl.io/v10";
    expect(problemsOf(source)[0]).toStartWith(`${positionOf(source, "noetl.io/v3")}: ${message}`);
  });

  test("has no unknown keys", () => {
    const source = `${withTool("kind: noop")}workfow: []\n`;
    expectProblem(source, "workfow", "unknown playbook key 'workfow', did you mean 'workflow'?");
  });

  test("names an entry step that exists", () => {
    const source = `${withTool("kind: noop")}executor: {spec: {entry_step: strat}}\n`;
    expectProblem(
      source,
      "strat",
      "'entry_step' is 'strat', expected the name of a step, did you mean 'start'?",
    );
  });

  test("keeps unknown metadata and takes single tags as lists", () => {
    const source = withTool("kind: noop").replace("name: sample", "name: a, x: {y: 1}, tags: b");
    expect(documentOf(source).metadata).toEqual({ name: "a", x: { y: 1 }, tags: ["b"] });
    const wrong = withTool("kind: noop").replace("name: sample", "name: a, tags: 1");
    expectProblem(wrong, "1}", "'tags' is 1, expected a list or a single text");
  });

  test("never renders workload: what looks like a template there is data", () => {
    const source = `${withTool("kind: noop")}workload: {a: '{{ not | valid | }}'}\n`;
    expect(problemsOf(source)).toEqual([]);
  });
});

describe("a step", () => {
  test("needs a tool, not an empty list of them, not a text", () => {
    expectProblem(
      withStep("    desc: nothing"),
      "step: start",
      "step has no 'tool', expected a map with a kind or a list",
    );
    expectProblem(
      withStep("    tool: []"),
      "[]",
      "'tool' is an empty list, expected at least one item",
    );
    expectProblem(
      withStep("    tool: noop"),
      "noop\n",
      "'tool' is text, expected a map with a kind or a list",
    );
    expectProblem(
      withTool("- noop"),
      "noop\n",
      "item 1 of 'tool' is text, expected a map with a kind",
    );
  });

  test("has a name that is a short text on one line, and its own", () => {
    const named = (name: string) =>
      `${header}workflow:\n  - step: ${name}\n    tool: {kind: noop}\n`;
    expectProblem(named("1"), "1\n", "'step' is 1, expected text");
    expectProblem(named("''"), "''", "'step' is empty, expected a name");
    expectProblem(named("x".repeat(201)), "xxx", "'step' has 201 characters, expected at most 200");
    expectProblem(
      named('"a\\nb"'),
      '"a',
      "'step' has space around it or control characters, expected a plain name",
    );
    expectProblem(named("'{{ a }}'"), "'{{", "'step' is a template, expected a plain name");
    const twice = `${named("a")}  - step: a\n    tool: {kind: noop}\n`;
    expect(problemsOf(twice)).toEqual(["7:11: a second step named 'a', expected different names"]);
  });

  test("named like something templates know is warned about", () => {
    const source = `${withTool("kind: noop")}  - step: output\n    tool: {kind: noop}\n`;
    expectWarning(source, "output", "step 'output' hides what templates otherwise see as output");
  });

  test("has templates in input, set and output, at any depth", () => {
    for (const key of ["input", "set", "output"]) {
      const source = withStepKeys(`${key}: {a: {b: ['{{ c | nosuch }}']}}`);
      const [problem, ...rest] = problemsOf(source);
      expect(rest).toEqual([]);
      expect(problem).toStartWith(`${positionOf(source, "nosuch")}: template: `);
    }
  });

  test("has input and set maps, with names that templates can read", () => {
    const input = withStepKeys("input: '{{ workload }}'");
    expectProblem(input, "'{{", "'input' is text, expected a map");
    const set = withStepKeys("set: {'a b': 1}");
    expectProblem(set, "'a b'", "key 'a b' of 'set', expected a name such as total or ctx.total");
    const numbered = withStepKeys("set: {1: 1}");
    expectProblem(numbered, "1: 1", "key '1' of 'set', expected a name such as total or ctx.total");
  });
});

describe("arcs", () => {
  test("lead to steps that exist", () => {
    const source = withStepKeys("next: {arcs: [{step: ennd}, {step: elsewhere}]}");
    expect(problemsOf(source)).toEqual([
      `${positionOf(source, "ennd")}: arc leads to unknown step ` +
        `'ennd', expected the name of a step, did you mean 'end'?`,
      `${positionOf(source, "elsewhere")}: arc leads to ` +
        `unknown step 'elsewhere', expected the name of a step`,
    ]);
  });

  test("to a step end that isn't there say how a branch ends", () => {
    const source =
      `${header}workflow:\n  - step: a\n    tool: ` +
      "{kind: noop}\n    next: {arcs: [{step: end}]}\n";
    expectProblem(
      source,
      "end}",
      "arc leads to unknown step 'end', expected the name of a step; add a step named end, " +
        "or leave the arc out: a branch ends where no arc leads on",
    );
  });

  test("have conditions that are an expression, true or false", () => {
    for (const good of ["true", "false", "a > 1", "'{{ a > 1 }}'", "'{% if a %}1{% endif %}'"]) {
      expect(problemsOf(withStepKeys(`next: {arcs: [{step: end, when: ${good}}]}`))).toEqual([]);
    }
    for (const [bad, found] of [
      ["1", "1"],
      ["[a]", "a list"],
      ["{}", "a map"],
    ]) {
      const source = withStepKeys(`next: {arcs: [{step: end, when: ${bad}}]}`);
      expect(problemsOf(source)).toHaveLength(1);
      expect(problemsOf(source)[0]).toEndWith(
        `'when' is ${found}, expected an expression, true or false`,
      );
    }
  });

  test("are maps, also where they have no condition", () => {
    const source = withStepKeys("next: {arcs: [end]}");
    expectProblem(source, "end]", "item 1 of 'arcs' as text is no arc; write {step: NAME}");
  });

  test("behind one that always matches are warned about, unless all are taken", () => {
    const message = "this arc is never taken: one before it always matches";
    for (const first of ["{step: end}", "{step: end, when: true}"]) {
      const arcs = `arcs: [${first}, {step: start}]`;
      expectWarning(withStepKeys(`next: {${arcs}}`), "{step: start}", message);
      expect(warningsOf(withStepKeys(`next: {spec: {mode: inclusive}, ${arcs}}`))).toEqual([]);
    }
    const certain = withStepKeys("next: {arcs: [{step: end, when: true}, {step: start, when: a}]}");
    expectWarning(certain, "{step: start", message);
  });

  test("with a condition may follow one without: a step that failed takes them", () => {
    const failed = "{step: start, when: event.name == 'call.error'}";
    expect(warningsOf(withStepKeys(`next: {arcs: [{step: end}, ${failed}]}`))).toEqual([]);
  });
});

describe("loops", () => {
  const loop = (fields: string) => withStepKeys(`loop: {${fields}}`);

  test("need items and a name for one", () => {
    expectProblem(loop("iterator: i"), "loop", "loop has no 'in', expected a list or a template");
    expectProblem(
      loop("in: []"),
      "loop",
      "loop has no 'iterator', expected a name of letters, digits and _",
    );
  });

  test("have anything as items", () => {
    for (const good of ["[]", "1", "true", "{a: 1}", "abc", "'{{ a }}'", "null"]) {
      expect(problemsOf(loop(`in: ${good}, iterator: i`))).toEqual([]);
    }
  });

  test("have a name for the item that templates can read and that means nothing else", () => {
    for (const bad of ["a-b", "1a", "''", "a.b"]) {
      const source = loop(`in: [], iterator: ${bad}`);
      const name = bad === "''" ? "" : bad;
      expectProblem(
        source,
        `${bad}}`,
        `'iterator' is '${name}', expected a name of letters, digits and _`,
      );
    }
    expect(problemsOf(loop("in: [], iterator: workload"))[0]).toEndWith(
      "'iterator' is 'workload', which has a meaning " +
        "of its own in templates, expected another name",
    );
    expect(warningsOf(loop("in: [], iterator: job"))[0]).toEndWith(
      "iterator 'job' hides what templates otherwise see as job",
    );
    expect(problemsOf(loop("in: [], iterator: else"))[0]).toEndWith(
      "'iterator' is 'else', a word of the template language, expected another name",
    );
  });

  test("have a mode and a number in flight, or a template for it", () => {
    const spec = (fields: string) => loop(`in: [], iterator: i, spec: {${fields}}`);
    expectProblem(
      spec("mode: paralel"),
      "paralel",
      "'mode' is 'paralel', expected sequential, parallel or cursor, did you mean 'parallel'?",
    );
    for (const bad of ["0", "1.5", "-1"]) {
      expectProblem(
        spec(`max_in_flight: ${bad}`),
        `${bad}}`,
        `'max_in_flight' is ${bad}, expected a whole number of at least 1 or a template`,
      );
    }
    expect(problemsOf(spec("max_in_flight: '4'"))[0]).toEndWith(
      "'max_in_flight' is text, expected a whole number of at least 1 or a template",
    );
    expect(problemsOf(spec("max_in_flight: '{{ width }}'"))).toEqual([]);
  });
});
