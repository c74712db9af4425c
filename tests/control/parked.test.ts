// Calls that a worker has begun and that go on elsewhere: parked under a key, ended by an answer, and
// by nothing else.

import { expect, test } from "bun:test";
import { verifyExecution } from "#control/services/verify";
import type { WorkerCommand } from "#core/model/command";
import type { ExecutionId } from "#core/model/ids";
import type { Outcome } from "#core/model/outcome";
import { onBothStores, type World } from "#tests/support/control";
import { done, type HandWorker, handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const container = "kind: container, image: alpine, command: [echo, hi]";

function parked(command: WorkerCommand, key = `container:${command.command_id}`): Outcome {
  const about = { job_name: "job-1", namespace: "jobs" };
  return { ...done(command), parked: { key, timeout_ms: 60_000, about } };
}

interface Begun {
  readonly world: World;
  readonly worker: HandWorker;
  readonly command: WorkerCommand;
  readonly id: ExecutionId;
}

async function begun(world: World): Promise<Begun> {
  await world.register(chain("t/job", 2, container));
  const id = await world.start("t/job");
  const worker = handWorker(world.client);
  return { world, worker, id, command: only(await worker.claim()) };
}

const report = (
  { world, id }: Begun,
  body: { readonly state: string; readonly exit_code?: number; readonly reason?: string },
  command_id?: string,
) =>
  world.client.containerCallback({
    params: { id, step: "s1" },
    query: command_id === undefined ? {} : { command_id },
    body: { job_name: "job-1", ...body },
  });

const endOf = async ({ world, id, command }: Begun) =>
  (await world.events(id)).find(
    (event) =>
      (event.type === "call.done" || event.type === "call.error") &&
      event.command_id === command.command_id,
  );

const problems = async ({ world, id }: Begun) =>
  (await verifyExecution(world.control.executions.context, id)).problems;

onBothStores((shelf) => {
  test("a call that goes on elsewhere holds no lease, and ends by its answer", async () => {
    const job = await begun(shelf().open({ clock: shelf().clock }));
    const { worker, command, world, id } = job;
    expect((await worker.settle([parked(command)])).verdicts).toEqual(["accepted"]);
    expect((await worker.settle([parked(command)])).verdicts).toEqual(["duplicate"]);
    expect((await worker.settle([done(command)])).verdicts).toEqual(["refused"]);
    expect(await problems(job)).toEqual([]);
    await shelf().passLeases(world);
    expect(await handWorker(world.client, "w2").claimIdle()).toEqual([]);
    expect(await report(job, { state: "Succeeded", exit_code: 0 })).toMatchObject({
      status: "accepted",
      key: `container:${command.command_id}`,
    });
    expect(await endOf(job)).toMatchObject({
      type: "call.done",
      attempt: 1,
      output: { data: { state: "Succeeded", job_name: "job-1" } },
    });
    expect((await report(job, { state: "Succeeded" })).status).toBe("accepted_stale");
    await worker.drain();
    expect(await world.ended(id)).toBe("completed");
    expect(await world.problems(id)).toEqual([]);
  });

  test("a job that ended badly fails its step with its exit code", async () => {
    const job = await begun(shelf().open());
    await job.worker.settle([parked(job.command)]);
    await report(job, { state: "Failed", exit_code: 3, reason: "OOMKilled" });
    expect(await endOf(job)).toMatchObject({
      type: "call.error",
      output: {
        error: { kind: "container", code: 3, message: "job job-1 ended as Failed (OOMKilled)" },
      },
    });
  });

  test("a job may end before its worker has said that it began", async () => {
    const job = await begun(shelf().open());
    expect((await report(job, { state: "succeeded" })).status).toBe("accepted");
    expect((await report(job, { state: "succeeded" })).status).toBe("duplicate");
    expect(await endOf(job)).toBeUndefined();
    await job.worker.settle([parked(job.command)]);
    expect(await endOf(job)).toMatchObject({ type: "call.done" });
    expect(await problems(job)).toEqual([]);
  });

  test("a report that names its command counts for that one alone", async () => {
    const job = await begun(shelf().open());
    await job.worker.settle([parked(job.command)]);
    expect((await report(job, { state: "succeeded" }, `${job.id}:s1:9`)).status).toBe(
      "accepted_stale",
    );
    expect((await report(job, { state: "succeeded" }, job.command.command_id)).status).toBe(
      "accepted",
    );
  });

  test("a lease that runs out as its call is parked issues nothing again", async () => {
    let job: Begun | undefined;
    const world = shelf().open({
      clock: shelf().clock,
      wrap: ({ log }) => ({
        log: {
          ...log,
          expire: async (request) => {
            const rows = await log.expire(request);
            // Marked already, and the worker reports before anybody has acted on it.
            if (rows.length > 0 && job !== undefined)
              await job.worker.settle([parked(job.command)]);
            return rows;
          },
        },
      }),
    });
    job = await begun(world);
    await shelf().passLeases(world);
    expect((await world.events(job.id)).map(({ type }) => type)).toContain("wait.parked");
    expect((await world.events(job.id)).map(({ type }) => type)).not.toContain("command.reissued");
    expect(await problems(job)).toEqual([]);
  });

  test("a call that nobody answers ends when its time is over", async () => {
    const { clock } = shelf();
    const job = await begun(shelf().open({ clock }));
    await job.worker.settle([parked(job.command)]);
    await clock.advance(60_000);
    await shelf().sql?.query("update noetl.command set due_at = now(), held_until = now()");
    await job.world.control.sweep.sweepOnce();
    expect(await endOf(job)).toMatchObject({ output: { error: { kind: "timeout" } } });
  });

  test("a key that another call waits under fails the second one", async () => {
    const world = shelf().open();
    const text = chain("t/two", 1, container).replace(
      "- step: s1",
      "- step: s1\n  loop: {in: [1, 2], iterator: x, spec: {mode: parallel}}",
    );
    await world.register(text);
    const id = await world.start("t/two");
    const worker = handWorker(world.client);
    const commands = await worker.claim();
    expect(commands).toHaveLength(2);
    await worker.settle(commands.map((command) => parked(command, "same")));
    const types = (await world.events(id)).map(({ type }) => type);
    expect(types.filter((type) => type === "wait.parked")).toHaveLength(1);
    expect(types.filter((type) => type === "call.error")).toHaveLength(1);
  });
});
