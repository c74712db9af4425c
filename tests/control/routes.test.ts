// Every route of the contract over plain HTTP: a request that goes well, and each that is refused
// in the one shape of errors. The table must name every route, so that none is forgotten.

import { describe, expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import { requestBytesMax } from "#core/model/limits";
import { api } from "#core/wire/api";
import { onBothStores, onMemory, type Shelf, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";
import { routeCases } from "./route-cases.ts";
import { routeScene } from "./route-scene.ts";

type Send = (method: string, path: string, body?: unknown) => Promise<Response>;

const sendTo =
  ({ control }: World): Send =>
  (method, path, body) => {
    const hasBody = body !== undefined && method !== "GET";
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { "content-type": "application/json" };
    const init = { method, ...(hasBody ? { body: text, headers } : {}) };
    return control.fetch(new Request(`http://control${path}`, init));
  };

/** What the cases speak of, and a control plane that has it. */
async function scene(shelf: Shelf) {
  const data = { user: "ada" };
  const world = shelf.open({ credentials: [{ name: "db", type: "postgres", data }] });
  const { client } = world;
  const made = await routeScene({ person: client, machine: client, platform: client });
  return { ...made, world, id: executionId(made.named["$id"] ?? ""), send: sendTo(world) };
}

const problem = (code: string) => ({ error: { code, message: expect.any(String) } });

onBothStores((shelf) => {
  for (const [name, entry] of Object.entries(api)) {
    const cases = routeCases[name as keyof typeof api];
    describe(`${entry.method} ${entry.path}`, () => {
      test("answers a good request", async () => {
        const { send, fill } = await scene(shelf());
        const body = cases.body === undefined ? undefined : fill(cases.body);
        const answer = await send(entry.method, fill(cases.path), body);
        const value: unknown = await answer.json();
        expect(value).toMatchObject(fill(cases.answer) as object);
        const { status = 200 } = cases;
        expect(answer.status).toBe(status);
        if (status === 200) expect(entry.parts.answer.allows(value)).toBe(true);
      });

      test(`refuses ${cases.refused.length} bad ones, and nothing of ours breaks`, async () => {
        const { world, send, fill } = await scene(shelf());
        for (const refused of cases.refused) {
          const path = fill(refused.path ?? cases.path);
          const body = refused.body === undefined ? undefined : fill(refused.body);
          const answer = await send(entry.method, path, body);
          const told = {
            path,
            body,
            status: answer.status,
            value: (await answer.json()) as unknown,
          };
          const { status, code } = refused;
          expect(told).toMatchObject({ path, status, value: problem(code) });
        }
        expect(world.reports).toEqual([]);
      });
    });
  }

  test("executions are paged by the last id, and by number, newest first", async () => {
    const { world, send } = await scene(shelf());
    for (let count = 0; count < 5; count++) await world.start("t/routes");
    const ids: string[] = [];
    for (let before = ""; ; before = `&before=${ids.at(-1)}`) {
      const page = (await (await send("GET", `/api/executions?limit=3${before}`)).json()) as {
        readonly execution_id: string;
      }[];
      ids.push(...page.map(({ execution_id }) => execution_id));
      if (page.length < 3) break;
    }
    expect(ids).toHaveLength(8);
    expect(ids).toEqual([...ids].sort((a, b) => (BigInt(a) < BigInt(b) ? 1 : -1)));
    const second = await world.client.listExecutions({ query: { page: 2, page_size: 3 } });
    expect(second.map(({ execution_id }) => execution_id)).toEqual(ids.slice(3, 6));
  });

  test("events are paged by the last number, and by page, without a gap", async () => {
    const { world } = await scene(shelf());
    await world.register(chain("t/long", 5));
    const id = await world.start("t/long");
    await handWorker(world.client, "w3").drain();
    const { execution_id: long } = only(
      await world.client.listExecutions({ query: { path: "t/long" } }),
    );
    expect(long).toBe(id);
    const seqs: number[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: Awaited<ReturnType<typeof world.client.executionEvents>> =
        await world.client.executionEvents({ params: { id }, query: { after, limit: 4 } });
      seqs.push(...page.events.map(({ seq }) => seq));
      after = page.pagination.next_after;
    }
    expect(seqs).toEqual(Array.from({ length: (await world.events(id)).length }, (_, i) => i + 1));
    const third = await world.client.executionEvents({
      params: { id },
      query: { page: 3, page_size: 4 },
    });
    expect(third.events.map(({ seq }) => seq)).toEqual([9, 10, 11, 12]);
  });
});

onMemory((shelf) => {
  describe("ids", () => {
    test("come in as text or as numbers, which keep all their digits", async () => {
      const { send, id, command } = await scene(shelf());
      const asked = await send(
        "POST",
        "/api/context/render",
        `{"execution_id":${id},"template":"{{ execution_id }}"}`,
      );
      expect(await asked.json()).toMatchObject({ rendered: id });
      const started = await send("POST", "/api/execute", `{"catalog_id":${command.catalog_id}}`);
      expect(await started.json()).toMatchObject({ status: "started" });
    });

    test("go out as text", async () => {
      const { send, id, command } = await scene(shelf());
      const text = await (await send("GET", `/api/executions/${id}/events`)).text();
      for (const name of ["execution_id", "event_id", "catalog_id"]) {
        expect(text).toContain(`"${name}":"`);
        expect(text).not.toMatch(new RegExp(`"${name}":\\d`));
      }
      expect(command.catalog_id).toBeString();
    });

    test("are told apart from data: numbers in a payload stay numbers", async () => {
      const { send, world } = await scene(shelf());
      const payload =
        '{"big":1e300,"whole":100000000000000000000,"small":0.1,"id":382762519238791169}';
      const answer = await send("POST", "/api/execute", `{"path":"t/routes","payload":${payload}}`);
      const { execution_id: id } = (await answer.json()) as { readonly execution_id: never };
      const [started] = await world.events(id);
      expect(started).toMatchObject({
        workload: { big: 1e300, whole: 1e20, small: 0.1, id: "382762519238791169" },
      });
    });
  });

  test("the content type and the length of the host's name don't matter", async () => {
    const { world } = await scene(shelf());
    const types = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""];
    for (const [index, type] of types.entries()) {
      const address = `http${index % 2 === 0 ? "" : "s"}://${"api".slice(index % 3)}/api/execute`;
      const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
      const body = new TextEncoder().encode('{"path":"t/routes"}');
      const request = new Request(address, { method: "POST", body, headers });
      expect([address, type, (await world.control.fetch(request)).status]).toEqual([
        address,
        type,
        200,
      ]);
    }
  });

  describe("what is no request of the contract", () => {
    const odd: readonly (readonly [string, string])[] = [
      ["GET", "/api/nothing"],
      ["GET", "/"],
      ["POST", "/api/health"],
      ["DELETE", "/api/execute"],
      ["PATCH", "/api/executions"],
      ["GET", "/api/commands/claim"],
    ];
    for (const [method, path] of odd) {
      test(`${method} ${path} is not found, in the shape of every other error`, async () => {
        const { send } = await scene(shelf());
        const answer = await send(method, path);
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject(problem("not_found"));
      });
    }

    test("an address that can't be decoded is refused", async () => {
      const { send, world } = await scene(shelf());
      for (const path of ["/api/executions/%zz", "/api/executions?path=%ff%zz", "/api/vars/%/x"]) {
        const answer = await send("GET", path);
        expect(answer.status).toBeLessThan(500);
      }
      expect(world.reports).toEqual([]);
    });

    test("a body nested too deep is refused, and a long one that is not goes through", async () => {
      const { send } = await scene(shelf());
      const nested = (depth: number) =>
        `{"path":"t/routes","payload":{"deep":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
      expect((await send("POST", "/api/execute", nested(100_000))).status).toBe(422);
      expect((await send("POST", "/api/execute", nested(1_000))).status).toBe(200);
      const brackets = { path: "t/routes", payload: { text: `${"[{".repeat(5_000)}\\"` } };
      expect((await send("POST", "/api/execute", brackets)).status).toBe(200);
    });

    test("a refusal says what was expected where, and never what was sent", async () => {
      const { send } = await scene(shelf());
      const answer = await send("POST", "/api/execute", { path: "t/routes", payload: "hunter2" });
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({
        error: { code: "invalid", details: [{ path: ["payload"] }] },
      });
      expect(text).not.toContain("hunter2");
      const whole = await send("POST", "/api/execute", "3");
      expect(await whole.json()).toMatchObject({
        error: {
          message:
            "the body is not as expected: body: expected an object, found a value of type number",
          details: [{ path: [] }],
        },
      });
    });
  });

  describe("a body over the limit", () => {
    test("is refused by the length that it declares, before it is read", async () => {
      const { world } = await scene(shelf());
      let read = false;
      const body = new ReadableStream(
        {
          pull: (controller) => {
            read = true;
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const headers = { "content-length": String(requestBytesMax + 1) };
      const request = new Request("http://control/api/execute", { method: "POST", body, headers });
      const answer = await world.control.fetch(request);
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject(problem("too_large"));
      expect(read).toBe(false);
    });

    test("is refused without a length as soon as it is too long, and not read to its end", async () => {
      const { world } = await scene(shelf());
      const chunk = new Uint8Array(8 * 1_048_576).fill(0x20);
      let chunks = 0;
      const body = new ReadableStream(
        {
          pull: (controller) => {
            chunks++;
            controller.enqueue(chunk);
          },
        },
        { highWaterMark: 0 },
      );
      const request = new Request("http://control/api/execute", { method: "POST", body });
      const answer = await world.control.fetch(request);
      expect(answer.status).toBe(413);
      expect(chunks).toBeLessThanOrEqual(requestBytesMax / chunk.length + 3);
    });
  });

  test("a store that does not answer makes the health check fail with what may pass", async () => {
    const away = async () => {
      throw new Fault("unavailable", "the database did not answer");
    };
    const world = shelf().open({ wrap: ({ log }) => ({ log: { ...log, nextDueMs: away } }) });
    const answer = await sendTo(world)("GET", "/api/health");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await answer.json()).toMatchObject(problem("unavailable"));
  });

  test("a settled outcome is shown in the events by its step, and with its result", async () => {
    const { world, id, command } = await scene(shelf());
    await handWorker(world.client).settle([done(command, 5)]);
    const { events } = await world.client.executionEvents({ params: { id }, query: {} });
    expect(events.find(({ event_type }) => event_type === "call.done")).toMatchObject({
      node_name: "s1",
      command_id: command.command_id,
      worker_id: "w1",
      status: "COMPLETED",
      result: { status: "ok", context: { data: 5 } },
    });
  });
});
