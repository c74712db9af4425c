// Failures that a test of a playbook makes happen: what comes of them goes by the rules of the product.

import { describe, expect, test } from "bun:test";
import type { TestResult } from "#cli/test-run";
import { playbookOf, runPlaybookTest } from "#tests/support/playbook-tests";

const calling = playbookOf(
  "calling",
  `  - step: start
    tool: {kind: http, url: http://service.invalid, input: {page: 3}}
    next: {arcs: [{step: end}]}
  - {step: end, tool: {kind: noop, result: "{{ start.data }}"}}`,
);

/** The types of events about commands, as they stand in the log. */
function commandTypes({ events }: TestResult): readonly string[] {
  return events.flatMap((event) => {
    if (!("command_id" in event) || event.execution_id !== events[0]?.execution_id) return [];
    return [event.type === "command.reissued" ? `${event.type} ${event.reason}` : event.type];
  });
}

describe("failures that are made to happen", () => {
  test("a lost worker's lease runs out, and the call is made again as a suspect", async () => {
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: done}]
fail_at: [{step: start, how: worker_lost}]
expect: {result: done, calls: {start: 2}}`,
    );

    expect(result.problems).toEqual([]);
    expect(commandTypes(result)).toEqual([
      "command.issued",
      "command.reissued lease_expired",
      "call.done",
      "command.issued",
      "call.done",
    ]);
    expect(result.virtualMs).toBeGreaterThanOrEqual(15_000);
    expect(result.virtualMs).toBeLessThan(30_000);
  });

  test("a call that loses every worker is given up by the rules", async () => {
    const result = await runPlaybookTest(
      [calling],
      `fail_at: [{step: start, how: worker_lost, times: 9}]
expect: {error: the lease ran out 3 times, calls: {start: 4}}`,
    );

    expect(result.problems).toEqual([]);
    expect(commandTypes(result)).toEqual([
      "command.issued",
      "command.reissued lease_expired",
      "command.reissued worker_died",
      "command.reissued worker_died",
      "call.error",
    ]);
    expect(result.warnings).toEqual([]);
  });

  test("what else a lost worker held is made again too, and what others hold is not", async () => {
    const result = await runPlaybookTest(
      [
        playbookOf(
          "both",
          `  - step: start
    loop: {in: [0, 1, 2], iterator: n, spec: {mode: parallel}}
    tool: {kind: http, url: http://service.invalid}`,
        ),
      ],
      `mocks: [{step: start, data: "{{ item }}", takes_s: 60}]
fail_at: [{step: start, item: 1, how: worker_lost}]
expect: {result_contains: {results: [0, 1, 2]}}`,
    );

    expect(result.problems).toEqual([]);
    const again = commandTypes(result).filter((type) => type.startsWith("command.reissued"));
    expect(again.length).toBeGreaterThanOrEqual(1);
  });

  test("a lease runs out while another call takes an hour", async () => {
    const branches = playbookOf(
      "branches",
      `  - step: start
    tool: {kind: noop}
    next: {spec: {mode: inclusive}, arcs: [{step: lost}, {step: pause}]}
  - {step: lost, tool: {kind: http, url: http://service.invalid}}
  - {step: pause, tool: {kind: wait, for: timer, seconds: 2}, next: {arcs: [{step: long}]}}
  - {step: long, spec: {timeout: 7200}, tool: {kind: http, url: http://service.invalid}}`,
    );
    const result = await runPlaybookTest(
      [branches],
      `mocks: [{step: lost, data: 1}, {step: long, data: 2, takes_s: 3600}]
fail_at: [{step: lost, how: worker_lost}]
expect:
  calls: {lost: 2, long: 1}
  events: [{type: command.reissued, step: lost}, {type: call.done, step: long}]
  virtual_s: {min: 3602, max: 3602}`,
    );

    expect(result.problems).toEqual([]);
    const reissued = result.events.find(({ type }) => type === "command.reissued");
    expect((reissued?.time ?? 0) - (result.events[0]?.time ?? 0)).toBeLessThan(30_000);
  });

  test("a result that the store refuses is recorded as that", async () => {
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: done}]
fail_at: [{step: start, how: result_rejected}]
expect:
  error: the result could not be stored
  calls: {start: 1}
  events: [{type: call.error, step: start, output: {error: {code: result_rejected}}}]`,
    );

    expect(result.problems).toEqual([]);
  });

  test("a call that takes too long ends with the time it may take", async () => {
    const bounded = calling.replace(
      "  - step: start\n",
      "  - step: start\n    spec: {timeout: 90}\n",
    );
    const result = await runPlaybookTest(
      [bounded],
      `fail_at: [{step: start, how: timeout}]
expect: {error: timed out, virtual_s: {min: 90, max: 91}}`,
    );

    expect(result.problems).toEqual([]);
  });

  test("a failure of a step that calls a playbook befalls the whole of it", async () => {
    const child = playbookOf("child", "  - {step: start, tool: {kind: noop, result: real}}");
    const parent = playbookOf(
      "parent",
      "  - {step: start, tool: {kind: playbook, path: child, return_result: true}}",
    );
    const result = await runPlaybookTest(
      [child, parent],
      `fail_at: [{step: start, how: error}]
expect: {error: made to fail by fail_at, events: [{type: child.done, status: failed}]}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.warnings).toEqual([]);
  });

  test("a failure befalls the calls that it names, and says so when there are none", async () => {
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: done}]
fail_at: [{step: start, visit: 2, how: error}]
expect: {result: done}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.warnings).toEqual([
      { place: { line: 7, column: 15 }, message: "error at step start befell no call" },
    ]);
  });
});
