// What the control plane of the edge does on every runtime it is made for: executions run from the
// first request to their end, with a real worker on this machine, a real PostgreSQL behind a proxy
// that speaks as Neon does, and a real NATS that is reached over WebSocket.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createAdmin } from "#control/access/first-admin";
import { migrate } from "#control/store/migrate";
import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { natsBus } from "#core/adapters/nats-bus";
import { systemClock } from "#core/adapters/system-clock";
import { verifyLog } from "#core/engine/verify";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { Bus } from "#core/ports/bus";
import type { Stores } from "#core/ports/stores";
import { allCommandHints, executionUpdate } from "#core/wire/subjects";
import { buildEdge } from "#scripts/build-edge";
import { type NeonProxy, startNeonProxy } from "#scripts/neon-proxy";
import { chain, loop, parent, parentLoop } from "#tests/control/playbooks";
import { eventually, sha256 } from "#tests/support/control";
import type { EdgeProcess, EdgeRuntime } from "#tests/support/edge";
import { done, handWorker } from "#tests/support/hand-worker";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { startWorker, type Worker } from "#worker/loop";
import { builtinTools } from "#worker/registry";

/** Everything that stands around the edge, opened once for a file. */
interface Surroundings {
  readonly postgres: ScratchPostgres;
  readonly proxy: NeonProxy;
  readonly nats: ScratchNats;
  readonly bus: Bus;
  readonly sql: Sql;
  readonly stores: Stores;
  readonly edge: EdgeProcess;
  /** Who runs the installation, and a worker: each lets in by a token of its own. */
  readonly client: ApiClient;
  readonly workerClient: ApiClient;
  /** What the client shows. */
  readonly token: string;
}

const password = "not-to-be-shown";
const internalToken = "internal-token-of-tests";

async function openSurroundings(runtime: EdgeRuntime): Promise<Surroundings> {
  const [postgres, nats, build] = await Promise.all([
    startPostgres(),
    startNats({ webSocket: true }),
    buildEdge(),
  ]);
  const proxy = startNeonProxy({ postgresUrl: postgres.url });
  const sql = openPostgres(postgres.url);
  await migrate(sql);
  const databaseUrl = new URL(postgres.url);
  databaseUrl.password = password;
  const edge = await runtime.start(build[runtime.build], {
    DATABASE_URL: databaseUrl.href,
    NOETL_NEON_ENDPOINT: proxy.fetchEndpoint,
    NATS_URL: nats.wsUrl ?? "",
    NOETL_INTERNAL_API_TOKEN: internalToken,
  });
  const stores = sqlStores(sql);
  const { token } = await createAdmin(stores, { email: "ada@example.org" });
  const as = (shown: string): ApiClient =>
    apiClient({
      fetch: (request) => fetch(request),
      baseUrl: edge.url,
      headers: () => ({ authorization: `Bearer ${shown}` }),
    });
  const [client, workerClient] = [as(token), as(internalToken)];
  const bus = natsBus({ servers: nats.url, name: "edge-test" });
  return { postgres, proxy, nats, bus, sql, stores, edge, client, workerClient, token };
}

async function closeSurroundings(opened: Surroundings): Promise<void> {
  await opened.edge.stop();
  await opened.bus.close();
  await opened.sql.close();
  await opened.proxy.stop();
  await Promise.all([opened.nats.stop(), opened.postgres.stop()]);
}

export function edgeControlRuns(runtime: EdgeRuntime): void {
  describe(`the control plane on ${runtime.name}`, () => {
    let opened: Surroundings | undefined;
    const around = (): Surroundings => {
      if (opened === undefined) throw new Error("expected the hooks to have run");
      return opened;
    };
    beforeAll(async () => {
      opened = await openSurroundings(runtime);
    }, 60_000);
    afterAll(async () => {
      if (opened !== undefined) await closeSurroundings(opened);
    });

    const register = (content: string) => around().client.registerCatalog({ body: { content } });
    const start = async (path: string, workload: JsonObject = {}): Promise<ExecutionId> => {
      const started = await around().client.execute({ body: { path, payload: { ...workload } } });
      return executionId(started.execution_id);
    };
    const ended = (id: ExecutionId): Promise<string> =>
      eventually(async () => {
        await Bun.sleep(20);
        const status = (await around().stores.log.head(id))?.row.status;
        return status === "running" ? undefined : status;
      });
    const problems = async (id: ExecutionId): Promise<readonly string[]> =>
      verifyLog(id, await around().stores.log.events(id, 0, 10_000), sha256).problems;

    const withWorker = async (use: () => Promise<void>, bus?: Bus): Promise<void> => {
      const tools = builtinTools();
      const worker: Worker = startWorker({
        control: httpControl(around().workerClient),
        ...(bus === undefined ? {} : { bus }),
        clock: systemClock(),
        tools,
        workerId: `edge-${crypto.randomUUID()}`,
        pools: ["default"],
        slots: 16,
        policy: { shell: false, fileRoots: [] },
      });
      try {
        await use();
      } finally {
        await worker.stop({ graceMs: 0 });
        await tools.close();
      }
    };

    test("is well, and says its version", async () => {
      expect(await around().client.health(undefined)).toMatchObject({ status: "ok" });
    });

    test("answers what isn't there with a problem", async () => {
      const known = around().client.getExecution({ params: { id: "1" } });
      expect(await known.catch((fault: unknown) => fault)).toMatchObject({ code: "not_found" });
    });

    test("lets in nobody who shows no token", async () => {
      const reply = await fetch(`${around().edge.url}/api/executions/1`);
      expect(reply.status).toBe(401);
      expect(await reply.json()).toMatchObject({ error: { code: "unauthenticated" } });
    });

    test("a playbook runs to its end: steps, a loop, a tool of the worker, a child", async () => {
      await register(chain("edge/leaf", 2, "kind: noop, message: '{{ who }}'"));
      await register(loop("edge/loop", 8));
      await register(parent("edge/top", "edge/leaf"));
      await register(chain("edge/code", 1, "kind: javascript, code: 'return 6 * 7'"));
      await withWorker(async () => {
        const ids = await Promise.all([
          start("edge/loop", { items: Array.from({ length: 30 }, (_, n) => n) }),
          start("edge/top", { who: "Ada" }),
          start("edge/code"),
        ]);
        expect(await Promise.all(ids.map(ended))).toEqual(["completed", "completed", "completed"]);
        expect(await Promise.all(ids.map(problems))).toEqual([[], [], []]);
        const view = await around().client.getExecution({ params: { id: ids[2] } });
        expect(view).toMatchObject({ status: "COMPLETED", result: 42 });
      });
    }, 60_000);

    test("many requests at once, to one execution and to many, all get their answers", async () => {
      await register(chain("edge/leaf", 2, "kind: noop, message: '{{ who }}'"));
      await register(parentLoop("edge/many", "edge/leaf"));
      await withWorker(async () => {
        const several = Array.from({ length: 6 }, () =>
          start("edge/many", { items: [1, 2, 3, 4] }),
        );
        const ids = await Promise.all(several);
        const looks = ids.flatMap((id) =>
          Array.from({ length: 4 }, () => around().client.getExecution({ params: { id } })),
        );
        expect((await Promise.all(looks)).every(({ path }) => path === "edge/many")).toBe(true);
        expect(new Set(await Promise.all(ids.map(ended)))).toEqual(new Set(["completed"]));
        expect((await Promise.all(ids.map(problems))).flat()).toEqual([]);
      });
    }, 60_000);

    test("live messages and hints go out over WebSocket", async () => {
      const { bus } = around();
      await register(chain("edge/told", 2));
      const heard: string[] = [];
      const live = bus.subscribe("playbooks.executions.>", ({ subject }) => {
        heard.push(subject);
      });
      const hints: string[] = [];
      const hinted = bus.subscribe(allCommandHints, ({ data }) => void hints.push(data));
      await withWorker(async () => {
        const id = await start("edge/told");
        expect(await ended(id)).toBe("completed");
        const last = executionUpdate(id, "playbook.completed");
        await eventually(async () => heard.includes(last) || undefined);
        expect(heard).toContain(executionUpdate(id, "step.exit"));
        const told = await eventually(async () => hints.find((hint) => hint.includes(id)));
        expect(JSON.parse(told)).toMatchObject({ execution_id: id, step: "s1", attempt: 1 });
      }, bus);
      live.close();
      hinted.close();
    }, 60_000);

    test("without NATS everything goes on, and the messages are given up", async () => {
      const { nats } = around();
      await nats.kill();
      await register(chain("edge/silent", 2));
      await withWorker(async () => {
        expect(await ended(await start("edge/silent"))).toBe("completed");
      });
      await nats.start();
      await eventually(
        async () => around().edge.output().includes("no messages over") || undefined,
      );
    }, 60_000);

    test("what was stored while its reply got lost is recorded once", async () => {
      const { proxy, stores, client } = around();
      await register(chain("edge/lossy", 4));
      const worker = handWorker(client);
      proxy.loseReplyOnce("insert into noetl.event ");
      const id = await start("edge/lossy");
      let commands = await worker.claim();
      while (commands.length > 0) {
        proxy.loseReplyOnce("insert into noetl.event ");
        commands = (
          await worker.settle(
            commands.map((command) => done(command)),
            1,
          )
        ).commands;
      }
      expect(await ended(id)).toBe("completed");
      expect(await problems(id)).toEqual([]);
      const events = await stores.log.events(id, 0, 1_000);
      expect(events.filter(({ event }) => event.type === "call.done")).toHaveLength(4);
    }, 60_000);

    test("a lease that ran out is noticed: by the cron call, or after a request", async () => {
      const { edge, sql, client } = around();
      await register(chain("edge/left", 1));
      const id = await start("edge/left");
      const [command] = await httpControl(client).claim({
        worker: "gone",
        pools: ["default"],
        want: 1,
      });
      expect(command?.execution_id).toBe(id);
      // As if the worker had died long ago, and sweeps had gone on since.
      await sql.query("update noetl.command set lease_until = now() - interval '1 hour'");
      await sql.query("update noetl.liveness set live_since = '-infinity', swept_at = now()");
      await edge.cron?.();
      await eventually(async () => {
        const events = await around().stores.log.events(id, 0, 1_000);
        if (events.some(({ event }) => event.type === "command.reissued")) return true;
        if (edge.cron !== undefined) throw new Error("the cron call did not see it");
        await Bun.sleep(50);
        await client.health(undefined);
        return undefined;
      });
    }, 60_000);

    test("a stream of an execution's lines goes on after the reply has begun, to its end", async () => {
      await register(chain("edge/streamed", 1));
      const id = await start("edge/streamed");
      const reply = await fetch(`${around().edge.url}/api/executions/${id}/logs?follow=true`, {
        headers: { accept: "text/event-stream", authorization: `Bearer ${around().token}` },
      });
      expect(reply.headers.get("content-type")).toContain("text/event-stream");
      await withWorker(async () => {
        expect(await reply.text()).toContain('"completed"');
      });
    }, 60_000);

    test("ids are minted with machine ids that the database has leased to the edge", async () => {
      const { sql, client } = around();
      const held = await sql.query<{ machine_id: number }>(
        "select machine_id from noetl.machine where holder like 'edge-%'",
      );
      const machines = new Set(held.map(({ machine_id }) => machine_id));
      const executions = await client.listExecutions({ query: {} });
      expect(executions.length).toBeGreaterThan(5);
      for (const { execution_id } of executions) {
        expect(machines).toContain(Number((BigInt(execution_id) >> 12n) & 1023n));
      }
    });

    test("nothing that the process writes shows a password", () => {
      expect(around().edge.output()).not.toContain(password);
    });
  });
}
