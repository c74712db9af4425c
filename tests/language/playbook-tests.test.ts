// Tests of playbooks on the production engine: mocks stand in for tools, sub-playbooks and queues,
// and the same test says the same twice.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readTestFile } from "#cli/test-file";
import { realTools } from "#cli/test-real";
import { runTest } from "#cli/test-run";
import { repositoryRoot } from "#scripts/install";
import { playbookOf, runPlaybookTest, runPlaybookTests } from "#tests/support/playbook-tests";

const calling = playbookOf(
  "calling",
  `  - step: start
    tool: {kind: http, url: http://service.invalid, input: {page: 3}}
    next: {arcs: [{step: end}]}
  - {step: end, tool: {kind: noop, result: "{{ start.data }}"}}`,
);

describe("the examples", () => {
  const folder = join(repositoryRoot, "examples");
  const files = [...new Bun.Glob("*.test.yaml").scanSync(folder)].sort();

  test("have tests beside them", () => {
    expect(files.length).toBeGreaterThanOrEqual(3);
  });

  test.each(files)("%s passes, with every mock in use", async (file) => {
    const reading = await readTestFile(join(folder, file));
    expect(reading.ok ? reading.warnings : reading.problems).toEqual([]);
    if (!reading.ok) return;
    const { document, files: playbooks, main } = reading.test;
    const tools = realTools(async () => ({}));
    const policy = { shell: false, fileRoots: [folder] };
    const base = { document, files: playbooks, main, policy, real: tools.tool };
    for (const each of document.tests) {
      const { name, problems, warnings } = await runTest({ ...base, test: each });
      expect({ name, problems, warnings }).toEqual({ name, problems: [], warnings: [] });
    }
    await tools.close();
  });
});

describe("mocks", () => {
  test("give values made of the call", async () => {
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: {page: "{{ input.page + 1 }}", at: "{{ step }}", nth: "{{ call }}"}}]
expect: {result: {page: 4, at: start, nth: 1}}`,
    );

    expect(result.problems).toEqual([]);
  });

  test("whose template fails end the test with their line", async () => {
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: "{{ 1 // 0 }}"}]
expect: {}`,
    );

    expect(result.problems[0]).toStartWith("the mock of step start in line 6: ");
  });

  test("are tried from the top: the first that fits and is not used up answers", async () => {
    const looping = playbookOf(
      "looping",
      `  - step: start
    loop: {in: [0, 1, 2, 3, 4], iterator: n}
    tool: {kind: http, url: http://service.invalid}`,
    );
    const result = await runPlaybookTest(
      [looping],
      `mocks:
  - {step: start, item: 3, data: third item}
  - {step: start, call: 2, data: second call}
  - {step: start, times: 1, data: once}
  - {step: start, data: rest}
  - {step: start, item: 4, data: never}
expect: {result_contains: {results: [once, second call, rest, third item, rest]}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.unusedMocks.map(({ place }) => place.line)).toEqual([11]);
  });

  test("of one task leave the others of its pipeline to other mocks", async () => {
    const pipeline = playbookOf(
      "pipeline",
      `  - step: start
    tool:
      - {name: get, kind: http, url: http://service.invalid}
      - {name: put, kind: postgres, auth: pg, command: insert}`,
    );
    const result = await runPlaybookTest(
      [pipeline],
      `mocks:
  - {step: start, task: put, data: {stored: 1}}
  - {step: start, task: get, data: {rows: 1}}
expect: {result: {stored: 1}, calls: {start: 2}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.unusedMocks).toEqual([]);
  });

  test("of a step that calls a playbook stand in for the whole of it", async () => {
    const parent = playbookOf(
      "parent",
      `  - step: start
    loop: {in: [1, 2], iterator: n, spec: {mode: sequential}}
    tool: {kind: playbook, path: shop/child, return_result: true, input: {n: "{{ n }}"}}`,
    );
    const result = await runPlaybookTest(
      [parent],
      `mocks:
  - {step: start, item: 1, error: {message: no more}}
  - {step: start, data: "{{ input.n * 10 }}"}
expect: {error: no more, calls: {start: 2}, events: [{type: child.done, status: completed, result: 10}]}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.unusedMocks).toEqual([]);
  });

  test("of a step that calls a playbook come before the playbook that is there", async () => {
    const child = playbookOf(
      "child",
      `  - {step: start, tool: {kind: noop}, next: {arcs: [{step: end}]}}
  - {step: end, tool: {kind: noop, result: real}}`,
    );
    const parent = playbookOf(
      "parent",
      "  - {step: start, tool: {kind: playbook, path: child, return_result: true}}",
    );

    const [mocked, real] = await runPlaybookTests(
      [child, parent],
      `tests:
  - name: a
    mocks: [{step: start, data: mocked}]
    expect: {result: mocked, no_events: [{type: step.enter, playbook: child, step: end}]}
  - {name: b, expect: {result: real}}
`,
    );

    expect([mocked?.problems, real?.problems]).toEqual([[], []]);
  });

  test("of a step that calls its own playbook leave the outer one as it is", async () => {
    const recursive = playbookOf(
      "recursive",
      `  - step: start
    tool: {kind: playbook, path: recursive, return_result: true}
    next: {arcs: [{step: end}]}
  - {step: end, tool: {kind: noop, result: "outer of {{ start.data }}"}}`,
    );
    const result = await runPlaybookTest(
      [recursive],
      "mocks: [{step: start, data: inner}]\nexpect: {result: outer of inner}",
    );

    expect(result.problems).toEqual([]);
  });

  test("of an agent give its answer, also when it failed", async () => {
    const asking = playbookOf(
      "asking",
      `  - step: start
    tool: {kind: agent, framework: noetl, entrypoint: agents/poet, payload: {about: rain}}`,
    );

    const [answered, failed] = await runPlaybookTests(
      [asking],
      `tests:
  - name: a
    mocks: [{step: start, data: {poem: "{{ input.about }}"}}]
    expect: {result_contains: {data: {poem: rain}}}
  - name: b
    mocks: [{step: start, error: {message: out of words}}]
    expect: {steps: {start: {status: completed}}, result_contains: {status: error}}
`,
    );

    expect([answered?.problems, failed?.problems]).toEqual([[], []]);
  });

  test("may give more than an event carries", async () => {
    const long = "x".repeat(200_000);
    const result = await runPlaybookTest(
      [calling],
      `mocks: [{step: start, data: {text: ${long}}}]
expect: {result: {text: ${long}}, events: [{type: playbook.completed, result_ref: {kind: result_ref}}]}`,
    );

    expect(result.problems).toEqual([]);
  });

  test("of a sub-playbook's own steps are told apart by its path", async () => {
    const child = playbookOf(
      "child",
      "  - {step: start, tool: {kind: http, url: http://a.invalid}}",
    );
    const parent = playbookOf(
      "parent",
      `  - step: start
    tool: {kind: http, url: http://b.invalid}
    next: {arcs: [{step: call}]}
  - {step: call, tool: {kind: playbook, path: child, return_result: true}}`,
    );
    const result = await runPlaybookTest(
      [child, parent],
      `mocks:
  - {step: start, data: outer}
  - {step: start, playbook: child, data: inner}
expect:
  result: inner
  path: [start, call]
  events:
    - {type: call.done, step: start, output: {data: outer}}
    - {type: call.done, step: start, playbook: child, output: {data: inner}}`,
    );

    expect(result.problems).toEqual([]);
  });
});

describe("cursor loops", () => {
  const sql =
    "UPDATE q SET taken = '{{ __frame_key }}' WHERE id IN " +
    "(SELECT id FROM q FOR UPDATE SKIP LOCKED LIMIT {{ __frame_max_rows }}) RETURNING *";
  const cursors = {
    postgres: `{kind: postgres, auth: pg, claim: "${sql}"}`,
    nats: "{kind: nats, stream: orders, consumer: noetl}",
  };
  const queue = (kind: keyof typeof cursors): string =>
    playbookOf(
      "queue",
      `  - step: start
    loop:
      cursor: ${cursors[kind]}
      iterator: row
      spec: {mode: cursor, max_in_flight: 2, frame: {max_rows: 2}}
    tool: {kind: http, url: http://service.invalid, input: {id: "{{ row.id }}"}}
    next: {arcs: [{step: end}]}
  - {step: end, tool: {kind: noop, result: "{{ start.stats }}"}}`,
    );
  const claims = "{step: start, claim: [[{id: 1}, {id: 2}], [{id: 3}]]}";

  test("claim the rows that a mock gives, and work on each by its place in the frame", async () => {
    const result = await runPlaybookTest(
      [queue("postgres")],
      `mocks:
  - ${claims}
  - {step: start, row: 1, data: "{{ input.id }}", takes_s: 30}
  - {step: start, row: 0, data: "{{ input.id }}"}
expect: {result: {total: 3, success: 3, failed: 0, frames: 2}, virtual_s: {min: 30, max: 60}}`,
    );

    expect(result.problems).toEqual([]);
    expect(result.unusedMocks).toEqual([]);
  });

  test("work on the rows that were recorded when their worker is lost, and claim them once", async () => {
    const result = await runPlaybookTest(
      [queue("postgres")],
      `mocks:
  - ${claims}
  - {step: start, data: "{{ input.id }}"}
fail_at: [{step: start, row: 1, how: worker_lost}]
expect:
  result: {total: 3, success: 3, failed: 0, frames: 2}
  events: [{type: cursor.claimed, row_count: 2}, {type: command.reissued, reason: lease_expired}]`,
    );

    expect(result.problems).toEqual([]);
  });

  test("fail with a claim that fails", async () => {
    const result = await runPlaybookTest(
      [queue("postgres")],
      `mocks: [${claims}]
fail_at: [{step: start, task: claim, how: error, times: 99}]
expect: {error: made to fail}`,
    );

    expect(result.problems).toEqual([]);
  });

  test("on nats run for real alone", async () => {
    const mocked = runPlaybookTest([queue("nats")], `mocks: [${claims}]`);
    await expect(mocked).rejects.toThrow("claims from nats, which no mock stands in for");

    const result = await runPlaybookTest([queue("nats")], "expect: {}");
    expect(result.problems).toEqual([
      "step start claims from nats, which no mock stands in for: " +
        "run it for real, with unmatched: real or --real",
    ]);
  });
});

test("credentials come from the test, and are not what a call is given without them", async () => {
  const credentials =
    "credentials: {pg: {type: postgres, data: {db_host: 127.0.0.1, db_port: 1}}}\n";
  const playbook = playbookOf(
    "reading",
    "  - {step: start, tool: {kind: postgres, auth: pg, command: select 1}}",
  );
  const tests = "unmatched: real\ntests: [{name: a, expect: {status: failed}}]\n";

  const [given] = await runPlaybookTests([playbook], credentials + tests);
  const [none] = await runPlaybookTests([playbook], tests);

  expect(given?.problems).toEqual([]);
  expect(none?.problems).toEqual([]);
  expect(none?.story.join("\n")).toContain("credential pg could not be read");
  expect(given?.story.join("\n")).not.toContain("credential pg could not be read");
});

test("a step of any pool and with any label is run", async () => {
  const result = await runPlaybookTest(
    [
      playbookOf(
        "placed",
        "  - {step: start, spec: {pool: gpu, labels: [cuda]}, tool: {kind: noop, result: 1}}",
      ),
    ],
    "expect: {result: 1, virtual_s: {max: 0}}",
  );

  expect(result.problems).toEqual([]);
});

test("the same test gives the same events twice", async () => {
  const retrying = playbookOf(
    "retrying",
    `  - step: start
    tool:
      kind: http
      url: http://service.invalid
      spec:
        policy: {rules: [{when: "{{ error.retryable }}", then: {do: retry, attempts: 5, delay: 3}}]}`,
  );
  const body = `mocks:
  - {step: start, times: 2, error: {message: busy, retryable: true}, takes_s: 2}
  - {step: start, data: {at: "{{ now() }}"}}
fail_at: [{step: start, call: 3, how: worker_lost}]
expect: {events: [{type: command.reissued, reason: lease_expired}]}`;

  const first = await runPlaybookTest([retrying], body);
  const second = await runPlaybookTest([retrying], body);

  expect(first.problems).toEqual([]);
  expect(first.events.length).toBeGreaterThan(5);
  expect(second.events).toEqual([...first.events]);
});
