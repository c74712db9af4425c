// Every command of the files for containers, run with the built binary and without an engine: what
// the services are started with, how they are asked whether they are well, and how they are stopped.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openPostgres } from "#control/store/postgres";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { freePort } from "#scripts/free-port";
import { natsServer, postgresBin } from "#scripts/system-packages";
import { binaryTestMs, builtBinary } from "#tests/binary/binary";
import { type Ended, type Running, startNoetl, type Workplace, workplace } from "#tests/cli/noetl";
import { type ScratchPostgres, startPostgres } from "#tests/support/postgres";
import { contained } from "./contained.ts";
import { compose, image, ownServices } from "./deploy-files.ts";

const { services } = compose();

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: tour, path: tour}
workload: {url: ""}
workflow:
  - step: python
    tool: {kind: python, code: "result = {'n': 1}"}
    next: {arcs: [{step: javascript}]}
  - step: javascript
    tool: {kind: javascript, input: {n: "{{ python.n }}"}, code: "return {n: n + 1}"}
    next: {arcs: [{step: duckdb}]}
  - step: duckdb
    tool: {kind: duckdb, query: "select 3 as n"}
    next: {arcs: [{step: http}]}
  - step: http
    tool: {kind: http, url: "{{ workload.url }}/api/health"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: ["{{ javascript.n }}", "{{ duckdb.rows[0].n }}", "{{ http.data.status }}"]}
`;

let place: Workplace;
let binary = "";
let postgres: ScratchPostgres;
let nats: Bun.Subprocess;
/** Addresses of the composition, with the port that each has here. */
const here = new Map<string, number>();
const running = new Map<string, Running>();

const portAt = (address: string): number => here.get(address) ?? 0;
const portOf = (name: string): number => portAt(`${name}:8082`);

const baseUrlOf = (name: string): string => `http://127.0.0.1:${portOf(name)}`;

/** Of the first administrator, whom a test makes as the page says. */
let token = "";

const clientOf = (name: string): ApiClient =>
  apiClient({
    fetch: (request) => fetch(request),
    baseUrl: baseUrlOf(name),
    headers: () => ({ authorization: `Bearer ${token}` }),
  });

function replaced(text: string): string {
  let result = text
    .replaceAll(/\$\{POSTGRES_PASSWORD[^}]*\}/g, "word")
    .replaceAll(/\$\{NOETL_INTERNAL_API_TOKEN[^}]*\}/g, "shown-by-workers-alone");
  for (const [address, port] of here) {
    result = result.replaceAll(`/${address}`, `/127.0.0.1:${port}`);
    result = result.replaceAll(`@${address}`, `@127.0.0.1:${port}`);
  }
  return result;
}

/** A command of a service's image, with the environment that the service has. */
function start(name: string, command: readonly string[] = []): Running {
  const service = services[name];
  if (service === undefined) throw new Error(`expected a service called ${name}`);
  const given = { ...image().environment, ...service.environment };
  const environment = {
    ...Object.fromEntries(Object.entries(given).map(([key, value]) => [key, replaced(value)])),
    // One machine stands for all of theirs, so that each port is there once.
    NOETL_PORT: String(portOf(name)),
    NOETL_HEALTH_PORT: String(portAt(`${name}:8083`)),
  };
  const volume = place.path(name);
  const program = contained({ service, binary, volume, environment });
  return startNoetl(command, { cwd: place.folder, program });
}

const health = (name: string): Promise<Ended> => start(name, image().healthcheck).ended;

beforeAll(async () => {
  place = workplace();
  binary = await builtBinary();
  postgres = await startPostgres();
  const sql = openPostgres(postgres.url, { connections: 1 });
  await sql.query("create role noetl superuser login");
  await sql.query("create database noetl owner noetl");
  await sql.close();
  here.set("postgres:5432", postgres.port);
  for (const address of ["nats:4222", "127.0.0.1:8222"]) here.set(address, await freePort());
  for (const [name] of ownServices()) {
    for (const port of [8082, 8083]) here.set(`${name}:${port}`, await freePort());
  }
  nats = Bun.spawn(natsCommand(), { stdout: "ignore", stderr: "ignore" });
}, binaryTestMs);

afterAll(async () => {
  for (const process of running.values()) process.signal("SIGKILL");
  nats?.kill();
  await Promise.all([nats?.exited, ...[...running.values()].map(({ ended }) => ended)]);
  await postgres?.stop();
  place?.remove();
}, binaryTestMs);

/** The command of the composition, with its folder and its ports here. */
function natsCommand(): string[] {
  const own = services["nats"]?.command ?? [];
  const flags = own.map((word) =>
    word === "/data"
      ? place.path("nats")
      : word === "8222"
        ? String(portAt("127.0.0.1:8222"))
        : word,
  );
  const port = ["--addr", "127.0.0.1", "--port", String(portAt("nats:4222"))];
  return [natsServer() ?? "nats-server", ...flags, ...port];
}

describe("what stands beside our processes", () => {
  test("the database is well by its own check", async () => {
    const [, line = ""] = services["postgres"]?.healthcheck?.test ?? [];
    const [program = "", ...words] = line.split(" ");
    const address = ["-h", postgres.host, "-p", String(postgres.port)];
    const check = Bun.spawn([join(postgresBin() ?? "", program), ...words, ...address], {
      stdout: "ignore",
    });
    expect(await check.exited).toBe(0);
  });

  test("the bus is well at the address of its check, with streams", async () => {
    const url = replaced(services["nats"]?.healthcheck?.test.at(-1) ?? "");
    await until(async () => (await fetch(url).catch(() => undefined))?.status === 200);
    const streams = await fetch(url.replace("healthz", "jsz"));
    expect(await streams.json()).toMatchObject({ config: { store_dir: expect.any(String) } });
  });
});

describe("our processes", () => {
  for (const [name, { command = image().command }] of ownServices()) {
    test(
      `${name} starts with its command, and is well when it says so`,
      async () => {
        expect((await health(name)).exitCode).toBe(1);
        const process = start(name, [...image().entrypoint, ...command]);
        running.set(name, process);
        await process.says(command[0] === "worker" ? /health at/ : /^noetl control .* at /m);
        const { exitCode, err } = await health(name);
        expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
      },
      binaryTestMs,
    );
  }

  test(
    "the first administrator is made beside a control plane",
    async () => {
      const command = ["admin", "create", "--email", "ada@example.org", "--json"];
      const { exitCode, out, err } = await start("control-1", [...image().entrypoint, ...command])
        .ended;
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
      token = (JSON.parse(out) as { readonly token: string }).token;
      expect(await clientOf("control-1").me()).toMatchObject({ subject: "ada@example.org" });
    },
    binaryTestMs,
  );

  test("the image's own command is that of a control plane", () => {
    expect(image().command).toEqual(services["control-1"]?.command ?? []);
  });

  test("each control plane tells the address that workers reach it at", async () => {
    const names = ["control-1", "control-2"];
    const addresses = names.map(baseUrlOf);
    const known = async (): Promise<readonly string[]> => {
      const { members } = await clientOf("control-1").shardInfo();
      return members.map(({ uri }) => uri).sort();
    };
    await until(async () => (await known()).length === names.length);
    expect(await known()).toEqual(addresses.sort());
  });

  test("each worker tells how it is on its health port, a parent for all of its workers", async () => {
    const told = async (name: string): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${portAt(`${name}:8083`)}/healthz`)).json();
    expect(await told("worker-cpu")).toMatchObject({ status: "ok", processes: 2 });
    expect(await told("worker-io")).toMatchObject({ status: "ok", pools: ["io"], slots: 128 });
  });

  test(
    "an execution passes through both pools and every kind of runner",
    async () => {
      const client = clientOf("control-2");
      await client.registerCatalog({ body: { content: playbook } });
      const body = { path: "tour", workload: { url: baseUrlOf("control-2") } };
      const { execution_id: id } = await client.execute({ body });
      await until(async () => {
        const { status } = await client.executionStatus({ params: { id } });
        return status !== "RUNNING";
      });
      const { status, result, error } = await client.getExecution({ params: { id } });
      expect({ status, result, error }).toMatchObject({
        status: "COMPLETED",
        result: [2, 3, "ok"],
      });
    },
    binaryTestMs,
  );

  test(
    "end in order when they are told to stop, and are not well any more",
    async () => {
      const signal = image().stopSignal as "SIGTERM";
      for (const name of [...running.keys()].reverse()) {
        running.get(name)?.signal(signal);
        const ended = await running.get(name)?.ended;
        expect({ name, exitCode: ended?.exitCode }).toEqual({ name, exitCode: 0 });
        expect((await health(name)).exitCode).toBe(1);
      }
    },
    binaryTestMs,
  );
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(50);
}
