// Proves that leases are kept, and that what is lost, cancelled or late is stopped.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import { executionId } from "#core/model/ids";
import { toolAbortGraceMs, workerTickMs } from "#core/model/limits";
import { commandsCancelled } from "#core/wire/subjects";
import { settled, virtualClock } from "#tests/support/virtual-clock";
import { testExecution } from "#tests/worker/commands";
import { deaf, heldTool, instant, setting, work } from "#tests/worker/running-worker";

test("a tool that has not let go yet still holds its slot", async () => {
  const { control, clock } = setting(deaf, {}, [work("a"), work("b")]);
  await settled();
  control.renewal = ({ commandId }) => (commandId.includes(":a:") ? "gone" : "renewed");
  await clock.advance(6_000);
  const claims = control.claims.length;
  await clock.advance(2_000);
  expect(control.claims.length).toBe(claims);
  await clock.advance(toolAbortGraceMs);

  expect(control.claims.at(-1)?.want).toBe(1);
});

test("a cancelled execution's tools are aborted at once, and their outcomes are not reported", async () => {
  const bus = memoryBus();
  const tool = heldTool();
  const other = executionId("478775660589088777");
  const { control, worker } = setting(tool, { bus }, [work("a"), work("b", { execution: other })]);
  await settled();
  bus.publish(commandsCancelled(testExecution), "");
  await settled();

  expect(tool.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  expect(worker.running()).toBe(1);
  expect(control.settles).toEqual([]);
});

test("leases of all running commands are renewed in one request, in time", async () => {
  const { control, clock } = setting(heldTool(), { slots: 3 }, [
    work("a"),
    work("b"),
    work("c", { leaseMs: 3_000 }),
  ]);
  await settled();
  await clock.advance(1_500);
  expect(control.renewals.length).toBe(1);
  await clock.advance(10_000);

  expect(control.renewals.length).toBe(3);
  expect(control.renewals.every((refs) => refs.length === 3)).toBe(true);
  expect(control.renewals[0]?.[0]).toEqual({ commandId: work("a").command_id, attempt: 1 });
});

test("a lease that is lost or gone stops its tool and frees its slot", async () => {
  for (const verdict of ["lost", "gone"] as const) {
    const tool = heldTool();
    const { control, clock, worker } = setting(tool, {}, [work("a"), work("b")]);
    await settled();
    control.renewal = ({ commandId }) => (commandId.includes(":a:") ? verdict : "renewed");
    await clock.advance(6_000);

    expect(tool.calls.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(worker.running()).toBe(1);
    expect(control.settles).toEqual([]);
  }
});

test("a tool that hears no abort loses its slot after the grace, and nobody waits for it", async () => {
  const { control, clock, worker } = setting(deaf, {}, [
    work("a"),
    work("b", { timeoutMs: 2_000 }),
  ]);
  await settled();
  control.renewal = ({ commandId }) => (commandId.includes(":a:") ? "gone" : "renewed");
  await clock.advance(5_000);
  expect(worker.running()).toBe(2);
  await clock.advance(toolAbortGraceMs + workerTickMs);
  await worker.idle();

  expect(control.reported.length).toBe(1);
  expect(control.reported[0]).toMatchObject({
    command_id: work("b").command_id,
    output: { error: { kind: "timeout" } },
  });
});

test("a command's deadline aborts its tool", async () => {
  const tool = heldTool();
  const { control, clock } = setting(tool, {}, [work("a", { timeoutMs: 2_500 })]);
  await settled();
  await clock.advance(2_000);
  expect(tool.calls[0]?.signal.aborted).toBe(false);
  await clock.advance(1_000);

  expect(control.reported[0]?.output.error?.kind).toBe("timeout");
});

test("an outcome on its way keeps its lease, however long the answer takes", async () => {
  const { control, clock } = setting(instant, {}, [work("a")]);
  control.settleMs = 25_000;
  await clock.advance(20_000);

  expect(control.settles.length).toBe(1);
  expect(control.renewals.length).toBeGreaterThanOrEqual(3);
  expect(control.renewals.at(-1)).toEqual([{ commandId: work("a").command_id, attempt: 1 }]);
});

test("a no that is older than the last hand-over takes nothing away", async () => {
  const tool = heldTool();
  const { control, clock, worker } = setting(tool, {}, [work("a")]);
  const answer = Promise.withResolvers<void>();
  control.renew = async (_worker, leases) => {
    await answer.promise;
    return leases.map(() => "lost");
  };
  await clock.advance(6_000);
  control.ready.push(work("a"));
  await clock.advance(2_000);
  answer.resolve();
  await settled();

  expect(control.ready).toEqual([]);
  expect(tool.calls.map(({ signal }) => signal.aborted)).toEqual([false]);
  expect(worker.running()).toBe(1);
});

test("a clock that is set back makes no outcome that can't be reported", async () => {
  const clock = virtualClock();
  let behindMs = 0;
  const tool = heldTool();
  const given = { clock: { ...clock, nowMs: () => clock.nowMs() - behindMs } };
  const { control } = setting(tool, given, [work("a")]);
  await settled();
  behindMs = 60_000;
  tool.finish("a");
  await settled();

  expect(control.reported.map(({ duration_ms }) => duration_ms)).toEqual([0]);
});
