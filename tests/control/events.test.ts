// Events from outside: outcomes from who holds the lease, events of the caller's own, batches that
// may come again.

import { describe, expect, test } from "bun:test";
import { machinePrincipal } from "#core/model/access";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { onBothStores, type World } from "#tests/support/control";
import { handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const path = "t/events";

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly retryAfter: string | null;
}

async function send(
  { control }: Pick<World, "control">,
  [method, place, body]: readonly [string, string, unknown?],
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await control.fetch(
    new Request(`http://control${place}`, { method, headers, ...text }),
  );
  const retryAfter = answer.headers.get("retry-after");
  return { status: answer.status, body: (await answer.json()) as JsonObject, retryAfter };
}

async function scene(world: World) {
  await world.register(chain(path, 2));
  const id = await world.start(path);
  const command = only(await handWorker(world.client, "w1").claim());
  const post = (body: object) =>
    send(world, ["POST", "/api/events", { execution_id: id, ...body }]);
  return { id, command, post };
}

const eventIdOf = async (world: World, id: ExecutionId, type: string) =>
  (await world.events(id)).find((event) => event.type === type)?.event_id;

onBothStores((shelf) => {
  describe("an outcome that comes as an event", () => {
    const dialects: readonly (readonly [string, (command: string) => object])[] = [
      [
        "of one dialect",
        (command) => ({
          name: "call.done",
          step: "s1",
          worker_id: "w1",
          payload: { command_id: command, result: { status: "COMPLETED", context: { sum: 3 } } },
        }),
      ],
      [
        "of the other dialect",
        (command) => ({
          event_type: "call_done",
          node_name: "s1",
          meta: { command_id: command, attempt: 1 },
          context: { worker_id: "w1", data: { sum: 3 } },
          duration: 0.5,
        }),
      ],
    ];
    for (const [name, body] of dialects) {
      test(`${name} settles its command once, and the execution goes on`, async () => {
        const world = shelf().open();
        const { id, command, post } = await scene(world);
        const first = await post(body(command.command_id));
        expect(first.body).toEqual({
          status: "ok",
          event_id: (await eventIdOf(world, id, "call.done")) ?? "",
          commands_generated: 1,
        });
        const again = await post({ ...body(command.command_id), name: "command.completed" });
        expect(again.body).toEqual({ ...first.body, commands_generated: 0 });
        const settled = (await world.events(id)).filter(({ type }) => type === "call.done");
        expect(settled).toMatchObject([
          { output: { status: "ok", data: { sum: 3 } }, worker: "w1" },
        ]);
        expect(await world.problems(id)).toEqual([]);
      });
    }

    test("may name its command by the event that issued it", async () => {
      const world = shelf().open();
      const { id, post } = await scene(world);
      const issued = await eventIdOf(world, id, "command.issued");
      const body = {
        name: "call.error",
        worker_id: "w1",
        payload: { command_id: issued, error: "no" },
      };
      const first = await post(body);
      expect(first.status).toBe(200);
      expect((await world.events(id)).find(({ type }) => type === "call.error")).toMatchObject({
        output: { status: "error", error: { message: "no" } },
      });
      expect((await post(body)).body.event_id).toBe(first.body.event_id ?? "");
      expect(await world.ended(id)).toBe("failed");
    });

    test("counts only from who holds the lease", async () => {
      const world = shelf().open();
      const { id, command, post } = await scene(world);
      const body = { name: "call.done", payload: { command_id: command.command_id } };
      const stranger = await post({ ...body, worker_id: "w2" });
      expect([stranger.status, stranger.body]).toMatchObject([
        409,
        { error: { details: { code: "active_claim" } } },
      ]);
      expect(await eventIdOf(world, id, "call.done")).toBeUndefined();
    });

    test("may stand for a stored result, which has to be the execution's own", async () => {
      const world = shelf().open();
      const { id, command, post } = await scene(world);
      const stored = await world.client.putResult({
        params: { id },
        body: { name: "s1", data: [7] },
      });
      const body = (ref: string) => ({
        name: "call.done",
        worker_id: "w1",
        payload: {
          command_id: command.command_id,
          result: { status: "ok", reference: { ref, meta: { bytes: 3 } }, context: { rows: 1 } },
        },
      });
      expect((await post(body(`noetl://execution/${id}/result/s1/00`))).status).toBe(422);
      expect((await post(body("noetl://execution/12/event/1"))).status).toBe(422);
      expect((await post(body(stored.ref))).status).toBe(200);
      const shown = await world.client.resolveResult({ query: { ref: stored.ref } });
      expect(shown).toEqual([7]);
    });
  });

  test("what only says how far a worker has come leaves nothing in the log", async () => {
    const world = shelf().open();
    const { id, command, post } = await scene(world);
    const before = (await world.events(id)).length;
    const names = [
      "command.claimed",
      "command_started",
      "command.heartbeat",
      "step.enter",
      "loop.item",
    ];
    for (const name of [...names, "frame.started", "batch.accepted", "playbook.initialized"]) {
      const told = await post({ name, worker_id: "w1", command_id: command.command_id });
      expect([name, told.body]).toEqual([
        name,
        { status: "ok", event_id: "0", commands_generated: 0 },
      ]);
    }
    expect((await world.events(id)).length).toBe(before);
    const lost = await post({
      name: "command.heartbeat",
      worker_id: "w2",
      command_id: command.command_id,
    });
    expect(lost.status).toBe(409);
  });

  test("a name of the caller's own becomes an event of the log", async () => {
    const world = shelf().open();
    const { id, post } = await scene(world);
    const told = await post({ name: "calendar.event.touched", step: "s1", payload: { day: 1 } });
    const event = (await world.events(id)).find(({ type }) => type === "event.emitted");
    expect(event).toMatchObject({ name: "calendar.event.touched", step: "s1", data: { day: 1 } });
    expect(told.body.event_id).toBe(event?.event_id ?? "");
    await handWorker(world.client, "w1").settle([]);
    expect(await world.problems(id)).toEqual([]);
  });

  test("a cancellation is for people: a machine is refused", async () => {
    const world = shelf().open();
    const { id, post } = await scene(world);
    const body = { execution_id: id, name: "playbook_cancelled", payload: { reason: "enough" } };
    const machine = world.control.fetchAs(machinePrincipal("m1"));
    const init = { method: "POST", body: JSON.stringify(body) };
    expect((await machine(new Request("http://control/api/events", init))).status).toBe(403);
    expect((await post(body)).status).toBe(200);
    expect(await world.ended(id)).toBe("cancelled");
    const [last] = (await world.events(id)).slice(-1);
    expect(last).toMatchObject({ reason: "enough", by: "local" });
  });

  describe("a batch", () => {
    test("is recorded in order, and told again under its key", async () => {
      const world = shelf().open();
      const { id, command } = await scene(world);
      const events = [
        { name: "command.started", command_id: command.command_id },
        { name: "app.note", payload: { n: 1 } },
        { name: "call.done", payload: { command_id: command.command_id, data: 5 } },
        { name: "app.note", payload: { n: 2 } },
      ];
      const body = { execution_id: id, worker_id: "w1", events };
      const key = { "idempotency-key": "b1" };
      const first = await send(world, ["POST", "/api/events/batch", body], key);
      expect(first.status).toBe(202);
      expect(first.body).toMatchObject({
        status: "accepted",
        duplicate: false,
        commands_generated: 1,
      });
      const again = await send(world, ["POST", "/api/events/batch", body], key);
      expect(again.body).toEqual({ ...first.body, duplicate: true, commands_generated: 0 });
      const emitted = (await world.events(id)).filter(({ type }) => type === "event.emitted");
      expect(emitted).toMatchObject([{ data: { n: 1 } }, { data: { n: 2 } }]);
      const place = `/api/events/batch/${first.body.request_id}`;
      const told = await send(world, ["GET", `${place}/status`]);
      expect(told.body).toEqual({
        request_id: first.body.request_id ?? "",
        execution_id: id,
        state: "completed",
        status: "completed",
        event_ids: first.body.event_ids ?? [],
        idempotency_key: "b1",
      });
      const stream = await world.control.fetch(
        new Request(`http://control${place}/stream`, { headers: { accept: "text/event-stream" } }),
      );
      expect(await stream.text()).toBe(`event: status\ndata: ${JSON.stringify(told.body)}\n\n`);
      const fresh = await send(world, ["POST", "/api/events/batch", { ...body, events: [] }]);
      expect(fresh.body).toMatchObject({ duplicate: false, event_ids: [] });
    });

    test("that is cut short is gone on with, and outcomes count once", async () => {
      const world = shelf().open();
      const { id, command } = await scene(world);
      const outcome = { name: "call.done", payload: { command_id: command.command_id, data: 5 } };
      const lost = { name: "command.heartbeat", worker_id: "w2", command_id: `${id}:s2:1` };
      const key = { "x-idempotency-key": "b2" };
      const body = { execution_id: id, worker_id: "w1", events: [outcome, lost] };
      await handWorker(world.client, "w3").claim(0);
      const cut = await send(world, ["POST", "/api/events/batch", { ...body }], key);
      expect(cut.status).toBe(409);
      expect(cut.body).toMatchObject({ error: { details: { index: 1 } } });
      await handWorker(world.client, "w2").claim();
      const whole = await send(world, ["POST", "/api/events/batch", body], key);
      expect(whole.status).toBe(202);
      const settled = (await world.events(id)).filter(({ type }) => type === "call.done");
      expect(settled).toHaveLength(1);
    });
  });

  describe("a command by its id", () => {
    test("is shown and leased, also by the event that issued it", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const id = await world.start(path);
      const issued = await eventIdOf(world, id, "command.issued");
      for (const name of [issued, `${id}:s1:1`]) {
        const shown = await send(world, ["GET", `/api/commands/${name}`]);
        expect(shown.body).toMatchObject({
          execution_id: id,
          node_name: "s1",
          action: "noop",
          context: { tool_config: { kind: "noop" } },
          meta: { command_id: `${id}:s1:1`, event_id: issued ?? "" },
        });
      }
      const claim = (worker: string, name = issued) =>
        send(world, ["POST", `/api/commands/${name}/claim`, { worker_id: worker }]);
      expect((await claim("w1")).body).toMatchObject({ status: "ok", event_id: issued ?? "" });
      expect((await claim("w1", `${id}:s1:1` as typeof issued)).status).toBe(200);
      const other = await claim("w2");
      expect([other.status, other.retryAfter]).toEqual([409, "2"]);
      expect(await handWorker(world.client, "w3").claim()).toEqual([]);
      await handWorker(world.client, "w1").settle([
        { command_id: `${id}:s1:1`, attempt: 1, output: { status: "ok" }, duration_ms: 1 },
      ]);
      const ended = await claim("w1", `${id}:s1:1` as typeof issued);
      expect([ended.status, ended.body]).toMatchObject([
        409,
        { error: { details: { code: "already_terminal" } } },
      ]);
      expect((await claim("w1")).status).toBe(404);
    });

    test("is not to be had out of turn where a rule speaks of it", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const id = await world.start(path);
      await world.client.putRule({ params: { key: "pool:default" }, body: { max_running: 5 } });
      const asked = ["POST", `/api/commands/${id}:s1:1/claim`, { worker_id: "w1" }] as const;
      expect((await send(world, asked)).status).toBe(409);
      await world.client.deleteRule({ params: { key: "pool:default" } });
      expect((await send(world, asked)).status).toBe(200);
    });
  });
});
