// Frames of cursor loops as the control plane records them: rows stand in the log before they are
// worked on, and come with every later hand-over of their frame.

import { expect, test } from "bun:test";
import { verifyExecution } from "#control/services/verify";
import type { WorkerCommand } from "#core/model/command";
import type { Json } from "#core/model/json";
import type { Outcome } from "#core/model/outcome";
import { onBothStores, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: drain, path: t/drain}
workflow:
- step: start
  loop:
    cursor: {kind: postgres, host: h, claim: "DELETE FROM q WHERE f = '{{ __frame_key }}' RETURNING *"}
    iterator: row
    spec: {mode: cursor, max_in_flight: "{{ workload.width | default(1) }}", frame: {max_rows: 5}}
  tool: {kind: noop, message: "{{ row.id }}"}
`;

const rows: readonly Json[] = [{ id: 1 }, { id: 2 }];

/** An outcome that ends nothing: these rows are to be recorded. */
function claimed(command: WorkerCommand, given: readonly Json[] = rows): Outcome {
  const frame = command.frame?.number ?? -1;
  return { ...done(command), claimed: { frame, row_count: given.length, rows: given } };
}

const counted = (count: number): Json => ({ rows: count, success: count, failed: 0 });

async function started(world: World, width = 1) {
  await world.register(playbook);
  const id = await world.start("t/drain", { width });
  return { id, worker: handWorker(world.client) };
}

onBothStores((shelf) => {
  test("a frame comes with its claim rendered, and without rows", async () => {
    const { id, worker } = await started(shelf().open());
    const command = only(await worker.claim());
    expect(command.frame).toMatchObject({
      number: 0,
      key: `${id}:start:1:f0`,
      iterator: "row",
      driver: "postgres",
      settings: { max_rows: 5 },
      claim: {
        config: { host: "h", command: `DELETE FROM q WHERE f = '${id}:start:1:f0' RETURNING *` },
      },
    });
    expect(command.frame).not.toHaveProperty("rows");
  });

  test("its rows are recorded once, and others are refused", async () => {
    const world = shelf().open();
    const { id, worker } = await started(world);
    const command = only(await worker.claim());
    const verdict = async (outcome: Outcome): Promise<unknown> =>
      (await worker.settle([outcome])).verdicts;
    expect(await verdict({ ...claimed(command), attempt: 2 })).toEqual(["refused"]);
    expect(await verdict(claimed(command))).toEqual(["accepted"]);
    expect(await verdict(claimed(command))).toEqual(["duplicate"]);
    expect(await verdict(claimed(command, [{ id: 3 }]))).toEqual(["refused"]);
    expect(await verdict(claimed(command, [{ id: 1 }, { id: 3 }]))).toEqual(["refused"]);
    const recorded = (await world.events(id)).filter(({ type }) => type === "cursor.claimed");
    expect(recorded).toMatchObject([{ frame: 0, attempt: 1, row_count: 2, rows }]);
    expect(await world.problems(id)).toEqual([]);
  });

  test("rows for what is no such frame are refused for good", async () => {
    const world = shelf().open();
    const { worker } = await started(world);
    const command = only(await worker.claim());
    const other = claimed(command);
    const wrong: Outcome = { ...other, claimed: { frame: 7, row_count: 0 } };
    expect((await worker.settle([wrong])).verdicts).toEqual(["gone"]);
    expect(
      (await worker.settle([{ ...other, command_id: `${command.command_id}9` }])).verdicts,
    ).toEqual(["gone"]);
  });

  test("a worker that is lost leaves its rows to the next one", async () => {
    const world = shelf().open({ clock: shelf().clock });
    const { worker } = await started(world);
    const command = only(await worker.claim());
    await worker.settle([claimed(command)]);
    await shelf().passLeases(world);
    const again = only(await handWorker(world.client, "w2").claimIdle());
    expect(again.attempt).toBe(2);
    expect(again.frame).toMatchObject({ number: 0, key: command.frame?.key as string, rows });
  });

  test("a worker that gives its command back leaves its rows too", async () => {
    const world = shelf().open();
    const { worker } = await started(world);
    const command = only(await worker.claim());
    await worker.settle([claimed(command)]);
    await world.client.release({
      body: { worker: worker.name, leases: [{ command_id: command.command_id, attempt: 1 }] },
    });
    const again = only(await handWorker(world.client, "w2").claim());
    expect([again.attempt, again.frame?.rows]).toEqual([1, rows]);
  });

  test("rows that are too large for an event stand behind a reference", async () => {
    const world = shelf().open();
    const { id, worker } = await started(world);
    const command = only(await worker.claim());
    const large: readonly Json[] = [{ id: 1, text: "x".repeat(200_000) }];
    await worker.settle([claimed(command, large)]);
    const recorded = (await world.events(id)).find(({ type }) => type === "cursor.claimed");
    expect(recorded).toMatchObject({ row_count: 1, rows_ref: { kind: "result_ref" } });
    expect(recorded).not.toHaveProperty("rows");
  });

  test("frames end, the queue is drained, and the log is whole", async () => {
    const world = shelf().open();
    const { id, worker } = await started(world, 2);
    const [first, second] = await worker.claim();
    if (first === undefined || second === undefined) throw new Error("expected two frames");
    await worker.settle([claimed(first), done(second, counted(0))]);
    // What the log says of open frames is what the rows of commands hold, recorded rows or not.
    const { executions } = world.control;
    expect((await verifyExecution(executions.context, id)).problems).toEqual([]);
    const { commands } = await worker.settle([done(first, counted(2))], 4);
    const probe = only(commands);
    expect(probe.frame?.number).toBe(2);
    await worker.settle([done(probe, counted(0))]);
    expect(await world.ended(id)).toBe("completed");
    const types = (await world.events(id)).map(({ type }) => type);
    expect(types.slice(-5)).toEqual([
      "call.done",
      "cursor.drained",
      "loop.done",
      "step.exit",
      "playbook.completed",
    ]);
    expect(await world.problems(id)).toEqual([]);
    expect(world.reports).toEqual([]);
  });
});
