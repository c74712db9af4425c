// A database whose disk is full, and one that takes two seconds for every answer: what clients are
// told, that workers keep their outcomes, and that all is there afterwards.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlSettings } from "#control/config";
import { type ControlProcess, startControlProcess } from "#control/main";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { readSettings } from "#core/adapters/configuration";
import { scratchPostgres } from "#scripts/scratch-postgres";
import { eventually } from "#tests/support/control";
import { cutProxy } from "#tests/support/cut-proxy";
import { startPostgres } from "#tests/support/postgres";
import { type SmallDisk, smallDisk } from "#tests/support/small-disk";
import { workerSettings } from "#worker/config";
import { startWorkerProcess } from "#worker/main";

const patienceMs = 120_000;
const slowMs = 2_000;
const diskMegabytes = 192;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Does not get smaller when it is stored. */
const noise = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");

/** An endpoint that lets calls wait until the test has seen enough, and gives much then. */
function slowEndpoint() {
  const calls: string[] = [];
  const released = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async ({ url }) => {
      calls.push(new URL(url).search);
      await released.promise;
      return Response.json({ noise: noise(20_000) });
    },
  });
  cleanups.push(() => server.stop(true));
  return { url: server.url.href, calls: () => calls.length, release: released.resolve };
}

const asking = (url: string): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: asks, path: t/asks}
workflow:
  - step: start
    tool: {kind: http, method: GET, url: "${url}?execution={{ execution_id }}"}
`;

const filling = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: fills, path: t/fills}
workload: {noise: ""}
workflow: [{step: start, tool: {kind: noop}}]
`;

interface House {
  readonly control: ControlProcess;
  readonly client: ApiClient;
  /** Outcomes that wait in the worker's spool. */
  spooled(): string;
}

async function startHouse(databaseUrl: string, url: string): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), "noetl-trouble-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const control = await startControlProcess({
    databaseUrl,
    settings: readSettings(controlSettings, {
      environment: { NOETL_PORT: "0", NOETL_ACCESS: "local" },
      file: {},
    }).values,
    version: "0.0.0-test",
    report: () => {},
  });
  cleanups.push(() => control.stop());
  const environment = { NOETL_SPOOL_DIRECTORY: folder, NOETL_STOP_GRACE_MS: "0" };
  const worker = startWorkerProcess({
    settings: readSettings(workerSettings, { environment, file: {} }).values,
    servers: [control.url],
    version: "0.0.0-test",
    report: () => {},
  });
  cleanups.push(() => worker.stop());
  const client = apiClient({ fetch: (request) => fetch(request), baseUrl: control.url });
  for (const content of [asking(url), filling]) {
    await client.registerCatalog({ body: { content } });
  }
  return {
    control,
    client,
    spooled: () =>
      readdirSync(folder)
        .map((name) => join(folder, name, "outcomes.jsonl"))
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, "utf8"))
        .join(""),
  };
}

const start = async ({ client }: House, path: string): Promise<string> =>
  (await client.execute({ body: { path } })).execution_id;

/** As a client that looks at the answer itself. */
const ask = ({ control }: House): Promise<Response> =>
  fetch(`${control.url}/api/execute`, {
    method: "POST",
    body: JSON.stringify({ path: "t/fills", workload: { noise: noise(16_000) } }),
  });

const ends = ({ client }: House, ids: readonly string[]) =>
  Promise.all(
    ids.map((id) =>
      eventually(async () => {
        const found = await client.executionStatus({ params: { id } }).catch(() => undefined);
        return found === undefined || found.status === "RUNNING" ? undefined : found.status;
      }),
    ),
  );

/** The attempts whose outcomes are in the log. */
const outcomesOf = async ({ client }: House, id: string): Promise<readonly unknown[]> => {
  const { events } = await client.executionEvents({ params: { id }, query: {} });
  return events.flatMap(({ event_type: type, attempt }) => (type === "call.done" ? [attempt] : []));
};

const disk: SmallDisk | undefined = smallDisk(diskMegabytes);
afterAll(() => disk?.remove());

describe("a database", () => {
  // A disk of the test's own is needed to fill it, and only root may mount one.
  test.skipIf(disk === undefined)(
    "whose disk is full makes clients try later and workers keep outcomes, and goes on with room",
    async () => {
      if (disk === undefined) return;
      const settings = ["fsync=off", "full_page_writes=off", "autovacuum=off", "min_wal_size=32MB"];
      const server = await scratchPostgres({ parent: join(disk.folder, "server"), settings });
      cleanups.push(() => server.stop());
      const endpoint = slowEndpoint();
      const house = await startHouse(server.url, endpoint.url);
      const ids = [await start(house, "t/asks"), await start(house, "t/asks")];
      await eventually(async () => (endpoint.calls() === ids.length ? true : undefined));

      disk.fill();
      const refusal = await eventually(async () => {
        const answer = await ask(house);
        if (answer.status === 503) return answer;
        expect(answer.status).toBe(200);
        ids.push(((await answer.json()) as { execution_id: string }).execution_id);
        return undefined;
      });
      expect(refusal.headers.get("retry-after")).toBe("1");
      expect(await refusal.json()).toMatchObject({ error: { code: "unavailable" } });
      endpoint.release();
      await eventually(async () => (house.spooled().includes(`${ids[0]}:`) ? true : undefined));
      expect((await house.client.executionStatus({ params: { id: ids[0] ?? "" } })).status).toBe(
        "RUNNING",
      );

      disk.clear();
      expect(new Set(await ends(house, ids))).toEqual(new Set(["COMPLETED"]));
      for (const id of ids) expect(await outcomesOf(house, id)).toEqual([1]);
      await eventually(async () => (house.spooled() === "" ? true : undefined));
      expect((await house.client.listExecutions({ query: {} })).length).toBe(ids.length);
    },
    patienceMs,
  );

  test(
    "that takes two seconds for every answer slows all down, and loses and doubles nothing",
    async () => {
      const server = await startPostgres();
      cleanups.push(() => server.stop());
      const proxy = await cutProxy(server);
      cleanups.push(() => proxy.close());
      const endpoint = slowEndpoint();
      const url = `postgres://${server.user}@127.0.0.1:${proxy.port}/${server.database}`;
      const house = await startHouse(url, endpoint.url);
      const ids = [await start(house, "t/asks")];
      await eventually(async () => (endpoint.calls() === 1 ? true : undefined));

      proxy.delay(slowMs);
      const answers = await Promise.all(Array.from({ length: 12 }, () => ask(house)));
      for (const answer of answers) {
        expect([200, 503]).toContain(answer.status);
        if (answer.status === 503) expect(answer.headers.get("retry-after")).toBe("1");
        else ids.push(((await answer.json()) as { execution_id: string }).execution_id);
      }
      expect(ids.length).toBeGreaterThan(1);
      endpoint.release();
      const [slowest] = await ends(house, ids.slice(0, 1));
      expect(slowest).toBe("COMPLETED");

      proxy.delay(0);
      expect(new Set(await ends(house, ids))).toEqual(new Set(["COMPLETED"]));
      for (const id of ids) expect(await outcomesOf(house, id)).toEqual([1]);
      expect(house.spooled()).toBe("");
    },
    patienceMs,
  );
});
