// Proves that a pipeline which gives its slot back to wait comes to the same as one that waits in
// it: same calls, same keys, same values, same time; and says when it keeps the slot instead.

import { expect, test } from "bun:test";
import type { TaskSpec, WorkerCommand } from "#core/model/command";
import type { Json, JsonObject } from "#core/model/json";
import { checkpointBytesMax, yieldDelayMsMin } from "#core/model/limits";
import type { Outcome, Output } from "#core/model/outcome";
import { parseJsonExactly } from "#core/wire/problem";
import { type VirtualClock, virtualClock } from "#tests/support/virtual-clock";
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
import { CommandRun } from "#worker/command-run";
import { runPipeline } from "#worker/pipeline";
import { templateCache } from "#worker/template-cache";
import type { Tool } from "#worker/tools/tool";

const longMs = 60_000;
const isError = "output.status == 'error'";
const retrying = (delayMs = longMs) => [
  rule("retry", { when: isError, delayMs, backoff: "linear" }),
];

interface Course {
  readonly outcome: Outcome;
  /** What the attempts before the last one were reported with. */
  readonly yields: readonly Outcome[];
}

/** Runs attempts until one of them ends; everything between them crosses processes as text. */
async function course(
  of: WorkerCommand,
  tools: readonly Tool[],
  clock: VirtualClock = virtualClock(),
): Promise<Course> {
  const yields: Outcome[] = [];
  for (let next = of; ; ) {
    const running = outcomeOf(overTheWire(next), tools, { clock });
    await clock.advance(20 * yieldDelayMsMin);
    const outcome = await running;
    const { yielded } = outcome;
    if (yielded === undefined) return { outcome: overTheWire(outcome), yields };
    yields.push(outcome);
    next = { ...of, attempt: next.attempt + 1, checkpoint: yielded.checkpoint };
  }
}

function overTheWire<Value extends WorkerCommand | Outcome>(value: Value): Value {
  // What is sent is a command or an outcome; the wire keeps it one.
  return parseJsonExactly(JSON.stringify(value)) as Value;
}

function resumed(of: WorkerCommand, checkpoint: JsonObject): WorkerCommand {
  return { ...of, attempt: 2, checkpoint };
}

async function firstYield(of: WorkerCommand, tools: readonly Tool[]) {
  const { yielded } = await outcomeOf(of, tools);
  if (yielded === undefined) throw new Error("the attempt ended, expected that it yields");
  return yielded;
}

test("a wait of more than five seconds ends the attempt at once, with where to go on", async () => {
  const clock = virtualClock();
  const first = task("first", { set: { "ctx.n": 1 } });
  const only = task("flaky", { kind: "flaky", rules: retrying() });
  const outcome = await outcomeOf(
    command([first, only]),
    [echoTool(), { ...scriptedTool(failed()), kind: "flaky" }],
    { clock },
  );

  expect(clock.sleeping()).toBe(0);
  expect(outcome.yielded).toMatchObject({
    delay_ms: longMs,
    checkpoint: { version: 2, task: "flaky", attempt: 2 },
  });
  expect(outcome).toMatchObject({ attempt: 1, output: { status: "ok" } });
  expect(outcome).not.toHaveProperty("set");
});

test("a wait of five seconds keeps its slot", async () => {
  const flaky = scriptedTool(failed(), ok(1));
  const { outcome, yields } = await course(
    command([task("only", { rules: retrying(yieldDelayMsMin) })]),
    [flaky],
  );

  expect(yields).toEqual([]);
  expect(outcome.output.data).toBe(1);
});

/** Reads every name a pipeline has, twice over each of two tasks that fail and come back. */
function everything(delayMs: number): readonly TaskSpec[] {
  const names = {
    seen: "{{ [_task, _attempt, _prev, error, results | default(0), ctx, iter, output | default(0)] }}",
    keys: "{{ results | default({}) | list }}",
    url: "{{ ctx.page | default(1) }}/{{ iter.note | default('none') }}",
  };
  return [
    task("fetch", {
      kind: "fetch",
      holes: names,
      set: { "ctx.page": "{{ ctx.page | default(1) + 1 }}", "iter.note": "{{ _attempt }}" },
      rules: retrying(delayMs),
    }),
    task("keep", {
      kind: "echo",
      holes: { all: "{{ fetch }}" },
      set: { "ctx.deep.b": 1, "ctx.deep.a": "{{ fetch }}", "ctx.big": "{{ fetch.big }}" },
    }),
    task("check", {
      kind: "check",
      holes: names,
      set: { "ctx.page": "{{ ctx.page + 10 }}", "ctx.deep.b": "{{ _attempt }}" },
      rules: [
        rule("retry", { when: isError, delayMs, backoff: "exponential", attempts: 4 }),
        rule("jump", { when: "{{ output.data == 'again' }}", to: "fetch" }),
      ],
    }),
    task("last", { kind: "echo", holes: names }),
  ];
}

async function courseOfEverything(delayMs: number) {
  const value = { z: 1, big: 1e20, "2": "two", "1": null, text: "\u0000 \ud800 {{ x }}" };
  const fetch = scriptedTool(failed(), ok(value), failed("pg"), ok({ ...value, n: 2 }));
  const check = scriptedTool(failed(), failed("late"), ok("again"), failed("x"), ok("done"));
  const iteration = { iterator: "item", item: { id: 7 }, index: 3, total: 9 };
  const calls: string[][] = [];
  /** Variables are read while the call is on: later they are others. */
  const noted = (of: Tool, kind: string): Tool =>
    tool((config, context) => {
      const { label, idempotencyKey, variables } = context;
      calls.push([label, idempotencyKey, JSON.stringify(config), JSON.stringify(variables)]);
      return of.run(config, context);
    }, kind);
  const { outcome, yields } = await course(
    command(everything(delayMs), { iteration, scope: { ctx: { deep: { z: 0 }, other: 1 } } }),
    [noted(fetch, "fetch"), noted(check, "check"), noted(echoTool(), "echo")],
  );
  return { outcome, yields, calls };
}

test("a pipeline that yields comes to the same as one that waits in its slot", async () => {
  const waiting = await courseOfEverything(100);
  const yielding = await courseOfEverything(2 * yieldDelayMsMin);

  expect(waiting.yields.length).toBe(0);
  expect(yielding.yields.length).toBe(5);
  expect(yielding.calls).toEqual(waiting.calls);
  const { outcome } = waiting;
  expect([outcome.attempt, outcome.duration_ms]).toEqual([1, 1_000]);
  // As text, so that the order of keys counts.
  expect(JSON.stringify(yielding.outcome)).toBe(
    JSON.stringify({ ...outcome, attempt: 6, duration_ms: 100_000 }),
  );
  expect(Object.keys(outcome.set ?? {})).toEqual([
    "ctx.deep.a",
    "ctx.big",
    "ctx.page",
    "ctx.deep.b",
  ]);
});

test("attempts count on, and when they are used up the command fails", async () => {
  const flaky = scriptedTool(failed("http"));
  const seen = { attempt: "{{ _attempt }}" };
  const rules = [rule("retry", { attempts: 3, backoff: "linear", delayMs: longMs })];
  const { outcome, yields } = await course(command([task("only", { holes: seen, rules })]), [
    flaky,
  ]);

  expect(flaky.calls.map(({ config }) => config["attempt"])).toEqual([1, 2, 3]);
  expect(yields.map(({ yielded }) => yielded?.delay_ms)).toEqual([longMs, 2 * longMs]);
  expect(outcome.output).toMatchObject({ error: { kind: "http" }, meta: { attempt: 3 } });
});

test("the step's timeout counts the waits, also where it ends one of them", async () => {
  const rules = [rule("retry", { attempts: 9, backoff: "linear", delayMs: longMs })];
  const flaky = scriptedTool(failed());
  const { outcome, yields } = await course(
    command([task("only", { rules })], { timeoutMs: 2.5 * longMs }),
    [flaky],
  );

  expect(yields.map(({ yielded }) => yielded?.delay_ms)).toEqual([longMs, 1.5 * longMs]);
  expect(flaky.calls.length).toBe(2);
  expect(outcome.duration_ms).toBe(2.5 * longMs);
  expect(outcome.output.error).toMatchObject({
    kind: "timeout",
    message: "command timed out after 150000 ms",
  });
});

test("a pipeline whose time was over with its wait still says what its tasks came to", async () => {
  const flaky = { ...scriptedTool(failed()), kind: "flaky" };
  const tasks = [
    task("a", { config: { n: 1 } }),
    task("b", { kind: "flaky", rules: retrying() }),
    task("c"),
  ];
  const { outcome, yields } = await course(command(tasks, { timeoutMs: longMs }), [
    echoTool(),
    flaky,
  ]);

  expect(yields.length).toBe(1);
  expect(outcome.output).toMatchObject({
    error: { kind: "timeout" },
    task: "b",
    tasks: { a: { n: 1 } },
  });
});

test("error is the last failure after the wait too, where a success is what is tried again", async () => {
  const tasks = [
    task("early", { kind: "early", rules: [rule("continue")] }),
    task("late", { kind: "late", rules: [rule("retry", { when: isError })] }),
    task("poll", {
      kind: "poll",
      holes: { seen: "{{ error.kind }}" },
      rules: [
        rule("retry", {
          when: "{{ output.data == 'pending' }}",
          delayMs: longMs,
          backoff: "linear",
        }),
      ],
    }),
  ];
  const poll = scriptedTool(ok("pending"), ok("done"));
  const { yields } = await course(command(tasks), [
    { ...scriptedTool(failed("early")), kind: "early" },
    { ...scriptedTool(failed("late"), ok(1)), kind: "late" },
    { ...poll, kind: "poll" },
  ]);

  expect(yields.length).toBe(1);
  expect(poll.calls.map(({ config }) => config["seen"])).toEqual(["late", "late"]);
});

test("a tool is told how much of the command's time is left after the wait", async () => {
  const flaky = scriptedTool(failed(), ok(1));
  const only = task("only", { rules: retrying() });
  await course(command([only], { timeoutMs: 3 * longMs }), [flaky]);

  expect(flaky.calls.map(({ context }) => context.timeoutMs)).toEqual([3 * longMs, 2 * longMs]);
});

test("tasks that ran before the wait count among those that a pipeline may run", async () => {
  const of = command([task("a"), task("b", { kind: "flaky", rules: retrying() })]);
  const flaky = { ...scriptedTool(failed()), kind: "flaky" };
  const { checkpoint } = await firstYield(of, [echoTool(), flaky]);
  const { resumed: progress } = new CommandRun(resumed(of, checkpoint), 0, 0);
  const result = await runPipeline({
    command: of,
    workerId: "worker-1",
    templates: templateCache(),
    resumed: progress,
    tasksMax: 2,
    call: async () => ok(null),
    nowMs: () => 0,
    wait: async () => {},
    turn: async () => {},
    ended: () => undefined,
  });

  expect(result.output.error).toMatchObject({ kind: "limit", code: "pipeline_tasks" });
});

test("a checkpoint that is not understood starts the pipeline at its first task", async () => {
  const of = command([task("a"), task("b", { kind: "flaky", rules: retrying() })]);
  const good = await firstYield(of, [echoTool(), { ...scriptedTool(failed()), kind: "flaky" }]);
  const { checkpoint } = good;
  const state = JSON.parse(String(checkpoint["state"])) as JsonObject;
  const withState = (change: JsonObject) => ({
    ...checkpoint,
    state: JSON.stringify({ ...state, ...change }),
  });
  const strange: readonly JsonObject[] = [
    {},
    { ...checkpoint, version: 1 },
    { ...checkpoint, version: "2" },
    { ...checkpoint, task: "a" },
    { ...checkpoint, state: "{" },
    { ...checkpoint, state },
    { version: 2, state: JSON.stringify({ ...state, index: 9 }) },
    withState({ retrying: "yes" }),
    withState({ index: -1 }),
    withState({ index: 0.5 }),
    withState({ executed: "many" }),
    withState({ spentMs: null }),
    withState({ retries: [["b", "one"]] }),
    withState({ visits: { b: 1 } }),
    withState({ scope: null }),
    withState({ scope: { results: [["a", {}]], given: [], variables: [], iterVariables: [] } }),
    withState({ scope: { results: [], given: [], variables: [] } }),
  ];
  const ran = async (from: JsonObject): Promise<string> => {
    const labels: string[] = [];
    const noting = (kind: string) =>
      tool((_config, { label }): Output => {
        labels.push(label);
        return ok(null);
      }, kind);
    await outcomeOf(resumed(of, from), [noting("tool"), noting("flaky")]);
    return labels.join();
  };

  expect(await ran(checkpoint)).toBe("b");
  for (const one of strange) expect([one, await ran(one)]).toEqual([one, "a,b"]);
});

test("what is too large for a checkpoint waits in its slot", async () => {
  const sized = async (chars: number, char = "x"): Promise<number> => {
    const data: Json = char.repeat(chars);
    const flaky = { ...scriptedTool(failed(), ok(1)), kind: "flaky" };
    const tasks = [task("a"), task("b", { kind: "flaky", rules: retrying() })];
    const { outcome, yields } = await course(command(tasks), [tool(() => ok(data)), flaky]);
    expect(outcome.output.data).toBe(1);
    for (const { yielded } of yields) {
      const bytes = Buffer.byteLength(JSON.stringify(yielded?.checkpoint));
      expect(bytes).toBeLessThanOrEqual(checkpointBytesMax);
    }
    return yields.length;
  };

  expect(await sized(checkpointBytesMax - 2_000)).toBe(1);
  expect(await sized(checkpointBytesMax)).toBe(0);
  // Fewer characters, but more bytes than characters.
  expect(await sized(checkpointBytesMax / 2, "ü")).toBe(0);
  expect(await sized(10 * checkpointBytesMax)).toBe(0);
});

test("a command that holds something open waits in its slot, and finds it open", async () => {
  let opened = 0;
  let tries = 0;
  const holding = tool(async (_config, context) => {
    const value = await context.resources.use("db", async () => ({
      value: ++opened,
      close: async () => {},
    }));
    return ++tries < 2 ? failed() : ok(value);
  });
  const { outcome, yields } = await course(command([task("only", { rules: retrying() })]), [
    holding,
  ]);

  expect(yields).toEqual([]);
  expect(outcome.output.data).toBe(1);
  expect(opened).toBe(1);
});

test("a checkpoint holds what came of tasks and nothing that they were given", async () => {
  const scope = { workload: { token: "s3cret" } };
  const only = task("only", {
    config: { auth: { password: "s3cret" } },
    holes: { token: "{{ workload.token }}", "input.token": "{{ workload.token }}" },
    rules: retrying(),
  });
  const { checkpoint } = await firstYield(command([only], { scope }), [scriptedTool(failed())]);

  expect(JSON.stringify(checkpoint)).not.toContain("s3cret");
});

test("a retry without an end to its delay waits no longer than the command may take", async () => {
  const options: CommandOptions = { timeoutMs: longMs };
  const rules = [rule("retry", { delayMs: Number.MAX_VALUE, backoff: "exponential" })];
  const { delay_ms } = await firstYield(command([task("only", { rules })], options), [
    scriptedTool(failed()),
  ]);

  expect(delay_ms).toBe(longMs);
});
