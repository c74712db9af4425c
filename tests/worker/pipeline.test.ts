// Proves what becomes of the tasks of a command: order, policies, retries, jumps, and what the
// command settles with.

import { expect, test } from "bun:test";
import { pipelineTurnTasksMax } from "#core/model/limits";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import {
  command,
  echoTool,
  failed,
  ok,
  outcomeOf,
  rule,
  scriptedTool,
  task,
  testServices,
  tool,
} from "#tests/worker/commands";
import { runPipeline } from "#worker/pipeline";
import { templateCache } from "#worker/template-cache";
import { ToolFailure } from "#worker/tools/tool";

test("a single task settles with its own output", async () => {
  const outcome = await outcomeOf(command([task("only", { config: { n: 1 } })]));

  expect(outcome.output).toEqual({
    status: "ok",
    data: { n: 1 },
    meta: { attempt: 1, duration_ms: 0 },
  });
  expect(outcome).toMatchObject({ command_id: "478775660589088776:work:1", attempt: 1 });
  expect(outcome).not.toHaveProperty("set");
  expect(outcome).not.toHaveProperty("settled_as");
});

test("several tasks run in order and the last one's data is the command's", async () => {
  const outcome = await outcomeOf(
    command([
      task("first", { config: { n: 1 } }),
      task("second", { holes: { seen: "{{ first.n + 1 }}" } }),
      task("third", { holes: { seen: "{{ second.data.seen + 1 }}" } }),
    ]),
  );

  expect(outcome.output).toMatchObject({
    status: "ok",
    data: { seen: 3 },
    task: "third",
    tasks: { first: { n: 1 }, second: { seen: 2 } },
  });
});

test("an error without a policy ends the pipeline", async () => {
  const broken = scriptedTool(failed("pg"));
  const outcome = await outcomeOf(
    command([task("first", { kind: "tool" }), task("second", { kind: "echo" })]),
    [broken, echoTool("echo")],
  );

  expect(outcome.output).toMatchObject({ status: "error", task: "first", error: { kind: "pg" } });
  expect(outcome.output).not.toHaveProperty("tasks");
});

test("what a tool throws is an output that rules see", async () => {
  const thrown = [
    new ToolFailure({ kind: "pg", message: "connection refused", retryable: true, code: "08006" }),
    new TypeError("x is not a function"),
  ];
  const seen: unknown[] = [];
  for (const error of thrown) {
    const throwing = tool(() => {
      throw error;
    });
    const rules = [rule("continue", { set: { "ctx.kind": "{{ output.error.kind }}" } })];
    const outcome = await outcomeOf(command([task("only", { rules })]), [throwing]);
    seen.push([outcome.set?.["ctx.kind"], outcome.output.error?.message]);
  }

  expect(seen).toEqual([
    ["pg", "connection refused"],
    ["tool", "task only: x is not a function"],
  ]);
});

test("messages of failures are bounded", async () => {
  const outcome = await outcomeOf(command([task("only")]), [
    scriptedTool({
      status: "error",
      error: { kind: "x", message: "m".repeat(5_000), retryable: false },
    }),
  ]);

  expect(outcome.output.error?.message.length).toBe(2_000);
});

test("the first rule that matches decides", async () => {
  const flaky = scriptedTool(failed("http"), ok({ n: 1 }));
  const outcome = await outcomeOf(
    command([
      task("only", {
        rules: [
          rule("fail", { when: "output.status == 'error' and output.error.kind == 'pg'" }),
          rule("retry", { when: "{{ output.status == 'error' }}" }),
          rule("fail", { when: "output.status == 'error'" }),
        ],
      }),
    ]),
    [flaky],
  );

  expect(outcome.output.status).toBe("ok");
  expect(flaky.calls.length).toBe(2);
});

test("a text that means no, as rules write it, does not match", async () => {
  const rules = [rule("fail", { when: "{{ 'no' }}" }), rule("continue")];
  const outcome = await outcomeOf(command([task("only", { rules })]));

  expect(outcome.output.status).toBe("ok");
});

test("attempts: 3 is three executions in all", async () => {
  const flaky = scriptedTool(failed());
  const rules = [rule("retry", { attempts: 3 })];
  const outcome = await outcomeOf(command([task("only", { rules })]), [flaky]);

  expect(outcome.output).toMatchObject({ status: "error", error: { kind: "http" } });
  expect(outcome.output.meta).toMatchObject({ attempt: 3 });
  expect(flaky.calls.length).toBe(3);
});

test("a jump neither spends a retry nor gives one back", async () => {
  const flaky = scriptedTool(failed(), ok(1), ok(2), ok(3), failed());
  const rules = [rule("retry", { when: "output.status == 'error'", attempts: 3 })];
  const outcome = await outcomeOf(
    command([
      task("first", { rules }),
      task("second", { kind: "echo", rules: [rule("jump", { to: "first" })] }),
    ]),
    [flaky, echoTool("echo")],
  );

  // One retry at the start, three rounds, then the one retry that is left.
  expect(flaky.calls.length).toBe(6);
  expect(outcome.output).toMatchObject({ status: "error", task: "first", meta: { attempt: 3 } });
});

test("a success that its policy retries in vain is a failure that keeps its data", async () => {
  const rules = [rule("retry", { when: "output.data.state != 'ready'", attempts: 2 })];
  const outcome = await outcomeOf(command([task("poll", { rules })]), [
    scriptedTool(ok({ state: "waiting" })),
  ]);

  expect(outcome.output).toMatchObject({
    status: "error",
    data: { state: "waiting" },
    error: { kind: "policy", code: "attempts_exhausted" },
  });
});

const delays = {
  none: [0, 0, 0],
  linear: [100, 200, 300],
  exponential: [100, 200, 400],
} as const;

for (const [backoff, expected] of Object.entries(delays)) {
  test(`backoff ${backoff} waits ${expected.join(", ")} ms`, async () => {
    const clock = virtualClock();
    const starts: number[] = [];
    const flaky = tool(() => {
      starts.push(clock.nowMs());
      return failed();
    });
    const rules = [
      rule("retry", { attempts: 4, backoff: backoff as keyof typeof delays, delayMs: 100 }),
    ];
    const outcome = outcomeOf(command([task("only", { rules })]), [flaky], { clock });
    await clock.advance(10_000);
    await outcome;

    const waits = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(waits).toEqual([...expected]);
  });
}

test("on_unmatched decides only about errors that no rule matched", async () => {
  const rules = [rule("fail", { when: "output.error.kind == 'pg'" })];
  const outputs = [failed("http"), failed("pg")];
  const statuses: unknown[] = [];
  for (const onUnmatched of ["continue", "fail"] as const) {
    for (const output of outputs) {
      const only = task("only", { rules, onUnmatched });
      const outcome = await outcomeOf(command([only]), [scriptedTool(output)]);
      statuses.push([outcome.output.status, outcome.settled_as]);
    }
  }

  expect(statuses).toEqual([
    ["error", "done"],
    ["error", undefined],
    ["error", undefined],
    ["error", undefined],
  ]);
});

test("continue and break after an error settle as done with the error still to be seen", async () => {
  for (const act of ["continue", "break"] as const) {
    const outcome = await outcomeOf(command([task("only", { rules: [rule(act)] })]), [
      scriptedTool(failed("http")),
    ]);

    expect(outcome.settled_as).toBe("done");
    expect(outcome.output).toMatchObject({ status: "error", error: { kind: "http" } });
  }
});

test("an error that was passed over leaves the command well when the last task is", async () => {
  const outcome = await outcomeOf(
    command([task("first", { rules: [rule("continue")] }), task("second", { kind: "echo" })]),
    [scriptedTool(failed()), echoTool("echo")],
  );

  expect(outcome.output.status).toBe("ok");
  expect(outcome).not.toHaveProperty("settled_as");
});

test("fail on a success is an error that keeps its data", async () => {
  const outcome = await outcomeOf(command([task("only", { rules: [rule("fail")] })]), [
    scriptedTool(ok({ count: 0 })),
  ]);

  expect(outcome.output).toMatchObject({
    status: "error",
    data: { count: 0 },
    error: { kind: "policy", message: "task only failed by its policy" },
  });
});

test("break leaves the tasks behind it out", async () => {
  const outcome = await outcomeOf(
    command([task("first", { config: { n: 1 }, rules: [rule("break")] }), task("second")]),
  );

  expect(outcome.output).toMatchObject({ status: "ok", data: { n: 1 }, task: "first" });
  expect(outcome.output).not.toHaveProperty("tasks");
});

test("a jump goes back until its condition no longer holds, or ahead over tasks", async () => {
  const outcome = await outcomeOf(
    command([
      task("fetch", { holes: { page: "{{ iter.page | default(1) }}" } }),
      task("more", {
        rules: [
          rule("jump", {
            when: "fetch.page < 3",
            to: "fetch",
            set: { "iter.page": "{{ fetch.page + 1 }}", "ctx.last": "{{ fetch.page }}" },
          }),
          rule("jump", { to: "store" }),
        ],
      }),
      task("skipped"),
      task("store", { holes: { page: "{{ fetch.page }}", last: "{{ ctx.last }}" } }),
    ]),
  );

  expect(outcome.output.data).toEqual({ page: 3, last: 2 });
  expect(Object.keys(outcome.output.tasks ?? {})).toEqual(["fetch", "more"]);
  expect(outcome.set).toEqual({ "ctx.last": 2 });
});

test("every word for the previous task leads there, and nowhere from the first", async () => {
  for (const to of ["previous", "prev", "_previous", "@previous"]) {
    const counting = scriptedTool(ok(1));
    const rules = [rule("jump", { when: "not ctx.again", to, set: { "ctx.again": true } })];
    const outcome = await outcomeOf(
      command([task("first"), task("second", { kind: "echo", rules })]),
      [counting, echoTool("echo")],
    );

    expect(outcome.output.status).toBe("ok");
    expect(counting.calls.length).toBe(2);
  }
  const lost = await outcomeOf(command([task("first", { rules: [rule("jump", { to: "prev" })] })]));
  expect(lost.output.error).toMatchObject({ kind: "policy", code: "jump_target" });
});

test("a pipeline that never ends is ended by its bound, and lets others run meanwhile", async () => {
  const services = testServices();
  let turns = 0;
  const result = await runPipeline({
    command: command([task("around", { rules: [rule("jump", { to: "around" })] })]),
    workerId: "worker-1",
    templates: templateCache(),
    tasksMax: 1_000,
    call: async () => ok(1),
    nowMs: () => services.clock.nowMs(),
    wait: async () => {},
    turn: async () => {
      turns += 1;
    },
    ended: () => undefined,
  });

  expect(result.output.error).toMatchObject({ kind: "limit", code: "pipeline_tasks" });
  expect(turns).toBe(1_000 / pipelineTurnTasksMax - 1);
});

test("what set writes goes to the execution as written, iter stays in the pipeline", async () => {
  const outcome = await outcomeOf(
    command([
      task("only", {
        config: { n: 5 },
        set: {
          "ctx.count": "{{ output.n }}",
          bare: "{{ ctx.count + 1 }}",
          "step.own": { deep: ["{{ bare }}", "text"] },
          "ctx.nested.page.next": "{{ output.data.n }}",
          "iter.page": 7,
        },
        rules: [rule("continue", { set: { "ctx.rule": "{{ iter.page }} {{ output.status }}" } })],
      }),
    ]),
  );

  expect(outcome.set).toEqual({
    "ctx.count": 5,
    bare: 6,
    "step.own": { deep: [6, "text"] },
    "ctx.nested.page.next": 5,
    "ctx.rule": "7 ok",
  });
});

test("set values keep the order of their last writes, so that they mean the same later", async () => {
  const outcome = await outcomeOf(
    command([
      task("first", { set: { "ctx.a": { x: 1 }, "ctx.a.b": 2 } }),
      task("second", { set: { "ctx.a": {} } }),
    ]),
  );

  expect(Object.keys(outcome.set ?? {})).toEqual(["ctx.a.b", "ctx.a"]);
});

test("sets are applied after an error, too, and reported with it", async () => {
  const outcome = await outcomeOf(
    command([task("only", { set: { "ctx.error": "{{ output.error.kind }}" } })]),
    [scriptedTool(failed("http"))],
  );

  expect(outcome.output.status).toBe("error");
  expect(outcome.set).toEqual({ "ctx.error": "http" });
});

test("a set or rule that can't be evaluated fails the command and no rule sees it", async () => {
  const only = task("only", {
    set: { "ctx.sum": "{{ nothing + 1 }}" },
    rules: [rule("retry"), rule("continue")],
  });
  const outcome = await outcomeOf(command([only]));

  expect(outcome.output.error).toMatchObject({ kind: "template", code: "undefined_operand" });
});

test("a hole that can't be filled is an output that rules see", async () => {
  const only = task("only", { holes: { n: "{{ 1 // 0 }}" }, rules: [rule("continue")] });
  const outcome = await outcomeOf(command([only]));

  expect(outcome).toMatchObject({ settled_as: "done", output: { error: { kind: "template" } } });
});

test("waiting for a retry ends when the command's time is over", async () => {
  const clock = virtualClock();
  const rules = [rule("retry", { attempts: 9, backoff: "linear", delayMs: 60_000 })];
  const outcome = outcomeOf(
    command([task("only", { rules })], { timeoutMs: 5_000 }),
    [scriptedTool(failed())],
    { clock },
  );
  await clock.advance(5_000);
  await settled();

  expect((await outcome).output.error).toMatchObject({ kind: "timeout", retryable: true });
  expect((await outcome).duration_ms).toBe(5_000);
});
