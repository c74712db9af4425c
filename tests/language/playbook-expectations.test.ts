// What a test of a playbook expects and is told when it isn't so, and what it does to a run: answers
// to what waits, and cancellation.

import { describe, expect, test } from "bun:test";
import { playbookOf, runPlaybookTest, runPlaybookTests } from "#tests/support/playbook-tests";

describe("expectations that are not met", () => {
  const recovering = playbookOf(
    "recovering",
    `  - step: start
    tool: {kind: http, url: http://service.invalid}
    next:
      arcs:
        - {step: other, when: "{{ event.name == 'call.error' }}"}
        - {step: never}
  - step: other
    tool: {kind: noop, result: {list: [1, 2], text: "a \\"b\\""}}
    set: {ctx.page: "{{ start.status }}"}
    emit: {event: shop.closed, data: {why: holiday}}
  - {step: never, tool: {kind: noop}}`,
  );

  test.each([
    ["{status: cancelled}", "status: expected cancelled, found completed"],
    [
      "{error: busy}",
      'status: expected failed, found completed\nerror: expected "busy", found none',
    ],
    ["{result: {list: [1, 3], text: x}}", "result.list[1]: expected 3, found 2"],
    ["{result: {list: [1, 2]}}", 'result.text: expected nothing, found "a \\"b\\""'],
    ["{result_contains: {list: [1]}}", "result.list: expected 1 item, found 2 items"],
    ["{result_contains: {none: 1}}", "result.none: expected 1, found nothing"],
    ["{path: [start]}", "path: expected 1 item, found 2 items"],
    ["{steps: {start: {status: failed}}}", "steps.start.status: expected failed, found recovered"],
    [
      "{steps: {never: {status: completed}}}",
      "steps.never.status: expected completed, found skipped",
    ],
    ["{steps: {other: {visits: 2}}}", "steps.other.visits: expected 2, found 1"],
    ["{calls: {start: 2}}", "calls.start: expected 2, found 1"],
    [
      "{events: [{type: step.exit, step: other}, {type: step.exit, step: start}]}",
      'events[1]: expected {"type":"step.exit","step":"start"}, found only before the others',
    ],
    ["{events: [{type: loop.done}]}", 'events[0]: expected {"type":"loop.done"}, found none'],
    [
      "{no_events: [{type: call.error, output: {error: {message: busy}}}]}",
      expect.stringMatching(/^no_events: expected no .*"busy".*, found one \(seq \d+\)$/),
    ],
    ["{variables: {page: ok}}", 'variables.page: expected "ok", found "error"'],
    [
      "{emitted: [{event: shop.closed, data: {why: strike}}]}",
      'emitted[0].data.why: expected "strike", found "holiday"',
    ],
    ["{emitted: [{event: shop.opened}]}", 'emitted[0]: expected "shop.opened", found shop.closed'],
    ["{emitted: []}", "emitted: expected 0, found 1: shop.closed"],
    ["{virtual_s: {min: 3}}", "virtual_s: expected at least 3, found 2"],
    ["{virtual_s: {max: 1}}", "virtual_s: expected at most 1, found 2"],
  ])("%s are told", async (expectation, problems) => {
    const result = await runPlaybookTest(
      [recovering],
      `mocks: [{step: start, error: {message: busy}, takes_s: 2}]\nexpect: ${expectation}`,
    );

    expect(result.problems.join("\n")).toEqual(problems);
    expect(result.ok).toBe(false);
  });

  test("are none where all of them are met", async () => {
    const result = await runPlaybookTest(
      [recovering],
      `mocks: [{step: start, error: {message: busy}, takes_s: 2}]
expect:
  status: completed
  result_contains: {list: [1, 2]}
  path: [start, other]
  steps: {start: {visits: 1, status: recovered}, other: {status: completed}}
  variables: {page: error}
  emitted: [{event: shop.closed}]
  events: [{type: call.error, step: start}, {type: event.emitted, name: shop.closed}]
  virtual_s: {min: 2, max: 2}`,
    );

    expect(result.problems).toEqual([]);
  });
});

describe("answers and cancellation", () => {
  const asking = playbookOf(
    "asking",
    `  - step: start
    tool: {kind: wait, for: timer, seconds: 100}
    next: {arcs: [{step: ask}]}
  - {step: ask, tool: {kind: wait, for: callback, key: order-7, timeout_s: 3600}}`,
  );

  test.each([
    ["a key, before anybody waits", "{key: order-7, after_s: 60, data: 1}", 100],
    ["a key, while it is waited for", "{key: order-7, after_s: 160, data: 1}", 160],
    ["a step, as long after it began to wait", "{step: ask, after_s: 60, data: 1}", 160],
  ])("an answer is given to %s", async (_, answer, seconds) => {
    const result = await runPlaybookTest(
      [asking],
      `answers: [${answer}]\nexpect: {result: 1, virtual_s: {min: ${seconds}, max: ${seconds}}}`,
    );

    expect(result.problems).toEqual([]);
  });

  test("an answer may be an error, and one that nobody waits for is told", async () => {
    const [failed, unheard] = await runPlaybookTests(
      [asking],
      `tests:
  - name: a
    answers: [{step: ask, error: {message: refused}}]
    expect: {error: refused}
  - name: b
    answers: [{key: order-7, data: 1}, {step: start, data: 2}]
    expect: {result: 1}
`,
    );

    expect(failed?.problems).toEqual([]);
    expect(unheard?.problems).toEqual([]);
    expect(unheard?.warnings.map(({ message }) => message)).toEqual([
      "the answer to step start was never given: nothing waited for it",
    ]);
  });

  test("an execution is cancelled at its time", async () => {
    const result = await runPlaybookTest(
      [asking],
      "cancel_after_s: 150\nexpect: {status: cancelled, virtual_s: {min: 150, max: 150}}",
    );

    expect(result.problems).toEqual([]);
  });
});
