// How the time of a tested playbook passes: in as many steps as there are moments at which something
// is due, however far apart they are, and without ending what only a real outage would end.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { playbookOf, runPlaybookTest } from "#tests/support/playbook-tests";

// A playbook without an end is let run to a hundred thousand events.
setDefaultTimeout(60_000);

const retrying = (delay: number, attempts: number): string =>
  playbookOf(
    "retrying",
    `  - step: start
    spec: {timeout: 7200}
    tool:
      kind: http
      url: http://service.invalid
      spec:
        policy:
          rules:
            - when: "{{ output.status == 'error' }}"
              then: {do: retry, attempts: ${attempts}, delay: ${delay}}`,
  );
const failing = (times: number): string =>
  `mocks:
  - {step: start, times: ${times}, error: {kind: http, message: busy, retryable: true}}
  - {step: start, data: {done: true}}
`;

describe("time", () => {
  test("passes an hour of delays in a step or two for each", async () => {
    const result = await runPlaybookTest(
      [retrying(600, 10)],
      `${failing(6)}expect: {virtual_s: {min: 3600, max: 3600}, calls: {start: 7}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBeLessThanOrEqual(12);
  });

  test("passes exactly the short delays that a call waits for in its slot", async () => {
    const result = await runPlaybookTest(
      [retrying(2, 10)],
      `${failing(3)}expect: {virtual_s: {min: 6, max: 6}, calls: {start: 4}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBeLessThanOrEqual(8);
  });

  test("passes a call of an hour in two: its worker first says that it has it", async () => {
    const result = await runPlaybookTest(
      [retrying(1, 1)],
      `mocks: [{step: start, data: 1, takes_s: 3600}]
expect: {virtual_s: {min: 3600, max: 3600}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBe(2);
  });

  test("passes a day's wait in one step", async () => {
    const waiting = playbookOf(
      "waiting",
      "  - {step: start, tool: {kind: wait, for: timer, seconds: 86400}}",
    );

    const result = await runPlaybookTest(
      [waiting],
      "expect: {virtual_s: {min: 86400, max: 86400}, calls: {start: 1}}",
    );

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBe(1);
  });

  test("passes ten thousand timers in a step for each moment at which some are due", async () => {
    const timers = playbookOf(
      "timers",
      `  - step: start
    loop: {in: 10000, iterator: n, spec: {mode: parallel, max_in_flight: 10000}}
    tool: {kind: wait, for: timer, seconds: "{{ 60 * (1 + n // 1000) }}"}`,
    );

    const result = await runPlaybookTest([timers], "expect: {virtual_s: {min: 600, max: 600}}");

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBe(10);
  });

  test("stands still while a real tool runs", async () => {
    const computing = playbookOf(
      "computing",
      `  - step: start
    tool: {kind: javascript, code: "let n = 0; for (let i = 0; i < 2e6; i++) n += i; return n"}`,
    );

    const result = await runPlaybookTest([computing], "expect: {virtual_s: {max: 0}}");

    expect(result.problems).toEqual([]);
    expect(result.jumps).toBe(0);
  });
});

describe("a jump", () => {
  const calling = playbookOf(
    "calling",
    `  - step: start
    tool: {kind: noop}
    next: {spec: {mode: inclusive}, arcs: [{step: one}, {step: two}, {step: three}]}
  - {step: one, spec: {timeout: 7200}, tool: {kind: http, url: http://service.invalid}}
  - {step: two, spec: {timeout: 7200}, tool: {kind: http, url: http://service.invalid}}
  - {step: three, spec: {timeout: 7200}, tool: {kind: http, url: http://service.invalid}}`,
  );

  test.each([4, 5, 7, 20, 3_600])("of %d seconds costs no worker a command", async (seconds) => {
    const result = await runPlaybookTest(
      [calling],
      `mocks:
  - {step: one, data: 1, takes_s: ${seconds}}
  - {step: two, data: 2, takes_s: ${seconds + 3}}
  - {step: three, data: 3, takes_s: ${seconds * 1.5}}
expect:
  calls: {one: 1, two: 1, three: 1}
  no_events: [{type: command.reissued}]`,
    );

    expect(result.problems).toEqual([]);
    expect(result.virtualMs).toBe(Math.max(seconds + 3, seconds * 1.5) * 1_000);
  });

  test("goes no further than the time that a call may take", async () => {
    const bounded = playbookOf(
      "bounded",
      "  - {step: start, tool: {kind: http, url: http://service.invalid, timeout: 30}}",
    );

    const result = await runPlaybookTest(
      [bounded],
      `mocks: [{step: start, data: 1, takes_s: 31}]
expect: {error: timed out, virtual_s: {min: 30, max: 30}}`,
    );

    expect(result.problems).toEqual([]);
  });
});

describe("a test without an end", () => {
  test("says what the execution and its sub-playbooks wait for", async () => {
    const child = playbookOf(
      "child",
      "  - {step: ask, tool: {kind: wait, for: callback, key: answer-7}}",
    );
    const parent = playbookOf(
      "parent",
      "  - {step: start, tool: {kind: playbook, path: child, return_result: true}}",
    );

    const result = await runPlaybookTest([child, parent], "expect: {}");

    expect(result.ok).toBe(false);
    expect(result.problems[0]).toBe("the execution waits for what never comes:");
    expect(result.problems.join("\n")).toContain("start: it waits for execution");
    expect(result.problems.join("\n")).toContain("answer-7");
  });

  test("is ended when its events have no end", async () => {
    const endless = playbookOf(
      "endless",
      `  - {step: start, tool: {kind: noop}, next: {arcs: [{step: again}]}}
  - {step: again, tool: {kind: noop}, next: {arcs: [{step: start}]}}`,
    );

    const result = await runPlaybookTest([endless], "expect: {}");

    expect(result.problems).toEqual([
      "more than 100000 events, and no end: expected a playbook that ends",
    ]);
  });

  test("is ended when its time has no end", async () => {
    const waiting = playbookOf(
      "waiting",
      `  - step: start
    tool: {kind: wait, for: timer, seconds: 31536000}
    next: {arcs: [{step: again}]}
  - {step: again, tool: {kind: noop}, next: {arcs: [{step: start}]}}`,
    );

    const result = await runPlaybookTest([waiting], "expect: {}");

    expect(result.problems).toEqual([
      "more than ten years of virtual time, and no end: expected a playbook that ends",
    ]);
  });
});
