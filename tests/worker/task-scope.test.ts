// Proves what a worker's templates see, whose value wins, and that data is never evaluated.

import { expect, test } from "bun:test";
import type { JsonObject } from "#core/model/json";
import {
  type CommandOptions,
  command,
  echoTool,
  failed,
  ok,
  outcomeOf,
  rule,
  scriptedTool,
  task,
  tool,
} from "#tests/worker/commands";

/** What the texts become as fields of the second of two tasks. */
async function seen(
  texts: Readonly<Record<string, string>>,
  options: CommandOptions = {},
): Promise<unknown> {
  const first = task("first", { kind: "tool" });
  const outcome = await outcomeOf(
    command([first, task("second", { kind: "echo", holes: texts })], options),
    [scriptedTool(ok({ rows: [{ id: 7 }], status: "own" })), echoTool("echo")],
  );
  if (outcome.output.error !== undefined) return outcome.output.error;
  return outcome.output.data;
}

test("earlier tasks are seen under their labels, through results, and as the previous one", async () => {
  expect(
    await seen({
      field: "{{ first.rows[0].id }}",
      data: "{{ first.data.rows[0].id }}",
      result: "{{ first.result.rows[0].id }}",
      whole: "{{ first }}",
      own: "{{ first.status }}",
      results: "{{ results.first.rows[0].id }}",
      previous: "{{ _prev.rows[0].id }}",
      output: "{{ output.status }} {{ output.rows[0].id }}",
      task: "{{ _task }} {{ _attempt }}",
    }),
  ).toEqual({
    field: 7,
    data: 7,
    result: 7,
    whole: { rows: [{ id: 7 }], status: "own" },
    own: "own",
    results: 7,
    previous: 7,
    output: "ok 7",
    task: "second 1",
  });
});

test("values of the execution come along by path, under what the pipeline has made", async () => {
  const scope: JsonObject = {
    workload: { api: "https://example.org" },
    ctx: { page: 4 },
    earlier: { data: { id: 1 } },
    first: { rows: [{ id: "of an earlier step" }] },
    results: "of the execution",
    error: "of the execution",
  };
  const before = command([task("first", { holes: { r: "{{ results }}", e: "{{ error }}" } })], {
    scope,
  });

  expect((await outcomeOf(before)).output.data).toEqual({
    r: "of the execution",
    e: "of the execution",
  });
  expect(
    await seen(
      {
        workload: "{{ workload.api }}/x",
        ctx: "{{ ctx.page + 1 }}",
        step: "{{ earlier.data.id }}",
        label: "{{ first.rows[0].id }}",
      },
      { scope },
    ),
  ).toEqual({ workload: "https://example.org/x", ctx: 5, step: 1, label: 7 });
});

test("what the pipeline set covers the execution's variables and keeps their other parts", async () => {
  const outcome = await outcomeOf(
    command(
      [
        task("first", { set: { "ctx.page.next": 2, "iter.item.seen": true, "ctx.fresh": 1 } }),
        task("second", {
          holes: {
            page: "{{ ctx.page }}",
            bare: "{{ page.next }}",
            other: "{{ ctx.other }}",
            iter: "{{ iter.item }}",
            index: "{{ iter._index }}",
          },
        }),
      ],
      {
        scope: { ctx: { page: { size: 10, next: 1 }, other: "kept" } },
        iteration: { iterator: "item", item: { id: 3 }, index: 0, total: 2 },
      },
    ),
  );

  expect(outcome.output.data).toEqual({
    page: { size: 10, next: 2 },
    bare: 2,
    other: "kept",
    iter: { id: 3, seen: true },
    index: 0,
  });
  expect(outcome.set).toEqual({ "ctx.page.next": 2, "ctx.fresh": 1 });
});

test("a task's inputs are seen by its other fields, and nowhere else", async () => {
  const outcome = await outcomeOf(
    command([
      task("first", {
        config: { input: { fixed: 2 } },
        holes: { "input.page": "{{ 20 + 1 }}", url: "/{{ page }}/{{ fixed }}" },
        set: { "ctx.leaked": "{{ page is defined }}" },
      }),
      task("second", { holes: { page: "{{ page is defined }}" } }),
    ]),
  );

  expect(outcome.output.tasks).toEqual({
    first: { input: { fixed: 2, page: 21 }, url: "/21/2" },
  });
  expect(outcome.output.data).toEqual({ page: false });
  expect(outcome.set).toEqual({ "ctx.leaked": false });
});

test("a loop's body sees its item, and code tools are given it as inputs", async () => {
  const iteration = { iterator: "city", item: { name: "Lyon" }, index: 1, total: 2 };
  const holes = {
    name: "{{ city.name }} {{ iter.city.name }}",
    place: "{{ _index }}/{{ _total }} {{ iter._first }} {{ iter._last }} {{ loop.index }}",
  };
  const tools = [echoTool("http"), echoTool("python"), echoTool("javascript")];
  const http = await outcomeOf(command([task("a", { kind: "http", holes })], { iteration }), tools);
  const python = await outcomeOf(
    command([task("a", { kind: "python", config: { input: { _index: "own" } } })], { iteration }),
    tools,
  );

  const javascript = await outcomeOf(
    command([task("a", { kind: "javascript" })], { iteration }),
    tools,
  );

  expect(javascript.output.data).toEqual({
    input: { city: { name: "Lyon" }, _index: 1, _total: 2 },
  });
  expect(http.output.data).toEqual({ name: "Lyon Lyon", place: "1/2 False True 2" });
  expect(python.output.data).toEqual({
    input: { city: { name: "Lyon" }, _index: "own", _total: 2 },
  });
});

test("what is about the command is there, and now is the clock's", async () => {
  expect(
    await seen({
      ids: "{{ execution_id }} {{ step }} {{ command_id }} {{ worker_id }}",
      job: "{{ job.uuid }}",
      now: "{{ now() }}",
    }),
  ).toEqual({
    ids: "478775660589088776 work 478775660589088776:work:1 worker-1",
    job: "478775660589088776",
    now: expect.stringContaining("2025-06-15T15:06:40"),
  });
});

test("error is that of the last task that failed", async () => {
  const outcome = await outcomeOf(
    command([
      task("first", { rules: [rule("continue", { when: "error.kind == 'pg'" })] }),
      task("second", { kind: "echo", holes: { why: "{{ error.kind }}" } }),
    ]),
    [scriptedTool(failed("pg")), echoTool("echo")],
  );

  expect(outcome.output.data).toEqual({ why: "pg" });
});

test("text from data that looks like a template is only ever text", async () => {
  const evil = "{{ workload.secret }}";
  const outcome = await outcomeOf(
    command(
      [
        task("first", {
          kind: "evil",
          set: { "ctx.evil": "{{ output.text }}" },
          rules: [rule("continue", { when: "{{ output.text }}" })],
        }),
        task("second", { kind: "echo", holes: { a: "{{ first.text }}", b: "{{ ctx.evil }}" } }),
      ],
      { scope: { workload: { secret: "s3cret", evil } } },
    ),
    [tool(() => ok({ text: evil }), "evil"), echoTool("echo")],
  );

  expect(outcome.output.data).toEqual({ a: evil, b: evil });
  expect(outcome.set).toEqual({ "ctx.evil": evil });
});

test("a literal in the config that looks like a template is left alone", async () => {
  const config = { code: "print('{{ workload.x }}')", n: null };
  const only = task("only", { config, holes: { n: "{{ 1 }}" } });

  expect((await outcomeOf(command([only]))).output.data).toEqual({ code: config.code, n: 1 });
});

test("the holes of one call leave the command as it was", async () => {
  const config = { list: [{ a: null }, { a: 1 }], other: { kept: true } };
  const rules = [rule("retry", { when: "_attempt < 2" })];
  const only = task("only", { config, holes: { "list.0.a": "{{ _attempt }}" }, rules });

  expect((await outcomeOf(command([only]))).output.data).toEqual({
    list: [{ a: 2 }, { a: 1 }],
    other: { kept: true },
  });
  expect(config.list[0]).toEqual({ a: null });
});

test("names of prototypes are undefined, and keys called so are keys", async () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": 1}}') as JsonObject;
  expect(
    await seen(
      { a: "{{ constructor is defined }}", b: "{{ toString is defined }}", c: "{{ ctx }}" },
      { scope: { ctx: hostile } },
    ),
  ).toEqual({ a: false, b: false, c: hostile });
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
