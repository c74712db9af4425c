// A worker process over a control plane whose socket it keeps: what becomes of a run when that
// socket is cut in the middle of it, and when the control plane is restarted.

import { afterEach, expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { apiClient } from "#core/adapters/api-client";
import { type Listening, listen } from "#core/adapters/listen";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Event } from "#core/model/event";
import { type ExecutionId, executionId } from "#core/model/ids";
import { startNoetl, workplace } from "#tests/cli/noetl";
import { eventually } from "#tests/support/control";
import { type CutProxy, cutProxy } from "#tests/support/cut-proxy";

/** Starting processes on a busy machine takes its time. */
const patienceMs = 60_000;
const itemsTotal = 300;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface House {
  /** Reports of outcomes that came over the socket, and over HTTP. */
  readonly reports: { carried: number; http: number };
  /** Resolves when a request of any kind has come over the socket. */
  readonly linked: Promise<void>;
  readonly network: CutProxy;
  run(): Promise<ExecutionId>;
  events(id: ExecutionId): Promise<readonly Event[]>;
  /** Resolves when so many outcomes are recorded. */
  reached(id: ExecutionId, outcomes: number): Promise<void>;
  ended(id: ExecutionId): Promise<string>;
  /** The control plane answers what is under way and is gone. */
  leave(): Promise<void>;
  comeBack(): void;
}

async function house(): Promise<House> {
  const clock = systemClock();
  const stores = memoryStores(clock);
  const credentials = async () => undefined;
  const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
  const ports = { ...stores, bus: memoryBus(), clock, ids: snowflakeMint(clock, 5), sha256 };
  const control: Control = startControl(
    { ...ports, credentials, engineVersion: "0.0.0-test" },
    { access: openAccess(), report: () => {} },
  );
  const reports = { carried: 0, http: 0 };
  const linked = Promise.withResolvers<void>();
  const serve = (port: number): Listening =>
    listen(
      (request) => {
        // HTTP always says which host it asks for.
        const way = request.headers.has("host") ? "http" : "carried";
        if (request.url.endsWith("/settle")) reports[way] += 1;
        if (way === "carried") linked.resolve();
        return control.fetch(request);
      },
      { host: "127.0.0.1", port, exact: true, wire: true },
    );
  let server = serve(0);
  const port = Number(new URL(server.url).port);
  const network = await cutProxy({ host: "127.0.0.1", port });
  cleanups.push(async () => {
    await network.close();
    await server.stop();
    await control.stop();
    await stores.close();
  });
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  const events = async (id: ExecutionId): Promise<readonly Event[]> =>
    (await stores.log.events(id, 0, 10_000)).map(({ event }) => event);
  return {
    ...{ reports, linked: linked.promise, network, events },
    run: async () => {
      const { path } = await client.registerCatalog({ body: { content: playbook } });
      return executionId((await client.execute({ body: { path } })).execution_id);
    },
    reached: async (id, outcomes) => {
      await eventually(async () =>
        outcomesOf(await events(id)).length >= outcomes ? true : undefined,
      );
    },
    ended: (id) =>
      eventually(async () => {
        const status = (await stores.log.head(id))?.row.status;
        return status === "running" ? undefined : status;
      }),
    leave: () => server.stop(),
    comeBack: () => {
      server = serve(port);
    },
  };
}

const playbook = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: many, path: t/many}
workflow:
  - step: start
    loop: {in: "{{ range(${itemsTotal}) }}", iterator: n, spec: {mode: parallel}}
    tool: {kind: noop}
`;

async function startWorker({ network }: House): Promise<void> {
  const folder = workplace();
  cleanups.push(() => folder.remove());
  const worker = startNoetl(["worker"], {
    cwd: folder.folder,
    env: { NOETL_SERVER_URL: `http://127.0.0.1:${network.port}`, NOETL_SLOTS: "4" },
  });
  cleanups.push(async () => {
    worker.signal("SIGKILL");
    await worker.ended;
  });
  await worker.says(/noetl worker \S+/);
}

const outcomesOf = (events: readonly Event[]): readonly string[] =>
  events.flatMap((event) => (event.type === "call.done" ? [event.command_id] : []));

async function expectAllOnce({ events }: House, id: ExecutionId): Promise<void> {
  const outcomes = outcomesOf(await events(id));
  expect(outcomes).toHaveLength(itemsTotal);
  expect(new Set(outcomes).size).toBe(itemsTotal);
}

test(
  "outcomes are reported over the socket, and over HTTP once it is cut: none is lost, none counts twice",
  async () => {
    const given = await house();
    await startWorker(given);
    await given.linked;
    const id = await given.run();
    await given.reached(id, itemsTotal / 3);
    const { carried } = given.reports;
    expect(carried).toBeGreaterThan(0);
    const { http } = given.reports;
    given.network.reset();
    expect(await given.ended(id)).toBe("completed");
    expect(given.reports.http).toBeGreaterThan(http);
    await expectAllOnce(given, id);
  },
  patienceMs,
);

test(
  "a control plane that is restarted answers what is under way, and the run goes on after it",
  async () => {
    const given = await house();
    await startWorker(given);
    await given.linked;
    const id = await given.run();
    await given.reached(id, itemsTotal / 3);
    expect(given.reports.carried).toBeGreaterThan(0);
    await given.leave();
    given.comeBack();
    expect(await given.ended(id)).toBe("completed");
    await expectAllOnce(given, id);
  },
  patienceMs,
);
