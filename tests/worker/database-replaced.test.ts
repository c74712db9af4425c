// What a worker does when the control plane comes back with another database than it had.

import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "#core/adapters/configuration";
import { identityWatchMs, otherDatabaseMs } from "#core/model/limits";
import { clusterHeader } from "#core/wire/headers";
import { eventually } from "#tests/support/control";
import { virtualClock } from "#tests/support/virtual-clock";
import { workerSettings } from "#worker/config";
import { watchDatabase } from "#worker/database-watch";
import { startWorkerProcess, type WorkerProcess } from "#worker/main";
import { controlServer } from "./control-server.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An endpoint that lets a call wait until the test has seen enough. */
function slowEndpoint() {
  const called = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async () => {
      called.resolve();
      await released.promise;
      return Response.json({ n: 42 });
    },
  });
  cleanups.push(() => server.stop(true));
  return { url: server.url.href, called: called.promise, release: released.resolve };
}

const playbook = (url: string): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: asks, path: t/asks}
workflow:
  - step: start
    tool: {kind: http, method: GET, url: "${url}"}
`;

test("a worker ends with the reason, its spool stays, and the old database gets what is in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "noetl-replaced-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const start = (url: string): WorkerProcess => {
    const environment = { NOETL_SPOOL_DIRECTORY: folder, NOETL_STOP_GRACE_MS: "0" };
    return startWorkerProcess({
      settings: readSettings(workerSettings, { environment, file: {} }).values,
      servers: [url],
      version: "0.0.0-test",
      report: () => {},
      otherDatabaseMs: 100,
    });
  };
  const spooled = (): string =>
    readdirSync(folder)
      .map((name) => join(folder, name, "outcomes.jsonl"))
      .map((path) => readFileSync(path, "utf8"))
      .join("");
  const endpoint = slowEndpoint();
  const first = controlServer({ cluster: "first" });
  cleanups.push(() => first.close());
  const worker = start(first.url);
  const id = await first.start(playbook(endpoint.url));
  await endpoint.called;

  await first.leave();
  const second = controlServer({ cluster: "second", port: Number(new URL(first.url).port) });
  const other = await second.start(playbook(endpoint.url));
  endpoint.release();
  const reason = await worker.broken;
  await worker.stop();
  expect(reason).toStartWith("expected the database of cluster first, every server has second; ");
  expect(reason).toContain(folder);
  expect(spooled()).toContain(id);
  expect((await second.events(other)).map(({ type }) => type)).not.toContain("call.done");
  await second.close();

  first.comeBack();
  const next = start(first.url);
  cleanups.push(() => next.stop());
  const head = await eventually(async () => {
    const found = await first.stores.log.head(id);
    return found?.row.status === "running" ? undefined : found;
  });
  expect(head?.row.status).toBe("completed");
  expect((await first.events(id)).map(({ type }) => type)).not.toContain("command.reissued");
}, 60_000);

describe("another database is believed", () => {
  const servers = ["http://a:1", "http://b:2"];

  /** Servers by their origin, each with the database that it names; undefined for silence. */
  function network() {
    const says = new Map<string, string | undefined>(servers.map((server) => [server, "first"]));
    const clock = virtualClock();
    const watch = watchDatabase({
      servers,
      clock,
      fetch: async ({ url }) => {
        const cluster = says.get(new URL(url).origin);
        if (cluster === undefined) throw new Error("nobody is there");
        return new Response("", { headers: { [clusterHeader]: cluster } });
      },
    });
    cleanups.push(() => watch.stop());
    let reason: string | undefined;
    void watch.replaced.then((found) => {
      reason = found;
    });
    /** What the worker asks all the time, for so long. */
    const pass = async (durationMs: number): Promise<void> => {
      for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
        for (const server of servers) await watch.fetch(new Request(`${server}/x`)).catch(() => {});
        await clock.advance(1_000);
      }
    };
    const say = (a: string | undefined, b: string | undefined): void => {
      says.set("http://a:1", a).set("http://b:2", b);
    };
    return { say, pass, reason: () => reason };
  }

  test("when every server has named it for a minute, and not before", async () => {
    const { say, pass, reason } = network();
    await pass(5_000);
    say("second", "second");
    await pass(otherDatabaseMs - 1_000);
    expect(reason()).toBeUndefined();
    await pass(2 * identityWatchMs);
    expect(reason()).toBe("expected the database of cluster first, every server has second");
  });

  test("never while one server has the old one, or says nothing", async () => {
    for (const other of ["first", undefined]) {
      const { say, pass, reason } = network();
      await pass(5_000);
      say("second", other);
      await pass(3 * otherDatabaseMs);
      expect(reason()).toBeUndefined();
    }
  });

  test("for a minute at a stretch: one word of the old one begins it anew", async () => {
    const { say, pass, reason } = network();
    await pass(5_000);
    say("second", "second");
    await pass(otherDatabaseMs - 2 * identityWatchMs);
    say("second", "first");
    await pass(2 * identityWatchMs);
    say("second", "second");
    await pass(otherDatabaseMs - 2 * identityWatchMs);
    expect(reason()).toBeUndefined();
    await pass(4 * identityWatchMs);
    expect(reason()).toBeDefined();
  });

  test("no more when the old one is all that is named", async () => {
    const { pass, reason } = network();
    await pass(3 * otherDatabaseMs);
    expect(reason()).toBeUndefined();
  });
});
