// Tools, pipelines and their rules: what is refused, where, in which words.

import { describe, expect, test } from "bun:test";
import { toolKinds } from "#core/playbook/tool-fields";
import { expectProblem, expectWarning, positionOf, problemsOf, withTool } from "./playbook-text.ts";

const policy = (rule: string, ...more: readonly string[]) =>
  withTool("kind: noop", "spec:", "  policy:", `    rules: [${rule}]`, ...more);

describe("pipelines and rules", () => {
  test("have different labels, given or by place", () => {
    const source = withTool("- {name: a, kind: noop}", "- {name: a, kind: noop}");
    expect(problemsOf(source)).toEqual([
      "8:16: a second task labelled 'a', expected different labels",
    ]);
    const byPlace = withTool("- {name: task_1, kind: noop}", "- {kind: noop}");
    expect(problemsOf(byPlace)).toEqual([
      "8:9: a second task labelled 'task_1', expected different labels",
    ]);
  });

  test("labelled like something templates know are warned about", () => {
    const source = withTool("- {name: ctx, kind: noop}", "- {kind: noop}");
    expectWarning(source, "ctx", "task 'ctx' hides what templates otherwise see as ctx");
  });

  test("of workbook entries are checked like those of steps", () => {
    const entry = (rule: string) =>
      `${withTool("kind: noop")}workbook: [{name: a, tool: ` +
      `{kind: noop, spec: {policy: {rules: [${rule}]}}}}]\n`;
    expectProblem(entry("{when: a}"), "{when", "rule has no 'then', expected a map");
    expect(problemsOf(entry("{then: {do: jump, to: b}}"))[0]).toContain("jump to unknown task 'b'");
  });

  test("say what to do, unless they only set something", () => {
    expectProblem(
      policy("{when: a, then: {delay: 1}}"),
      "then",
      "then has no 'do', expected continue, retry, fail, break or jump",
    );
    expectProblem(policy("{when: a}"), "{when: a}", "rule has no 'then', expected a map");
    expect(problemsOf(policy("{when: a, then: {set: {b: 1}}}"))).toEqual([]);
  });

  test("have actions, attempts, backoffs and delays that exist", () => {
    const then = (fields: string) => policy(`{when: a, then: {${fields}}}`);
    expectProblem(
      then("do: rety"),
      "rety",
      "'do' is 'rety', expected continue, retry, fail, break or jump, did you mean 'retry'?",
    );
    for (const bad of ["0", "1.5"]) {
      const message = `'attempts' is ${bad}, expected a whole number of at least 1`;
      expectProblem(then(`do: retry, attempts: ${bad}`), `${bad}}`, message);
    }
    const text = then("do: retry, attempts: '3'");
    expectProblem(text, "'3'", "'attempts' is text, expected a whole number of at least 1");
    const quick = then("do: retry, backoff: quick");
    expectProblem(quick, "quick", "'backoff' is 'quick', expected none, linear or exponential");
    const early = then("do: retry, delay: -1");
    expectProblem(early, "-1", "'delay' is -1, expected a number of at least 0");
    const late = then("do: retry, delay: '1'");
    expectProblem(late, "'1'", "'delay' is text, expected a number of at least 0");
    const allow = then("do: continue, allow: true");
    expect(problemsOf(allow)[0]).toStartWith(
      `${positionOf(allow, "allow")}: then key 'allow' is not supported`,
    );
  });

  test("with a target and no jump are warned about", () => {
    const source = policy("{when: a, then: {do: retry, to: task_0}}");
    expectWarning(source, "to: task_0", "'to' has no effect with do: retry");
  });

  test("jump to tasks of their pipeline", () => {
    const jump = (to: string) =>
      withTool(
        "- {name: fetch, kind: noop}",
        `- {kind: noop, spec: {policy: {rules: [{when: a, then: {do: jump${to}}}]}}}`,
      );
    for (const good of ["fetch", "task_1", "previous", "prev", "_previous", "'@previous'"]) {
      expect(problemsOf(jump(`, to: ${good}`))).toEqual([]);
    }
    expectProblem(
      jump(", to: fetsh"),
      "fetsh",
      "jump to unknown task 'fetsh', expected a label of " +
        "this pipeline or previous, did you mean 'fetch'?",
    );
    expectProblem(jump(""), "then", "a jump has no 'to', expected the label of a task");
  });

  test("in both spellings of else are checked alike", () => {
    const inside = policy("{else: {then: {do: retri}}}");
    expect(problemsOf(inside)[0]).toStartWith(`${positionOf(inside, "retri")}: 'do' is 'retri'`);
    const beside = policy("{else: null, then: {do: retri}}");
    expect(problemsOf(beside)[0]).toStartWith(`${positionOf(beside, "retri")}: 'do' is 'retri'`);
    expectProblem(policy("{else: {}}"), "{else", "rule has no 'then', expected a map");
    const other = policy("{else: {do: fail}}");
    expect(problemsOf(other)).toEqual([
      `${positionOf(other, "else")}: else has no 'then', expected a map`,
      `${positionOf(other, "do: fail")}: unknown else key 'do'`,
    ]);
    const word = policy("{else: otherwise, then: {do: fail}}");
    expectProblem(word, "otherwise", "'else' is text, expected a map with 'then', or nothing");
    expectProblem(
      policy("{when: a, else: null, then: {do: fail}}"),
      "else",
      "rule has both 'when' and 'else', expected one",
    );
    expectProblem(
      policy("{else: {then: {do: fail}}, then: {do: fail}}"),
      "then: {do: fail}}]",
      "rule has 'then' inside and beside 'else', expected one",
    );
  });

  test("behind one that always applies are warned about", () => {
    const source = policy("{then: {do: fail}}, {when: a, then: {do: break}}");
    expectWarning(source, "{when", "this rule never applies: one before it always does");
  });
});

describe("tools", () => {
  test("of an unknown kind are refused with the nearest one, or all of them", () => {
    const near = withTool("kind: pyton", "code: x");
    expectProblem(near, "pyton", "unknown tool kind 'pyton', did you mean 'python'?");
    const far = withTool("kind: something");
    expectProblem(
      far,
      "something",
      `unknown tool kind 'something', expected one of ${[...toolKinds.keys()].join(", ")}`,
    );
    expectProblem(
      withTool("kind: 3"),
      "3\n",
      "'kind' is a number, expected the name of a tool kind",
    );
    expectProblem(
      withTool("code: x"),
      "tool",
      "tool has no 'kind', expected the name of a tool kind",
    );
  });

  test("need what they can't do without", () => {
    const needs: readonly (readonly [string, string])[] = [
      ["python", "'code', 'script' or 'spec.code'"],
      ["javascript", "'code' or 'script'"],
      ["http", "'url' or 'endpoint'"],
      ["postgres", "'command', 'query', 'commands' or 'script'"],
      ["duckdb", "'command', 'query', 'commands' or 'script'"],
      ["shell", "'command' or 'cmds'"],
      ["playbook", "'path' or 'catalog_id'"],
      ["workbook", "'name'"],
    ];
    for (const [kind, fields] of needs) {
      const source = withTool(`kind: ${kind}`);
      expectProblem(source, "tool", `${kind} tool has no ${fields}, expected one`);
    }
    expect(problemsOf(withTool("kind: python", "spec: {code: x}"))).toEqual([]);
    expect(problemsOf(withTool("kind: http", "url: ''"))).toHaveLength(1);
  });

  test("with unknown fields are warned about; templates in them are still checked", () => {
    const source = withTool("kind: http", "url: a", "metod: GET");
    expectWarning(source, "metod", "unknown http tool key 'metod', did you mean 'method'?");
    const broken = withTool("kind: http", "url: a", "other: {x: ['{{ a b }}']}");
    expect(problemsOf(broken)).toHaveLength(1);
  });

  test("take a template where a number, a flag or a map belongs, and no other text", () => {
    const good = withTool("kind: http", "url: a", "timeout: '{{ t }}'", "headers: '{{ h }}'");
    expect(problemsOf(good)).toEqual([]);
    const bad = withTool("kind: http", "url: a", "timeout: '30'", "follow_redirects: 'yes'");
    expect(problemsOf(bad)).toEqual([
      `${positionOf(bad, "'30'")}: 'timeout' is text, ` +
        "expected a number of at least 0 or a template",
      `${positionOf(bad, "'yes'")}: 'follow_redirects' ` +
        "is text, expected true or false or a template",
    ]);
  });

  test("have no templates in name, kind and desc, and none in keys", () => {
    const source = withTool("- {kind: noop, desc: '{{ a b }}', input: {'{{ a b }}': 1}}");
    expect(problemsOf(source)).toEqual([]);
  });

  test("with fields that have no effect are warned about", () => {
    const source = withTool("kind: http", "url: a", "retry: true");
    expectWarning(
      source,
      "retry",
      "http tool key 'retry' has no effect; use spec.policy.rules with do: retry",
    );
    const asserted = withTool("kind: noop", "assert: {expects: [a]}");
    expectWarning(
      asserted,
      "assert",
      "noop tool key 'assert' has no effect; use spec.policy.rules",
    );
  });

  test("ask for secrets in their own fields alone", () => {
    const secret = "\"{{ token('shop') }}\"";
    expect(problemsOf(withTool("kind: http", "url: a", `headers: {a: ${secret}}`))).toEqual([]);
    const message = "token() is for fields of tools: a secret must not reach the log";
    for (const source of [
      withTool("kind: noop", `set: {a: ${secret}}`),
      policy(`{when: ${secret}, then: {do: fail}}`),
      policy(`{when: a, then: {set: {b: ${secret}}}}`),
      withTool("kind: playbook", "path: a", `input: {a: ${secret}}`),
      withTool("kind: noop", "result: 1").concat(
        `  - {step: a, tool: {kind: noop}, set: {b: ${secret}}}\n`,
      ),
      withTool("kind: noop").replace("kind: noop\n", `kind: noop\n    when: ${secret}\n`),
    ]) {
      expectProblem(source, '"{{ token', message);
    }
  });

  test("with templates in keys are warned about", () => {
    const source = withTool("kind: noop", "result: {'{{ a }}': 1}");
    expectWarning(source, "'{{ a", "a key is never rendered: its template stays text");
  });

  test("of kind playbook stand alone and have no policy", () => {
    const pipeline = withTool("- {kind: noop}", "- {kind: playbook, path: a}");
    expectProblem(
      pipeline,
      "playbook, path",
      "a playbook call in a pipeline of several tasks; give it a step of its own",
    );
    const ruled = withTool("kind: playbook", "path: a", "spec: {policy: {rules: []}}");
    expectProblem(
      ruled,
      "policy",
      "a policy on a playbook call is not supported by this version; use an arc with " +
        "when: \"{{ event.name == 'call.error' }}\"",
    );
  });

  test("of kind workbook name an entry", () => {
    const workbook = "workbook:\n  - {name: greet, tool: {kind: noop}}\n";
    const source = withTool("kind: workbook", "name: gret") + workbook;
    expectProblem(
      source,
      "gret\n",
      "unknown workbook entry 'gret', expected the name of one, did you mean 'greet'?",
    );
    const twice = `${withTool("kind: noop")}${workbook}  - {name: greet, tool: {kind: noop}}\n`;
    expect(problemsOf(twice)).toEqual([
      "12:12: a second workbook entry named 'greet', expected different names",
    ]);
    const entry = "{name: a, tool: {kind: workbook, name: a}}";
    const calling = `${withTool("kind: noop")}workbook: [${entry}]\n`;
    expectProblem(
      calling,
      "workbook, name",
      "a workbook entry calls the workbook, expected a tool of another kind",
    );
    const call = withTool("- {kind: noop}", "- {kind: workbook, name: c}");
    const child = `${call}workbook: [{name: c, tool: {kind: playbook, path: p}}]\n`;
    expect(problemsOf(child)[0]).toEndWith("give it a step of its own");
  });
});
