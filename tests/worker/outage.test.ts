// Proves that nothing a worker has done is lost or done twice while the control plane is away,
// answers badly, or the worker itself goes down.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryBus } from "#core/adapters/memory-bus";
import type { WorkerCommand } from "#core/model/command";
import type { Json } from "#core/model/json";
import { workerRetryMsMax, workerTickMs } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";
import type { Bus } from "#core/ports/bus";
import { pointer } from "#tests/support/pointers";
import { settled, until, type VirtualClock, virtualClock } from "#tests/support/virtual-clock";
import { command, ok, task, testServices, tool } from "#tests/worker/commands";
import { type ScriptedControl, scriptedControl } from "#tests/worker/scripted-control";
import { startWorker, type Worker } from "#worker/loop";
import { givenTools } from "#worker/registry";
import { settler } from "#worker/settler";
import { fileSpool } from "#worker/spool";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "noetl-outage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const work = (step: string, data: Json = step): WorkerCommand =>
  command([task("only", { config: { data } })], { step });

interface Running {
  readonly worker: Worker;
  readonly ran: string[];
}

interface Given {
  readonly spoolDirectory?: string;
  readonly bus?: Bus;
}

function start(control: ScriptedControl, clock: VirtualClock, given: Given = {}): Running {
  const ran: string[] = [];
  const steps = tool(async (config, context) => {
    ran.push(context.step);
    if (context.step.startsWith("slow")) await clock.sleep(60_000, context.signal);
    return ok(config["data"] ?? null);
  });
  const worker = startWorker({
    control,
    clock,
    tools: givenTools([steps]),
    workerId: "worker-1",
    pools: ["default"],
    slots: 4,
    policy: { shell: false, fileRoots: [] },
    random: () => 1,
    ...given,
  });
  return { worker, ran };
}

const ids = (control: ScriptedControl) => control.reported.map(({ command_id: id }) => id).sort();

test("running work goes on through an outage and is reported once it is over", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("quick"), work("slow"));
  const { ran, worker } = start(control, clock);
  control.next = () => {
    control.down = true;
    return undefined;
  };
  await clock.advance(10);
  await clock.advance(120_000);
  expect(ran).toEqual(["quick", "slow"]);
  expect(ids(control)).toEqual([work("quick").command_id]);
  control.next = () => undefined;
  control.down = false;
  await clock.advance(workerRetryMsMax);
  await worker.idle();

  expect(ids(control)).toEqual([work("quick").command_id, work("slow").command_id]);
  expect(ran.length).toBe(2);
});

test("a worker does not hammer a control plane that is away", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("a"));
  start(control, clock);
  control.verdict = () => {
    control.down = true;
    return "retry";
  };
  await clock.advance(600_000);

  // Once at each step of the back-off, then every five seconds.
  expect(control.settles.length).toBeLessThan(130);
  expect(control.claims.length).toBeLessThan(130);
});

test("hints do not make a worker ask a control plane that is away", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  const bus = memoryBus();
  control.down = true;
  start(control, clock, { bus });
  await clock.advance(60_000);
  const before = control.claims.length;
  for (let n = 0; n < 50; n++) {
    bus.hint("default", pointer("a"));
    await settled();
  }

  expect(before).toBeLessThan(30);
  expect(control.claims.length).toBe(before);
});

test("an outcome that is asked for again later is kept, and does not hold up the others", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  const troubled = work("troubled").command_id;
  control.verdict = ({ command_id: id }) => (id === troubled ? "retry" : "accepted");
  control.ready.push(work("troubled"), work("a"), work("b"));
  const { worker, ran } = start(control, clock);
  await clock.advance(30_000);
  control.ready.push(work("c"));
  await clock.advance(workerTickMs);
  expect(ids(control)).toEqual([work("a"), work("b"), work("c")].map((of) => of.command_id));
  // It holds its slot, and its lease is kept.
  expect(control.claims.at(-1)?.want).toBe(3);
  expect(control.renewals.at(-1)).toEqual([{ commandId: troubled, attempt: 1 }]);
  control.verdict = () => "accepted";
  await clock.advance(workerRetryMsMax);
  await worker.idle();

  expect(ids(control)).toContain(troubled);
  expect(ran.length).toBe(4);
});

test("every verdict but retry lets an outcome go", async () => {
  for (const verdict of ["accepted", "duplicate", "refused", "gone"] as const) {
    const clock = virtualClock();
    const control = scriptedControl();
    control.verdict = () => verdict;
    control.ready.push(work("a"));
    const { worker } = start(control, clock);
    await settled();
    await worker.idle();
    await clock.advance(20_000);

    expect(control.settles.length).toBe(1);
  }
});

test("one outcome that the control plane refuses as a request costs no other", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.refuses = ({ outcomes }) => outcomes.some(({ output }) => output.data === "bad");
  control.ready.push(work("a"), work("b", "bad"), work("c"));
  const { worker } = start(control, clock);
  await clock.advance(10);
  await worker.idle();

  const outputs = new Map(control.reported.map((of) => [of.command_id, of.output]));
  expect(outputs.get(work("a").command_id)?.data).toBe("a");
  expect(outputs.get(work("c").command_id)?.data).toBe("c");
  expect(outputs.get(work("b").command_id)).toMatchObject({
    status: "error",
    error: { kind: "result", code: "result_rejected" },
  });
});

test("a control plane that refuses everything does not hold the worker for ever", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.refuses = () => true;
  control.ready.push(work("a"), work("b"));
  const { worker } = start(control, clock);
  await clock.advance(10);
  await worker.idle();

  expect(control.reported).toEqual([]);
});

test("what could not be reported survives the worker and is reported by the next, before it claims", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("a"), work("b"));
  const first = start(control, clock, { spoolDirectory: folder });
  await until(() => first.ran.length === 2);
  control.down = true;
  await clock.advance(1_000);
  // Nothing is told to stop: the process is gone, as it were, and only the folder is left.
  const spooled = async () => (await fileSpool(folder).load()).length;
  let kept = 0;
  while (kept < 2) kept = await spooled();

  const next = scriptedControl();
  next.ready.push(work("c"));
  const second = start(next, virtualClock(), { spoolDirectory: folder });
  await until(() => next.reported.length === 3);
  await second.worker.idle();
  const [firstSettle] = next.settles;

  expect(firstSettle?.outcomes.map(({ output }) => output.data).sort()).toEqual(["a", "b"]);
  expect(second.ran).toEqual(["c"]);
  let left = 2;
  while (left > 0) left = await spooled();
});

test("a hint does not make a worker claim before it has read what was left", async () => {
  const clock = virtualClock();
  const { promise, resolve } = Promise.withResolvers<readonly Outcome[]>();
  const control = scriptedControl();
  const outcomes = settler({
    services: testServices({ control, clock }),
    pools: ["default"],
    spool: { load: () => promise, keep: async () => {}, drop: async () => {} },
    ending: new AbortController().signal,
    take: () => 0,
    onReply: () => {},
  });
  const opening = outcomes.open();
  outcomes.pump();
  expect(outcomes.due()).toBe(true);
  resolve([
    { command_id: work("old").command_id, attempt: 1, output: { status: "ok" }, duration_ms: 1 },
  ]);
  await opening;
  outcomes.pump();
  await settled();

  expect(ids(control)).toEqual([work("old").command_id]);
  expect(outcomes.due()).toBe(false);
});

const inSpool = async () => (await fileSpool(folder).load()).map(({ output }) => output.data);

test("what is to be reported later is in the spool at once", async () => {
  const control = scriptedControl();
  control.verdict = ({ command_id: id }) => (id.includes(":asked:") ? "retry" : "accepted");
  control.ready.push(work("asked"), work("taken"));
  const { worker } = start(control, virtualClock(), { spoolDirectory: folder });
  await until(() => control.reported.length > 0);
  let kept: readonly unknown[] = [];
  while (kept.length === 0) kept = await inSpool();

  expect(kept).toEqual(["asked"]);
  expect(worker.running()).toBe(0);
});

test("what ends while a pause between two tries lasts is in the spool at once", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("a"), work("slow"));
  const { ran } = start(control, clock, { spoolDirectory: folder });
  await until(() => ran.length === 2);
  control.down = true;
  await clock.advance(59_000);
  const tried = control.settles.length;
  // The slow one has ended, and the next try is not due yet.
  await clock.advance(1_000);
  expect(control.settles.length).toBe(tried);
  let kept: readonly unknown[] = [];
  while (kept.length < 2) kept = await inSpool();

  expect(kept).toEqual(["a", "slow"]);
});

test("a worker that is stopped during an outage leaves everything in the spool", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("a"), work("slow"));
  const { worker, ran } = start(control, clock, { spoolDirectory: folder });
  await until(() => ran.length === 2);
  control.down = true;
  const stopped = worker.stop({ graceMs: 90_000 });
  await clock.advance(120_000);
  await stopped;

  const spooled = await fileSpool(folder).load();
  expect(spooled.map(({ output }) => output.data).sort()).toEqual(["a", "slow"]);
});

test("a spool that can't be written costs durability and nothing else", async () => {
  const clock = virtualClock();
  const control = scriptedControl();
  control.ready.push(work("a"));
  control.down = true;
  // A file stands where the folder should be.
  const path = join(folder, "file");
  await Bun.write(path, "");
  const { worker } = start(control, clock, { spoolDirectory: join(path, "spool") });
  control.down = false;
  control.verdict = () => "retry";
  await until(() => control.settles.length > 0 || control.claims.length > 0);
  await clock.advance(3_000);
  control.verdict = () => "accepted";
  await clock.advance(10_000);
  await worker.idle();

  expect(ids(control)).toEqual([work("a").command_id]);
});
