// Proves that a worker whose command yields has its slot back, keeps the checkpoint through an
// outage and its own end, and goes on from one that it is given.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkerCommand } from "#core/model/command";
import { checkpointBytesMax, workerRetryMsMax, workerTickMs } from "#core/model/limits";
import { until, virtualClock } from "#tests/support/virtual-clock";
import { command, failed, ok, rule, task, testServices, tool } from "#tests/worker/commands";
import { instant, setting, work } from "#tests/worker/running-worker";
import { CommandRun } from "#worker/command-run";
import { givenTools } from "#worker/registry";
import { runCommand } from "#worker/run-command";
import type { Tool } from "#worker/tools/tool";

const longMs = 60_000;

const flaky: WorkerCommand = command(
  [
    task("only", {
      rules: [
        rule("retry", { when: "output.status == 'error'", delayMs: longMs, backoff: "linear" }),
      ],
    }),
  ],
  { step: "flaky" },
);

/** Fails the first call of the step `flaky`; notes all calls. */
function flakyTool(): Tool & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    kind: "tool",
    calls,
    run: async (_config, { step, attempt }) => {
      calls.push(`${step} ${attempt}`);
      return step === "flaky" && calls.length === 1 ? failed() : ok(step);
    },
  };
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "noetl-yield-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("another command runs in the only slot while one waits, which then goes on", async () => {
  const tool = flakyTool();
  const { control, clock, worker } = setting(tool, { slots: 1 }, [flaky, work("other")]);
  await clock.advance(workerTickMs);
  expect(tool.calls).toEqual(["flaky 1", "other 1"]);
  expect(worker.running()).toBe(0);
  const [parked] = control.reported;
  expect(parked).toMatchObject({ command_id: flaky.command_id, yielded: { delay_ms: longMs } });

  const checkpoint = parked?.yielded?.checkpoint ?? {};
  control.ready.push({ ...flaky, attempt: 2, checkpoint });
  await clock.advance(workerTickMs);
  await worker.stop({ graceMs: 0 });

  expect(tool.calls).toEqual(["flaky 1", "other 1", "flaky 2"]);
  expect(control.reported[2]).toMatchObject({
    attempt: 2,
    output: { status: "ok", data: "flaky", meta: { attempt: 2 } },
  });
});

test("a wait that can't be reported is reported once the outage is over", async () => {
  const { control, clock, worker } = setting(flakyTool(), {}, [flaky]);
  control.verdict = () => {
    control.verdict = () => "accepted";
    control.down = true;
    return "retry";
  };
  await clock.advance(workerTickMs);
  expect(control.reported).toEqual([]);
  control.down = false;
  await clock.advance(workerRetryMsMax);
  await worker.stop({ graceMs: 0 });

  expect(control.reported).toMatchObject([{ attempt: 1, yielded: { delay_ms: longMs } }]);
});

test("a wait survives a worker that ends while the control plane is away", async () => {
  const first = setting(flakyTool(), { spoolDirectory: folder }, [flaky]);
  first.control.verdict = () => {
    first.control.down = true;
    return "retry";
  };
  await until(() => first.control.down);
  await first.clock.advance(workerTickMs);
  const stopped = first.worker.stop({ graceMs: 0 });
  await first.clock.advance(20_000);
  await stopped;
  expect(first.control.reported).toEqual([]);

  const second = setting(instant, { spoolDirectory: folder });
  await until(() => second.control.reported.length > 0);
  await second.worker.stop({ graceMs: 0 });

  expect(second.control.reported).toMatchObject([
    { command_id: flaky.command_id, yielded: { checkpoint: { version: 2, task: "only" } } },
  ]);
});

test("a worker that stops keeps what a pipeline has come to when it meets a long delay", async () => {
  const stopping = Promise.withResolvers<void>();
  const failing: Tool = {
    kind: "tool",
    run: async (_config, { signal }) => {
      signal.addEventListener("abort", () => stopping.resolve(), { once: true });
      await stopping.promise;
      return failed();
    },
  };
  const { control, clock, worker } = setting(failing, {}, [flaky]);
  await clock.advance(workerTickMs);
  const stopped = worker.stop({ graceMs: 1_000 });
  await clock.advance(20_000);
  await stopped;

  expect(control.reported).toMatchObject([{ yielded: { delay_ms: longMs } }]);
  expect(control.released).toEqual([]);
});

test("the wait of a command that keeps its slot ends when the command is stopped", async () => {
  const clock = virtualClock();
  const large = tool(() => ({ ...failed(), data: "x".repeat(1.5 * checkpointBytesMax) }));
  const of = flaky;
  const run = new CommandRun(of, clock.nowMs(), 0);
  const running = runCommand(run, testServices({ clock, tools: givenTools([large]) }));
  await clock.advance(1_000);
  expect(clock.sleeping()).toBe(1);
  run.stop("gone", clock.nowMs());

  expect(await running).toMatchObject({ output: { error: { kind: "cancelled" } } });
  expect(clock.nowMs() - run.startedAtMs).toBe(1_000);
});
