// Proves what a command is given beside its tasks: a deadline, a signal that says why, resources
// that are closed, and a place for what is too large.

import { expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { commandTimeoutMsDefault, inlineBytesMax } from "#core/model/limits";
import type { Output, ResultRef } from "#core/model/outcome";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import {
  command,
  failed,
  ok,
  outcomeOf,
  quietControl,
  rule,
  scriptedTool,
  task,
  testServices,
  tool,
} from "#tests/worker/commands";
import { CommandRun } from "#worker/command-run";
import { givenTools } from "#worker/registry";
import { runCommand } from "#worker/run-command";
import { type ToolContext, ToolFailure, ToolParked } from "#worker/tools/tool";

function refTo(name: string): ResultRef {
  return {
    kind: "result_ref",
    ref: `noetl://execution/1/result/${name}`,
    store: "db",
    scope: "execution",
    meta: { bytes: 1, sha256: "0", media_type: "application/json" },
  };
}

test("a tool is told who calls and how long it may take", async () => {
  const recorded = scriptedTool();
  const clock = virtualClock();
  const scope = { workload: { a: 1 } };
  await outcomeOf(command([task("only")], { timeoutMs: 9_000, attempt: 2, scope }), [recorded], {
    clock,
  });
  await outcomeOf(command([task("only")]), [recorded], { clock });

  const [own, byDefault] = recorded.calls.map(({ context }) => context);
  expect(own).toMatchObject({
    executionId: "478775660589088776",
    commandId: "478775660589088776:work:1",
    step: "work",
    label: "only",
    attempt: 2,
    workerId: "worker-1",
    timeoutMs: 9_000,
    variables: scope,
  });
  expect(byDefault?.timeoutMs).toBe(commandTimeoutMsDefault);
});

test("later tasks have what is left of the command's time", async () => {
  const clock = virtualClock();
  const left: number[] = [];
  const slow = tool(async (_config, context) => {
    left.push(context.timeoutMs);
    await clock.sleep(2_000, context.signal);
    return ok(null);
  });
  const outcome = outcomeOf(
    command([task("a"), task("b"), task("c"), task("d")], { timeoutMs: 5_000 }),
    [slow],
    { clock },
  );
  await clock.advance(6_000);

  expect(left).toEqual([5_000, 3_000, 1_000]);
  expect((await outcome).output).toMatchObject({ status: "error", error: { kind: "timeout" } });
});

test("a stopped command's signal says why", async () => {
  for (const [reason, name] of [
    ["timeout", "TimeoutError"],
    ["lost", "AbortError"],
    ["gone", "AbortError"],
    ["draining", "AbortError"],
  ] as const) {
    const seen: unknown[] = [];
    const waiting = tool(async (_config, context) => {
      const { signal } = context;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      seen.push(signal.reason);
      throw signal.reason;
    });
    const services = testServices({ tools: givenTools([waiting]) });
    const run = new CommandRun(command([task("only")]), services.clock.nowMs(), 0);
    const outcome = runCommand(run, services);
    await settled();
    run.stop(reason, services.clock.nowMs());
    const { output } = await outcome;

    expect(seen[0]).toMatchObject({ name });
    if (reason === "timeout") expect(output.error?.kind).toBe("timeout");
  }
});

test("a signal asked for after the stop is aborted already", () => {
  const run = new CommandRun(command([]), 0, 0);
  run.stop("gone", 1);

  expect(run.signal.aborted).toBe(true);
});

test("a tool of an unknown kind is a config failure that names the known ones", async () => {
  const outcome = await outcomeOf(command([task("only", { kind: "quantum" })]));

  expect(outcome.output.error).toMatchObject({ kind: "config", code: "unknown_kind" });
  expect(outcome.output.error?.message).toContain("quantum");
});

test("what is not JSON is a failure that names the place", async () => {
  const bad: readonly [Output["data"], string][] = [
    [{ a: [{ b: Number.NaN }] }, "a[0].b"],
    // The cast stands for a tool written without types.
    [{ when: new Date(0) as unknown as string }, "when"],
  ];
  for (const [data, place] of bad) {
    const outcome = await outcomeOf(command([task("only")]), [
      tool(() => ({ status: "ok", ...(data === undefined ? {} : { data }) })),
    ]);

    expect(outcome.output.error).toMatchObject({ kind: "result", code: "not_json" });
    expect(outcome.output.error?.message).toContain(place);
    expect(outcome.output).not.toHaveProperty("data");
  }
});

test("resources are shared by the tasks of a command and closed once, last opened first", async () => {
  const events: string[] = [];
  const opening = (key: string) => async () => {
    events.push(`open ${key}`);
    return {
      value: key,
      close: async () => {
        events.push(`close ${key}`);
        if (key === "b") throw new Error("stuck");
      },
    };
  };
  const using = tool(async (config, { resources }) => {
    const key = String(config["key"]);
    events.push(`use ${await resources.use(key, opening(key))}`);
    return config["key"] === "c" ? failed() : ok(null);
  });
  const notices: string[] = [];
  const keys = ["a", "b", "a", "c"];
  const outcome = await outcomeOf(
    command(keys.map((key, index) => task(`t${index}`, { config: { key } }))),
    [using],
    { log: { notice: (message) => notices.push(message) } },
  );

  expect(outcome.output.error?.kind).toBe("http");
  expect(events).toEqual([
    "open a",
    "use a",
    "open b",
    "use b",
    "use a",
    "open c",
    "use c",
    "close c",
    "close b",
    "close a",
  ]);
  expect(notices.length).toBe(1);
});

test("a resource that could not be opened is opened anew by the next task", async () => {
  let tries = 0;
  const using = tool(async (_config, { resources }) => {
    const value = await resources.use("db", async () => {
      tries += 1;
      if (tries === 1) throw new ToolFailure({ kind: "duckdb", message: "busy", retryable: true });
      return { value: "open", close: async () => {} };
    });
    return ok(value);
  });
  const rules = [rule("retry", { when: "output.status == 'error'" })];

  expect((await outcomeOf(command([task("only", { rules })]), [using])).output.data).toBe("open");
});

test("lines that a tool logs reach the hook with the command they belong to", async () => {
  const lines: unknown[] = [];
  const logging = tool((_config, context) => {
    context.log("stdout", "hello");
    return ok(null);
  });
  await outcomeOf(command([task("only")]), [logging], {
    log: {
      line: ({ command: of, label, stream, text }) => {
        lines.push([of.step, label, stream, text]);
      },
    },
  });

  expect(lines).toEqual([["work", "only", "stdout", "hello"]]);
});

test("data over the inline limit is stored first and referred to", async () => {
  const stored: Json[] = [];
  const control = quietControl({
    putResult: async (_execution, name, value) => {
      stored.push(value);
      return refTo(name);
    },
  });
  const fits = "x".repeat(inlineBytesMax - 2);
  const wide = "é".repeat(inlineBytesMax / 2);
  const outputs: Output[] = [];
  for (const data of [fits, wide]) {
    const outcome = await outcomeOf(command([task("only")]), [scriptedTool(ok(data))], { control });
    outputs.push(outcome.output);
  }

  expect(outputs[0]?.data).toBe(fits);
  expect(outputs[1]).toMatchObject({ status: "ok", ref: refTo("work") });
  expect(outputs[1]).not.toHaveProperty("data");
  expect(stored).toEqual([wide]);
});

test("later tasks still see data that the outcome will only refer to", async () => {
  const control = quietControl({ putResult: async (_execution, name) => refTo(name) });
  const big = "x".repeat(inlineBytesMax * 2);
  const only = task("only", { set: { "ctx.length": "{{ output.text | length }}" } });
  const outcome = await outcomeOf(command([only]), [scriptedTool(ok({ text: big }))], { control });

  expect(outcome.set).toEqual({ "ctx.length": inlineBytesMax * 2 });
});

test("a store that is away is tried again, and the result is not lost", async () => {
  const clock = virtualClock();
  let tries = 0;
  const control = quietControl({
    putResult: async (_execution, name) => {
      tries += 1;
      if (tries < 4) throw new Fault("unavailable", "no control plane");
      return refTo(name);
    },
  });
  const big = scriptedTool(ok("x".repeat(inlineBytesMax)));
  const outcome = outcomeOf(command([task("only")]), [big], { control, clock });
  await clock.advance(60_000);

  expect((await outcome).output).toMatchObject({ status: "ok", ref: refTo("work") });
  expect(big.calls.length).toBe(1);
});

test("a store that says no, or is away until the deadline, fails the command", async () => {
  const failures: unknown[] = [];
  const tries = { too_large: 0, unavailable: 0 };
  for (const code of ["too_large", "unavailable"] as const) {
    const clock = virtualClock();
    const control = quietControl({
      putResult: async () => {
        tries[code] += 1;
        throw new Fault(code, "no");
      },
    });
    const big = scriptedTool(ok("x".repeat(inlineBytesMax)));
    const of = command([task("only", { onUnmatched: "continue" })], { timeoutMs: 60_000 });
    const outcome = outcomeOf(of, [big], { control, clock });
    await clock.advance(60_000);
    failures.push((await outcome).output.error, (await outcome).settled_as);
  }

  expect(failures).toMatchObject([
    { kind: "result", code: "not_stored", retryable: false },
    undefined,
    { kind: "result", code: "not_stored", retryable: true },
    undefined,
  ]);
  expect(tries.too_large).toBe(1);
  expect(tries.unavailable).toBeGreaterThan(10);
});

test("credentials and references are asked for as this worker's command", async () => {
  const asked: unknown[] = [];
  const control = quietControl({
    credential: async (worker, id, alias) => {
      asked.push([worker, id, alias]);
      return { name: alias, type: "postgres", data: { password: "x" } };
    },
    resolveResult: async (ref) => {
      throw new Fault("not_found", ref);
    },
  });
  const contexts: ToolContext[] = [];
  const asking = tool(async (_config, context) => {
    contexts.push(context);
    const { type } = await context.credential("pg_main");
    return ok([type, await context.resolveResult("noetl://gone")]);
  });
  const outcome = await outcomeOf(command([task("only")]), [asking], { control });

  expect(asked).toEqual([["worker-1", "478775660589088776:work:1", "pg_main"]]);
  expect(outcome.output.error).toMatchObject({ kind: "result", retryable: false });
});

const parking = () =>
  tool(async (_config, context) => {
    await context.credential("registry");
    throw new ToolParked({
      key: "container:1",
      timeoutMs: 60_000,
      about: { said: "with hunter2" },
    });
  });
const secretive = () =>
  quietControl({
    credential: async (_worker, _id, name) => ({ name, type: "x", data: { token: "hunter2" } }),
  });

test("a call that goes on elsewhere parks its command, which no rule judges", async () => {
  const rules = [rule("retry"), rule("fail")];
  const set = { "ctx.seen": true };
  const outcome = await outcomeOf(command([task("only", { rules, set })]), [parking()], {
    control: secretive(),
  });

  expect(outcome.parked).toEqual({
    key: "container:1",
    timeout_ms: 60_000,
    about: { said: "with ***" },
  });
  expect(outcome.output).toEqual({ status: "ok" });
  expect(outcome).not.toHaveProperty("set");
});

test("a call beside others can't go on elsewhere, and says why", async () => {
  const outcome = await outcomeOf(command([task("a"), task("b")]), [parking()], {
    control: secretive(),
  });

  expect(outcome.output.error).toMatchObject({ kind: "config", code: "parked_beside" });
  expect(outcome).not.toHaveProperty("parked");
});
