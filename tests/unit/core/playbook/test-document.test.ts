// Reading test files: what a good one says, and what is wrong with a bad one, at its line and column.

import { describe, expect, test } from "bun:test";
import { parsePlaybook } from "#core/playbook/parse";
import { parsePlaybookTest } from "#core/playbook/test-document";

const head = "apiVersion: noetl.io/v2\nkind: PlaybookTest\nplaybook: orders.yaml\n";

function problemsIn(text: string): readonly string[] {
  const parsed = parsePlaybookTest(text);
  if (parsed.ok) return [];
  return parsed.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

/** The problems of one test, whose lines begin in line 5 of the file. */
function problemsOfTest(test: string): readonly string[] {
  const lines = test.split("\n").map((line) => `    ${line}`);
  return problemsIn(`${head}tests:\n  - name: a\n${lines.join("\n")}\n`);
}

describe("a good test file", () => {
  test("is read with what it leaves out filled in", () => {
    const parsed = parsePlaybookTest(
      `${head}defaults: {workload: {a: 1, b: 2}, mocks: [{step: s, data: 1}]}\n` +
        "tests:\n  - name: sagt „Grüße“ ✓\n    workload: {b: 3}\n" +
        "    mocks: [{step: s, visit: 2, error: {message: busy}, takes_s: 1.5}]\n",
    );

    expect(parsed.ok).toBe(true);
    if (!parsed.ok) return;
    const { document } = parsed;
    expect(document.unmatched).toBe("fail");
    const [only] = document.tests;
    expect(only?.name).toBe("sagt „Grüße“ ✓");
    expect(only?.workload).toEqual({ a: 1, b: 3 });
    expect(only?.expect.status).toBe("completed");
    expect(only?.place).toEqual({ line: 6, column: 5 });
    expect(only?.mocks.map(({ answer, takesMs }) => ({ answer, takesMs }))).toEqual([
      {
        answer: {
          gives: "output",
          output: { status: "error", error: { kind: "tool", message: "busy", retryable: false } },
        },
        takesMs: 1_500,
      },
      { answer: { gives: "data", data: 1 }, takesMs: 0 },
    ]);
  });

  test("expects a failure where it names an error, and an absent result is not a null one", () => {
    const parsed = parsePlaybookTest(
      `${head}tests:\n  - {name: a, expect: {error: busy}}\n  - {name: b, expect: {result: null}}\n`,
    );

    expect(parsed.ok && parsed.document.tests.map((each) => each.expect.status)).toEqual([
      "failed",
      "completed",
    ]);
    expect(parsed.ok && parsed.document.tests.map((each) => each.expect.result)).toEqual([
      undefined,
      [null],
    ]);
  });

  test("may hold ten thousand mocks", () => {
    const mocks = Array.from({ length: 10_000 }, (_, item) => `{step: s, item: ${item}, data: 1}`);
    const parsed = parsePlaybookTest(`${head}tests: [{name: a, mocks: [${mocks.join(", ")}]}]\n`);

    expect(parsed.ok && parsed.document.tests[0]?.mocks.length).toBe(10_000);
  });
});

describe("a bad test file", () => {
  test.each([
    ["empty", "", ["1:1: the document is empty, expected a test of playbooks"]],
    ["a list", "- a\n", ["1:1: the document is a list, expected a map"]],
    ["without tests", head, ["1:1: test file has no 'tests', expected a list"]],
    [
      "with no test",
      `${head}tests: []\n`,
      ["4:8: 'tests' is an empty list, expected at least one item"],
    ],
    [
      "a playbook",
      "apiVersion: noetl.io/v2\nkind: Playbook\n",
      ["2:7: 'kind' is 'Playbook', expected PlaybookTest: a playbook is no test"],
    ],
    [
      "with two tests of one name",
      `${head}tests: [{name: a}, {name: a}]\n`,
      ["4:27: a second test named 'a', expected different names"],
    ],
    [
      "with credentials of another form",
      `${head}credentials: {pg: {type: postgres}}\ntests: [{name: a}]\n`,
      ["4:15: credential has no 'data', expected a map"],
    ],
  ])("%s is told so", (_, text, problems) => {
    expect(problemsIn(text)).toEqual(problems);
  });

  test.each([
    ["workload: [1]", ["6:15: 'workload' is a list, expected a map"]],
    ["moks: []", ["6:5: unknown test key 'moks', did you mean 'mocks'?"]],
    [
      "mocks: [{step: s}]",
      ["6:13: mock has none, expected one of data, error, output, real, claim"],
    ],
    [
      "mocks: [{step: s, data: 1, real: true}]",
      ["6:13: mock has data and real, expected one of data, error, output, real, claim"],
    ],
    ["mocks: [{step: s, data: .nan}]", ["6:29: '.nan' is no JSON number, expected a finite one"]],
    [
      "mocks: [{step: s, output: {status: fine}}]",
      ["6:40: 'status' of an output, expected ok or error"],
    ],
    ["mocks: [{step: s, data: '{{ input. }}'}]", [expect.stringMatching(/^6:\d+: template: /)]],
    [
      "mocks: [{step: s, item: 0, row: 0, data: 1}]",
      ["6:32: 'row' says the same as 'item', expected one"],
    ],
    [
      "fail_at: [{step: s, how: eror}]",
      [
        "6:30: 'how' is 'eror', expected error, timeout, worker_lost or result_rejected, " +
          "did you mean 'error'?",
      ],
    ],
    ["answers: [{data: 1}]", ["6:15: answer has none, expected one of key, step"]],
    ["cancel_after_s: -1", ["6:21: 'cancel_after_s' is -1, expected a number of at least 0"]],
  ])("a test with %s is told so", (text, problems) => {
    expect(problemsOfTest(text)).toEqual(problems);
  });

  test.each([
    ["{status: completed, error: busy}", ["'error' can't be met: status is completed"]],
    ["{status: failed, result: 1}", ["'result' can't be met: a failed execution has none"]],
    [
      "{result: 1, result_contains: 1}",
      ["'result_contains' stands beside 'result', expected one of them"],
    ],
    [
      "{path: [a], steps: {b: {status: completed}, a: {visits: 2}}}",
      [
        "'status' is completed, and 'path' enters the step 0 times",
        "'visits' is 2, and 'path' enters the step once",
      ],
    ],
    [
      "{virtual_s: {min: 2, max: 1}}",
      ["'virtual_s' is at least 2 and at most 1, expected min ≤ max"],
    ],
    [
      "{events: [{type: loop.done}], no_events: [{type: loop.done}]}",
      ["an event that 'events' expects"],
    ],
    ["{error: /(/}", ["'error' is no regular expression between its slashes"]],
    [
      "{events: [{type: call.eror}]}",
      [expect.stringMatching(/'type' is 'call\.eror', expected .* did you mean 'call\.error'\?$/)],
    ],
    ["{steps: {a: completed}}", ["'a' is text, expected a map"]],
    ["{calls: {a: -1}}", ["'a' is -1, expected a whole number of at least 0"]],
  ])("an expectation of %s is told so", (text, messages) => {
    const found = problemsOfTest(`expect: ${text}`);

    expect(found.map((problem) => problem.replace(/^6:\d+: /, ""))).toEqual(messages);
  });
});

describe("names against the playbooks", () => {
  const playbook = (steps: string): string =>
    `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: orders}\nworkflow:\n${steps}`;
  const documentOf = (text: string) => {
    const parsed = parsePlaybook(text);
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
    return parsed.document;
  };
  const main = documentOf(
    playbook(
      "  - step: fetch\n    tool: [{name: get, kind: noop}, {kind: noop}]\n" +
        '  - step: child\n    tool: {kind: playbook, path: "{{ workload.path }}"}\n',
    ),
  );
  const child = documentOf(playbook("  - step: inner\n    tool: {kind: noop}\n"));
  const byPath = new Map([
    ["orders", main],
    ["shared/child", child],
  ]);

  function problems(text: string): readonly string[] {
    const parsed = parsePlaybookTest(`${head}tests:\n  - name: a\n    ${text}\n`);
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
    const found = parsed.against({ main, byPath });
    return found.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }

  test.each([
    [
      "mocks: [{step: fech, data: 1}]",
      ["6:20: unknown step 'fech' of playbook 'orders', did you mean 'fetch'?"],
    ],
    ["mocks: [{step: inner, data: 1}]", ["6:20: unknown step 'inner' of playbook 'orders'"]],
    ["mocks: [{step: inner, playbook: shared/child, data: 1}]", []],
    [
      "mocks: [{step: inner, playbook: shared/chld, data: 1}]",
      ["6:37: unknown playbook 'shared/chld', did you mean 'shared/child'?"],
    ],
    [
      "mocks: [{step: fetch, task: gte, data: 1}]",
      ["6:33: unknown task 'gte' of step 'fetch', did you mean 'get'?"],
    ],
    ["mocks: [{step: fetch, task: task_1, data: 1}]", []],
    ["mocks: [{step: fetch, item: 1, data: 1}]", ["6:27: step 'fetch' has no loop, and no item"]],
    [
      "mocks: [{step: fetch, claim: [[]]}]",
      ["6:27: step 'fetch' has no loop with a cursor, and claims nothing"],
    ],
    [
      "mocks: [{step: child, data: 1}]",
      [
        "6:20: step 'child' calls a playbook that only a template names: " +
          "mock the steps of that playbook instead, with playbook: PATH",
      ],
    ],
    [
      "expect: {path: [fetch, fech]}",
      ["6:28: unknown step 'fech' of playbook 'orders', did you mean 'fetch'?"],
    ],
    [
      "expect: {steps: {fech: {}}, calls: {chld: 1}}",
      [
        "6:22: unknown step 'fech' of playbook 'orders', did you mean 'fetch'?",
        "6:41: unknown step 'chld' of playbook 'orders', did you mean 'child'?",
      ],
    ],
    ["answers: [{step: aprove, data: 1}]", ["6:22: unknown step 'aprove' of playbook 'orders'"]],
  ])("%s", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
