// Access between processes: a control plane over a real database that lets in who shows a token, a
// worker that shows that of the installation, and a person whom the command line has let in.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAdmin } from "#control/access/first-admin";
import { controlSettings } from "#control/config";
import { type ControlProcess, startControlProcess } from "#control/main";
import { openPostgres } from "#control/store/postgres";
import { sqlStores } from "#control/store/stores";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { readSettings } from "#core/adapters/configuration";
import { postgresWorld } from "#tests/contract/postgres-world";
import { chain } from "#tests/control/playbooks";
import { eventually } from "#tests/support/control";
import { workerSettings } from "#worker/config";
import { startWorkerProcess } from "#worker/main";

const postgres = postgresWorld();
const spool = mkdtempSync(join(tmpdir(), "noetl-access-"));
afterAll(() => rmSync(spool, { recursive: true, force: true }));

const internal = "internal-token-of-tests";

function control(
  databaseUrl: string,
  environment: Readonly<Record<string, string>>,
  told: string[] = [],
): Promise<ControlProcess> {
  const texts = { environment: { NOETL_PORT: "0", ...environment }, file: {} };
  return startControlProcess({
    databaseUrl,
    settings: readSettings(controlSettings, texts).values,
    version: "0.0.0-test",
    report: (message) => void told.push(message),
  });
}

function worker(server: string, environment: Readonly<Record<string, string>>, told: string[]) {
  const texts = { environment: { NOETL_SPOOL_DIRECTORY: spool, ...environment }, file: {} };
  return startWorkerProcess({
    settings: readSettings(workerSettings, texts).values,
    servers: [server],
    version: "0.0.0-test",
    report: (message) => void told.push(message),
  });
}

const clientOf = (baseUrl: string, token: string): ApiClient =>
  apiClient({
    fetch: (request) => fetch(request),
    baseUrl,
    headers: () => ({ authorization: `Bearer ${token}` }),
  });

test("without a token of the installation a control plane says what to set, and doesn't start", async () => {
  const databaseUrl = await postgres.newDatabase();
  const refused = control(databaseUrl, {}).catch((thrown: unknown) => thrown);
  expect(await refused).toMatchObject({ code: "invalid" });
  expect(String(await refused)).toContain("NOETL_INTERNAL_API_TOKEN");
  const told: string[] = [];
  const open = await control(databaseUrl, { NOETL_ACCESS: "open" }, told);
  expect(told.join()).toContain("NOETL_ACCESS=open");
  await open.stop();
}, 30_000);

test("a worker with the token runs what a person starts, and one without gets nothing", async () => {
  const databaseUrl = await postgres.newDatabase();
  const running = await control(databaseUrl, {
    NOETL_INTERNAL_API_TOKEN: `next-${internal},${internal}`,
  });
  const stores = sqlStores(openPostgres(databaseUrl, { connections: 1 }));
  const { token } = await createAdmin(stores, { email: "ada@example.org" });
  const second = createAdmin(stores, { email: "eve@example.org" });
  expect(await second.catch((thrown: unknown) => thrown)).toMatchObject({ code: "conflict" });
  const ada = clientOf(running.url, token);
  await ada.registerCatalog({ body: { content: chain("t/access", 2, "kind: noop") } });
  const { execution_id: id } = await ada.execute({ body: { path: "t/access" } });
  const told: string[] = [];
  const stranger = worker(running.url, {}, told);
  await eventually(async () => told.length > 0 || undefined);
  expect((await ada.getExecution({ params: { id } })).status).toBe("RUNNING");
  expect((await ada.listWorkers({ query: {} })).items).toEqual([]);
  await stranger.stop();
  const known = worker(running.url, { NOETL_INTERNAL_API_TOKEN: internal }, []);
  await eventually(async () => {
    const { status } = await ada.getExecution({ params: { id } });
    return status === "RUNNING" ? undefined : status;
  });
  expect((await ada.getExecution({ params: { id } })).status).toBe("COMPLETED");
  // What the worker may show lets nobody read.
  const machine = clientOf(running.url, internal).getExecution({ params: { id } });
  expect(await machine.catch((thrown: unknown) => thrown)).toMatchObject({ code: "forbidden" });
  await known.stop();
  await running.stop();
  await stores.close();
}, 60_000);
