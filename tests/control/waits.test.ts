// Durable waits on a control plane: rows that outlive processes, answers that count once, times that
// are over while nobody looks.

import { expect, test } from "bun:test";
import { rebuildExecution } from "#control/services/rebuild";
import { verifyExecution } from "#control/services/verify";
import { earlyAnswersMax, waitMsMax } from "#core/model/flow-limits";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { inlineBytesMax, leaseMs } from "#core/model/limits";
import { eventually, onBothStores, type Shelf, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";

const playbook = (path: string, fields: string, more = ""): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${path.replace(/\W/g, "_")}, path: ${path}}
workflow:
- step: hold
  ${more}
  tool: {kind: wait, ${fields}}
  next: {arcs: [{step: after}]}
- step: after
  tool: {kind: noop, message: "{{ hold }}"}`;

async function waiting(world: World, fields: string, more = ""): Promise<ExecutionId> {
  await world.register(playbook("t/wait", fields, more));
  return world.start("t/wait");
}

const answer = (world: World, id: ExecutionId, key: string, body: object = {}) =>
  world.client.callback({ params: { id, key }, query: {}, body });

const statusOf = async (...asked: Parameters<typeof answer>): Promise<string> =>
  (await answer(...asked)).status;

/** What the step behind the wait is given; its worker lets the execution end. */
async function shown(world: World, id: ExecutionId): Promise<unknown> {
  const worker = handWorker(world.client);
  const command = await eventually(async () => {
    const commands = await worker.claim();
    return commands.length > 0 ? only(commands) : undefined;
  });
  await worker.settle([done(command)]);
  expect(await world.ended(id)).toBe("completed");
  return command.tasks[0]?.config["message"];
}

/** The rows that wait for a time are due from now on. */
async function passTime(shelf: Shelf, ms: number): Promise<void> {
  await shelf.clock.advance(ms);
  await shelf.sql?.query("update noetl.command set due_at = now(), held_until = now()");
}

const typesOf = async (world: World, id: ExecutionId): Promise<readonly string[]> =>
  (await world.events(id)).map(({ type }) => type);

const rowsOf = async (world: World, id: ExecutionId): Promise<readonly (readonly string[])[]> =>
  (await world.stores.log.openRows(id, 100)).map(({ row }) => [row.kind, row.commandId]);

const problemsOf = async (world: World, id: ExecutionId) => {
  const { context } = world.control.executions;
  return (await verifyExecution(context, id)).problems;
};

onBothStores((shelf) => {
  test("a timer holds no worker, and ends a little after its time", async () => {
    const world = shelf().open({ clock: shelf().clock });
    const id = await waiting(world, "for: timer, seconds: 20");
    expect(await handWorker(world.client).claim()).toEqual([]);
    expect(await rowsOf(world, id)).toEqual([["timer", `${id}:hold:1`]]);
    expect(await problemsOf(world, id)).toEqual([]);
    await passTime(shelf(), 20_000);
    await world.control.sweep.sweepOnce();
    expect(await shown(world, id)).toMatchObject({ waited_ms: expect.any(Number) });
    expect(await typesOf(world, id)).toContain("wait.done");
    expect(await rowsOf(world, id)).toEqual([]);
    expect(await world.problems(id)).toEqual([]);
  });

  test("a timer of ten years has a row like any other", async () => {
    const world = shelf().open();
    const id = await waiting(world, `for: timer, seconds: ${waitMsMax / 1_000}`);
    const [row] = await world.stores.log.openRows(id, 1);
    expect((row?.dueInMs ?? 0) / waitMsMax).toBeCloseTo(1, 3);
    await world.control.sweep.sweepOnce();
    expect(await rowsOf(world, id)).toHaveLength(1);
    expect(await problemsOf(world, id)).toEqual([]);
  });

  test("a time that is over while no control plane runs ends the wait of the next one", async () => {
    const { clock } = shelf();
    const before = shelf().open({ clock });
    const id = await waiting(before, "for: callback, timeout_s: 60");
    await before.control.stop();
    await passTime(shelf(), 61_000);
    const world = before.another({ clock });
    await world.control.sweep.sweepOnce();
    expect(await world.ended(id)).toBe("failed");
    expect((await world.client.getExecution({ params: { id } })).error).toContain(
      "no callback came",
    );
    expect(await world.problems(id)).toEqual([]);
    expect(await statusOf(world, id, "hold:1")).toBe("accepted_stale");
  });

  test("an answer ends the wait with its data, and a second one changes nothing", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: callback, key: order-7, timeout_s: 60");
    expect(await statusOf(world, id, "order-7", { data: { paid: 12 } })).toBe("accepted");
    expect(await statusOf(world, id, "order-7", { data: { paid: 13 } })).toBe("duplicate");
    expect(await rowsOf(world, id)).toEqual([["tool", `${id}:after:1`]]);
    expect(await shown(world, id)).toEqual({ paid: 12 });
    expect(await statusOf(world, id, "order-7")).toBe("accepted_stale");
    expect((await typesOf(world, id)).filter((type) => type === "wait.done")).toHaveLength(1);
  });

  test("an answer that comes first is kept for the wait", async () => {
    const world = shelf().open();
    const text = playbook("t/wait", "for: callback, key: k").replace(
      "workflow:",
      "workflow:\n- step: start\n  tool: {kind: noop}\n  next: {arcs: [{step: hold}]}",
    );
    await world.register(text);
    const id = await world.start("t/wait");
    expect(await statusOf(world, id, "k", { data: [1] })).toBe("accepted");
    expect(await statusOf(world, id, "k", { data: [2] })).toBe("duplicate");
    const worker = handWorker(world.client);
    await worker.settle((await worker.claim()).map((command) => done(command)));
    expect(await shown(world, id)).toEqual([1]);
    expect(await world.problems(id)).toEqual([]);
  });

  test("two replicas that are told at once record one answer", async () => {
    const world = shelf().open();
    const other = world.another();
    const id = await waiting(world, "for: callback, key: k");
    const told = await Promise.all(
      [world, other, world, other].map((one, n) => statusOf(one, id, "k", { data: n })),
    );
    expect(told.filter((status) => status === "accepted")).toHaveLength(1);
    expect(told.filter((status) => status === "duplicate")).toHaveLength(3);
    expect(await shown(world, id)).toBe(told.indexOf("accepted"));
  });

  test("a callback of a failure fails the step with what it says", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: callback, key: k");
    const error = { code: "declined", message: "no money" };
    expect(await statusOf(world, id, "k", { status: "failed", error })).toBe("accepted");
    expect(await world.ended(id)).toBe("failed");
    expect((await world.client.getExecution({ params: { id } })).error).toContain("no money");
  });

  test("a callback answers neither a signal nor an approval, also not ahead of time", async () => {
    for (const kind of ["signal", "approval"]) {
      const world = shelf().open();
      const path = `t/${kind}`;
      const text = playbook(path, `for: ${kind}, key: k`).replace(
        "workflow:",
        "workflow:\n- step: start\n  tool: {kind: noop}\n  next: {arcs: [{step: hold}]}",
      );
      await world.register(text);
      const id = await world.start(path);
      expect(await statusOf(world, id, "k", { data: 1 })).toBe("accepted");
      const worker = handWorker(world.client);
      await worker.settle((await worker.claim()).map((command) => done(command)));
      expect(await typesOf(world, id)).not.toContain("call.error");
      await expect(answer(world, id, "k", { data: 1 })).rejects.toMatchObject({ code: "conflict" });
      const types = await typesOf(world, id);
      expect(types.filter((type) => type === "call.done")).toHaveLength(1);
      expect(await problemsOf(world, id)).toEqual([]);
    }
  });

  test("more early answers than are kept are refused, and none is lost", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: callback, key: mine");
    for (let n = 0; n < earlyAnswersMax; n += 100) {
      const keys = Array.from({ length: 100 }, (_, index) => `other-${n + index}`);
      expect(await Promise.all(keys.map((key) => statusOf(world, id, key)))).toEqual(
        keys.map(() => "accepted"),
      );
    }
    await expect(answer(world, id, "one-more")).rejects.toMatchObject({ code: "limited" });
    expect(await statusOf(world, id, "other-0")).toBe("duplicate");
    expect(await statusOf(world, id, "mine", { data: 1 })).toBe("accepted");
    expect(await shown(world, id)).toBe(1);
  });

  test("a large answer is stored, and read by whoever needs it", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: callback, key: k");
    const data: Json = { text: "x".repeat(inlineBytesMax + 1) };
    await answer(world, id, "k", { data });
    expect(await shown(world, id)).toEqual(data);
  });

  test("nobody answers an execution that is not there", async () => {
    const world = shelf().open();
    const unknown = "382775374263619584" as ExecutionId;
    await expect(answer(world, unknown, "k")).rejects.toMatchObject({ code: "not_found" });
  });

  test("a cancelled execution waits for nothing", async () => {
    const world = shelf().open();
    const id = await waiting(world, "for: callback, key: k, timeout_s: 60");
    await world.client.cancelExecution({ params: { id }, body: {} });
    expect((await rowsOf(world, id)).map(([kind]) => kind)).not.toContain("timer");
    expect(await statusOf(world, id, "k")).toBe("accepted_stale");
    expect(await problemsOf(world, id)).toEqual([]);
  });

  test("a rebuild makes the rows of waits anew", async () => {
    const world = shelf().open();
    const loop = "loop: {in: [1, 2], iterator: x, spec: {mode: parallel}}";
    const id = await waiting(world, "for: callback, timeout_s: 3600", loop);
    const before = await rowsOf(world, id);
    expect(before.map(([kind]) => kind)).toEqual(["timer", "timer"]);
    const { log, repair } = world.stores;
    const head = await log.head(id);
    if (head === undefined) throw new Error("expected a head");
    const { row, seq, digest } = head;
    await repair.repair({ row, head: seq, digest, found: { seq, digest }, rows: [], leaseMs });
    expect(await rowsOf(world, id)).toEqual([]);
    expect(await problemsOf(world, id)).toHaveLength(2);
    const { context } = world.control.executions;
    await rebuildExecution(context, id, { projections: false, repair: true });
    expect(await rowsOf(world, id)).toEqual(before);
    expect(await problemsOf(world, id)).toEqual([]);
  });

  test("why says what is waited for, and for how long", async () => {
    const world = shelf().open({ clock: shelf().clock });
    const id = await waiting(world, "for: approval, key: plan, timeout_s: 8000");
    const why = await world.client.why({ params: { id }, query: {} });
    expect(why.waiting).toMatchObject([
      { state: "wait", holds: [{ code: "wait", details: { key: "plan", for: "approval" } }] },
    ]);
    expect(why.text.join("\n")).toContain(
      "it waits for an approval under the key plan, 2 h at most",
    );
  });
});
