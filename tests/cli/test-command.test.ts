// `noetl test` as a user runs it: what it prints of tests that pass and of those that don't, what it
// says of files that are no tests, and how it ends.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { registerExamples } from "#cli/dev-examples";
import { startHouse } from "#tests/support/embedded";
import { noetl, workplace } from "./noetl.ts";

const orders = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: orders, path: shop/orders}
workload: {page: 1}
workflow:
  - step: start
    tool: {kind: http, url: "http://shop.invalid/orders", params: {page: "{{ workload.page }}"}}
    next:
      arcs:
        - {step: store, when: "{{ start.orders | length > 0 }}"}
        - {step: end}
  - step: store
    tool: {kind: postgres, auth: pg, command: insert, input: {orders: "{{ start.orders }}"}}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {stored: "{{ store.stored }}"}}
`;
const head = "apiVersion: noetl.io/v2\nkind: PlaybookTest\nplaybook: orders.yaml\n";
const good = `${head}defaults:
  mocks:
    - {step: store, data: {stored: "{{ input.orders | length }}"}}
tests:
  - name: orders are stored
    mocks: [{step: start, data: {orders: [1, 2]}}]
    expect: {result: {stored: 2}, path: [start, store, end]}
  - name: without orders nothing is stored
    mocks: [{step: start, data: {orders: []}}]
    expect: {steps: {store: {status: skipped}}, calls: {store: 0}}
`;
const wrong = `${head}tests:
  - name: orders are counted
    mocks:
      - {step: start, data: {orders: [1, 2]}, takes_s: 2}
      - {step: store, data: {stored: 2}}
      - {step: store, visit: 2, data: {stored: 3}}
    expect:
      result: {stored: 3}
      path: [start, end]
      calls: {start: 2}
      events: [{type: step.exit, step: end}, {type: step.enter, step: end}]
      no_events: [{type: call.done, step: store}]
      virtual_s: {max: 1}
  - name: the store is called without a mock
    mocks: [{step: start, data: {orders: [1]}}]
`;
const place = workplace({
  "orders.yaml": orders,
  "good.test.yaml": good,
  "wrong.test.yaml": wrong,
});
afterAll(() => place.remove());
// Each test starts a process or more.
setDefaultTimeout(30_000);

const run = (...argv: readonly string[]) => noetl(["test", ...argv], { cwd: place.folder });
/** Real times differ from run to run. */
const steady = (text: string): string => text.replaceAll(/ in \d+(\.\d+)? (ms|s)\)/g, " in T)");

test("says ok of tests that pass, counts them and ends with 0", async () => {
  const { exitCode, out, err } = await run("good.test.yaml");

  expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
  expect(steady(out)).toBe(
    "ok   orders are stored (0 s in T)\n" +
      "ok   without orders nothing is stored (0 s in T)\n" +
      "2 passed, 0 failed\n",
  );
});

test("says where and how a test failed, with its steps, and ends with 1", async () => {
  const { exitCode, out } = await run("wrong.test.yaml");

  expect(exitCode).toBe(1);
  const lines = steady(out)
    .replaceAll(/execution \d+/g, "execution N")
    .split("\n");
  expect(lines.slice(0, 8)).toEqual([
    "FAIL orders are counted (2 s in T)",
    "     wrong.test.yaml:5:5",
    "     result.stored: expected 3, found 2",
    '     path[1]: expected "end", found "store"',
    "     calls.start: expected 2, found 1",
    '     events[1]: expected {"type":"step.enter","step":"end"}, found only before the others',
    expect.stringMatching(/^ {5}no_events: expected no .*"step":"store"}, found one \(seq \d+\)$/),
    "     virtual_s: expected at most 1, found 2",
  ]);
  expect(lines).toContain("     | step store completed in 0 ms");
  expect(lines).toContain("FAIL the store is called without a mock (0 s in T)");
  expect(lines).toContain(
    "     step store (postgres) was called and no mock fits: add one, or real: true",
  );
  expect(lines).toContain("wrong.test.yaml:9:9: warning: this mock of step store was never used");
  expect(lines.slice(-2)).toEqual(["0 passed, 2 failed", ""]);
});

test("gives one JSON document with --json", async () => {
  const { exitCode, out } = await run("good.test.yaml", "wrong.test.yaml", "--json");

  expect(exitCode).toBe(1);
  const { files } = JSON.parse(out);
  expect(files.map(({ file }: { file: string }) => file)).toEqual([
    "good.test.yaml",
    "wrong.test.yaml",
  ]);
  expect(files[0].tests[0]).toEqual({
    name: "orders are stored",
    ok: true,
    problems: [],
    warnings: [],
    virtual_s: 0,
    ms: expect.any(Number),
  });
  expect(files[1].tests[0]).toMatchObject({ ok: false, virtual_s: 2 });
  expect(files[1].tests[0].problems[0]).toBe("result.stored: expected 3, found 2");
});

test("runs only the tests that --filter names, and says so when there is none", async () => {
  const some = await run("good.test.yaml", "wrong.test.yaml", "--filter", "without orders");
  expect(some.exitCode).toBe(0);
  expect(steady(some.out)).toBe(
    "ok   without orders nothing is stored (0 s in T)\n1 passed, 0 failed\n",
  );

  const none = await run("good.test.yaml", "--filter", "everything");
  expect(none.exitCode).toBe(2);
  expect(none.err).toBe(
    "noetl: --filter everything: no test has it in its name " +
      "(orders are stored; without orders nothing is stored)\n",
  );
});

test("shows the steps of a test that passed with --verbose", async () => {
  const { out } = await run("good.test.yaml", "--filter", "are stored", "-v");

  expect(out).toContain("     | step store entered\n");
});

test("says everything that is wrong with a file, and runs nothing", async () => {
  place.write(
    "bad.test.yaml",
    `${head}tests:\n  - name: a\n    mocks: [{step: stat, data: 1}, {step: store, data: 1}]\n`,
  );
  place.write("broken.yaml", orders.replace("kind: noop", "kind: nop"));
  place.write("broken.test.yaml", `${head.replace("orders", "broken")}tests: [{name: a}]\n`);
  place.write("lone.test.yaml", `${head.replace("orders", "lone")}tests: [{name: a}]\n`);
  const files = ["good", "bad", "broken", "lone"].map((name) => `${name}.test.yaml`);

  const { exitCode, out, err } = await run(...files, "none.test.yaml", "orders.yaml");

  expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
  expect(err.split("\n")).toEqual([
    "bad.test.yaml:6:20: unknown step 'stat' of playbook 'orders', did you mean 'start'?",
    "broken.yaml:16:18: unknown tool kind 'nop', did you mean 'noop'?",
    expect.stringMatching(/^lone\.yaml:1:1: /),
    "none.test.yaml:1:1: no such file",
    "orders.yaml:2:7: 'kind' is 'Playbook', expected PlaybookTest: a playbook is no test",
    "",
  ]);
});

test("a test is not run as a playbook, nor registered as one", async () => {
  const { exitCode, err } = await noetl(["run", "good.test.yaml"], { cwd: place.folder });

  expect(exitCode).toBe(2);
  expect(err).toContain("good.test.yaml:2:7: 'kind' is 'PlaybookTest', expected Playbook");
  expect(err).toContain("noetl test");
});

test("tests beside the examples are no examples", async () => {
  place.write("examples/computed.yaml", orders);
  place.write("examples/computed.test.yaml", good);
  const house = await startHouse();

  const registered = await registerExamples(house.client, place.folder);

  await house.close();
  expect(registered).toEqual({ count: 1, problems: [] });
});

test("tools run for real where the file or the command line says so", async () => {
  place.write(
    "computed.yaml",
    "apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: computed}\nworkflow:\n" +
      "  - {step: start, tool: {kind: shell, command: echo 42}}\n",
  );
  const file = (more: string): string =>
    `${head.replace("orders", "computed")}${more}tests:\n` +
    '  - {name: computes, expect: {result_contains: {stdout: "42\\n"}}}\n';
  place.write("given.test.yaml", file(""));
  place.write("computed.test.yaml", file("unmatched: real\n"));

  expect((await run("given.test.yaml")).exitCode).toBe(1);
  expect((await run("given.test.yaml", "--real")).out).toStartWith("ok   computes");
  expect((await run("computed.test.yaml")).out).toStartWith("ok   computes");
});
