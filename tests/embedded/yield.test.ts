// The real stack with one slot: a step that waits six seconds for a retry leaves the slot to
// others, and its wait survives the process that it began in.

import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Embedded, startEmbedded } from "#cli/embedded";
import { pgliteStores } from "#cli/pglite-stores";
import { prepareDataDirectory } from "#control/store/prepared";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Stores } from "#core/ports/stores";
import { executionUpdates } from "#core/wire/subjects";
import { repositoryRoot } from "#scripts/install";
import { startHouse } from "#tests/support/embedded";

/** An endpoint that answers 503 so many times; and the idempotency keys it was sent. */
function flakyEndpoint(failures: number) {
  const keys: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      keys.push(request.headers.get("idempotency-key"));
      return keys.length <= failures
        ? new Response("later", { status: 503 })
        : Response.json({ n: 41 });
    },
  });
  return { keys, url: server.url.href, stop: () => server.stop(true) };
}

const patient = (url: string, delay: number) => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: patient, path: test/patient}
workflow:
  - step: start
    tool:
      - {name: one, kind: noop, result: 1, set: {ctx.one: "{{ output.data }}"}}
      - name: ask
        kind: http
        method: POST
        url: ${url}
        spec:
          policy:
            rules:
              - when: "{{ output.status == 'error' and output.error.retryable }}"
                then: {do: retry, attempts: 2, backoff: linear, delay: ${delay}}
      - {name: sum, kind: noop, result: "{{ one + ask.data.n }}"}
    next: {arcs: [{step: end}]}
  - step: end
    tool: {kind: noop, result: {sum: "{{ start }}", one: "{{ ctx.one }}"}}
`;

const quick = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: quick, path: test/quick}
workflow: [{step: start, tool: {kind: noop, result: quick}}]
`;

/** Waits until the log has the event that says that the command waits. */
async function yieldedOf({ bus }: Embedded, { log }: Stores, id: ExecutionId): Promise<void> {
  const yielded = Promise.withResolvers<void>();
  const subscription = bus.subscribe(executionUpdates(id), ({ data }) => {
    if (data.includes('"command.yielded"')) yielded.resolve();
  });
  const events = await log.events(id, 0, 1_000);
  if (!events.some(({ event }) => event.type === "command.yielded")) await yielded.promise;
  subscription.close();
}

const waitSeconds = 6;
const timeoutMs = 60_000;

test(
  "while one execution waits six seconds for its retry, another one uses the only slot",
  async () => {
    const endpoint = flakyEndpoint(1);
    const house = await startHouse({
      slots: 1,
      playbooks: [patient(endpoint.url, waitSeconds), quick],
    });
    try {
      const id = await house.start("test/patient");
      await yieldedOf(house.embedded, house.stores, id);
      const between = await house.run("test/quick");
      expect(between).toMatchObject({ status: "completed", result: "quick" });
      expect(endpoint.keys.length).toBe(1);

      const { status, result, events } = await house.ended(id);
      expect({ status, result }).toEqual({ status: "completed", result: { sum: 42, one: 1 } });
      expect(endpoint.keys.length).toBe(2);
      expect(endpoint.keys[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(endpoint.keys[1]).toBe(endpoint.keys[0] ?? null);
      const about = events.flatMap((event) =>
        event.type === "command.yielded" || event.type === "command.reissued" ? [event.type] : [],
      );
      expect(about).toEqual(["command.yielded", "command.reissued"]);
      expect(house.reports).toEqual([]);
    } finally {
      await house.close();
      endpoint.stop();
    }
  },
  timeoutMs,
);

test(
  "a wait survives its process, and the next one goes on where it was",
  async () => {
    const endpoint = flakyEndpoint(1);
    const folder = await mkdtemp(join(tmpdir(), "noetl-yield-"));
    const cache = join(repositoryRoot, ".noetl", "cache");
    await prepareDataDirectory(cache);
    const open = async () => {
      const stores = await pgliteStores(join(folder, "data"), cache);
      const embedded = startEmbedded({
        stores,
        credentials: async () => undefined,
        policy: { shell: false, fileRoots: [] },
        slots: 1,
        report: () => undefined,
      });
      return { stores, embedded };
    };
    try {
      const before = await open();
      const { client } = before.embedded;
      await client.registerCatalog({ body: { content: patient(endpoint.url, waitSeconds) } });
      const started = await client.execute({ body: { path: "test/patient", payload: {} } });
      const id = executionId(started.execution_id);
      await yieldedOf(before.embedded, before.stores, id);
      await before.embedded.stop(0);

      const after = await open();
      try {
        const ended = Promise.withResolvers<void>();
        after.embedded.bus.subscribe(executionUpdates(id), ({ data }) => {
          if (data.includes("playbook.completed")) ended.resolve();
        });
        const head = await after.stores.log.head(id);
        if (head?.row.status === "running") await ended.promise;
        const detail = await after.embedded.client.getExecution({ params: { id } });
        expect(detail.result).toEqual({ sum: 42, one: 1 });
        expect(endpoint.keys.length).toBe(2);
        expect(endpoint.keys[1]).toBe(endpoint.keys[0] ?? null);
      } finally {
        await after.embedded.stop(0);
      }
    } finally {
      endpoint.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
  timeoutMs,
);
