// Proves what the rules of a task do where all that match count, and where going on or back waits.

import { expect, test } from "bun:test";
import type { PolicyRule, TaskSpec } from "#core/model/command";
import { policyDelayMsMax } from "#core/model/flow-limits";
import { yieldDelayMsMin } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import { virtualClock } from "#tests/support/virtual-clock";
import {
  command,
  echoTool,
  failed,
  ok,
  outcomeOf,
  rule,
  scriptedTool,
  task,
} from "#tests/worker/commands";
import { CommandRun } from "#worker/command-run";
import { runPipeline } from "#worker/pipeline";
import { retryDelayMs } from "#worker/policy";
import { templateCache } from "#worker/template-cache";

const isError = "output.status == 'error'";

const inclusive = (rules: readonly PolicyRule[], label = "only"): TaskSpec => ({
  ...task(label),
  policy: { onUnmatched: "fail", inclusive: true, rules },
});

test("every rule that matches sets its values, in order, and each sees what was set before", async () => {
  const { set } = await outcomeOf(
    command([
      inclusive([
        rule("continue", { when: "true", set: { "ctx.a": 1 } }),
        rule("continue", { when: "false", set: { "ctx.b": 1 } }),
        rule("continue", { when: "ctx.a == 1", set: { "ctx.a": "{{ ctx.a + 1 }}", "ctx.c": 3 } }),
        rule("continue", { set: { "ctx.last": 1 } }),
      ]),
    ]),
  );
  expect(set).toEqual({ "ctx.a": 2, "ctx.c": 3 });
});

test("the first that matches and does not just go on is the one that acts", async () => {
  const flaky = scriptedTool(failed(), ok(1));
  const outcome = await outcomeOf(
    command([
      inclusive([
        rule("continue", {
          when: "true",
          set: { "ctx.seen": "{{ (ctx.seen | default(0)) + 1 }}" },
        }),
        rule("retry", { when: isError }),
        rule("fail", { when: isError, set: { "ctx.after": 1 } }),
      ]),
    ]),
    [flaky],
  );
  expect(flaky.calls).toHaveLength(2);
  expect(outcome).toMatchObject({
    output: { status: "ok" },
    set: { "ctx.seen": 2, "ctx.after": 1 },
  });
});

test("a rule without a condition counts only where none matched", async () => {
  const rules = [rule("fail", { set: { "ctx.last": 1 } }), rule("continue", { when: isError })];
  const matched = await outcomeOf(command([inclusive(rules)]), [scriptedTool(failed())]);
  expect(matched).not.toHaveProperty("set");
  expect(matched.settled_as).toBe("done");
  const unmatched = await outcomeOf(command([inclusive(rules)]), [scriptedTool(ok(1))]);
  expect(unmatched).toMatchObject({ set: { "ctx.last": 1 }, output: { status: "error" } });
});

test("an error that no rule of an inclusive policy matched fails", async () => {
  const rules = [rule("continue", { when: "false" })];
  const outcome = await outcomeOf(command([inclusive(rules)]), [scriptedTool(failed())]);
  expect(outcome.output).toMatchObject({ status: "error", error: { kind: "http" } });
});

/** Polls until the fourth answer: a check, and a jump back that waits. */
function polling(more: Parameters<typeof rule>[1]): readonly TaskSpec[] {
  const back = rule("jump", { when: "output.data < 4", to: "poll", ...more });
  return [
    task("poll", { kind: "poll" }),
    task("check", { holes: { n: "{{ poll }}" }, rules: [back] }),
  ];
}

const polled = () => [
  { ...scriptedTool(ok(1), ok(2), ok(3), ok(4)), kind: "poll" },
  { ...scriptedTool(ok(1), ok(2), ok(3), ok(4)), kind: "tool" },
];

for (const [backoff, waits] of [
  ["none", [0, 0, 0]],
  ["constant", [1_000, 1_000, 1_000]],
  ["linear", [1_000, 2_000, 3_000]],
  ["exponential", [1_000, 2_000, 4_000]],
] as const) {
  test(`a jump back with backoff ${backoff} waits ${waits.join(", ")} ms`, async () => {
    const [poll, check] = polled();
    const seen: number[] = [];
    const result = await runPipeline({
      command: command(polling({ backoff })),
      workerId: "worker-1",
      templates: templateCache(),
      call: ({ task: called }) =>
        (called.kind === "poll" ? poll : check)?.run({}, undefined as never) ?? Promise.reject(),
      nowMs: () => 0,
      wait: async (delayMs) => void seen.push(delayMs),
      turn: async () => {},
      ended: () => undefined,
    });
    expect(result.output).toMatchObject({ status: "ok", data: 4 });
    expect(seen).toEqual(waits.filter((ms) => ms > 0));
  });
}

test("a long wait before a jump gives the slot back, and the pipeline goes on at its target", async () => {
  const delayMs = 2 * yieldDelayMsMin;
  const [poll, check] = polled();
  if (poll === undefined || check === undefined) throw new Error("expected two tools");
  const of = command(polling({ delayMs, backoff: "linear" }));
  const yields: Outcome[] = [];
  let next = of;
  let outcome = await outcomeOf(next, [poll, check]);
  while (outcome.yielded !== undefined) {
    yields.push(outcome);
    next = { ...of, attempt: next.attempt + 1, checkpoint: outcome.yielded.checkpoint };
    outcome = await outcomeOf(next, [poll, check]);
  }
  expect(outcome.output).toMatchObject({ status: "ok", data: 4, meta: { attempt: 1 } });
  expect(yields.map(({ yielded }) => yielded)).toMatchObject(
    [1, 2, 3].map((n) => ({ delay_ms: n * delayMs, checkpoint: { task: "poll", attempt: 1 } })),
  );
  expect([poll, check].map(({ calls }) => calls.length)).toEqual([4, 4]);
  const keys = poll.calls.map(({ context }) => context.idempotencyKey);
  expect(new Set(keys).size).toBe(4);
});

test("a wait before going on is before the next task, and none is behind the last one", async () => {
  const clock = virtualClock();
  const patient = rule("continue", { delayMs: 900, backoff: "constant" });
  const tasks = [task("a", { rules: [patient] }), task("b", { rules: [patient] })];
  const running = outcomeOf(command(tasks), [echoTool()], { clock });
  await clock.advance(899);
  expect(clock.sleeping()).toBe(1);
  await clock.advance(1);
  expect(await running).toMatchObject({ output: { status: "ok" }, duration_ms: 900 });
});

test("a delay that grows stops growing", () => {
  const growing = rule("retry", { backoff: "exponential", delayMs: 1_000 });
  expect(retryDelayMs(growing, 5_000)).toBe(policyDelayMsMax);
});

test("a cancel ends a pipeline that jumps without end", async () => {
  const run = new CommandRun(command([task("around")]), 0, 0);
  let calls = 0;
  const result = await runPipeline({
    command: command([task("around", { rules: [rule("jump", { to: "around" })] })]),
    workerId: "worker-1",
    templates: templateCache(),
    call: async () => {
      calls++;
      if (calls === 500) run.stop("gone", 0);
      return ok(calls);
    },
    nowMs: () => 0,
    wait: async () => {},
    turn: async () => {},
    ended: () => run.ended(0),
  });
  expect(calls).toBe(500);
  expect(result.output.error).toMatchObject({ kind: "cancelled" });
});
