// `noetl workers` and `noetl replicas`: what they say of the processes that there are.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { memoryStores } from "#core/adapters/memory-stores";
import { systemClock } from "#core/adapters/system-clock";
import { type RunningReplica, startReplica } from "#tests/support/replicas";
import { noetl, type Workplace, workplace } from "./noetl.ts";

/** Each command is a process of its own. */
const slowMs = 30_000;

let place: Workplace;
let replica: RunningReplica;

beforeAll(async () => {
  place = workplace();
  replica = await startReplica({ stores: memoryStores(systemClock()) });
  const { client } = replica;
  const load = { running: 3, free: 1, waiting: 2 };
  await client.registerWorker({
    body: { name: "w-1", pools: ["default", "gpu"], labels: ["cuda"], capacity: 4, load },
  });
  await client.registerWorker({ body: { name: "w-2", labels: { pool_name: "old" } } });
  await client.registerWorker({ body: { name: "w-3" } });
  await client.deregisterWorker({ body: { name: "w-3" } });
});
afterAll(async () => {
  await replica.stop();
  place.remove();
});

const say = (...args: string[]) => noetl([...args, "--server", replica.url], { cwd: place.folder });

describe("noetl workers", () => {
  test(
    "lists those that are there, with pools, labels and load",
    async () => {
      const { exitCode, out } = await say("workers");
      expect(exitCode).toBe(0);
      const [head = "", first = "", second = "", ...rest] = out.trimEnd().split("\n");
      expect(head.split(/ +/)).toEqual(
        "WORKER STATUS POOLS LABELS BUSY UNREPORTED VERSION HOST SEEN".split(" "),
      );
      expect(first).toMatch(/^w-1 +ready +default,gpu +cuda +3\/4 +2 .* ago$/);
      expect(second).toMatch(/^w-2 +ready +pool_name=old /);
      expect(rest).toEqual([]);
    },
    slowMs,
  );

  test(
    "lists those that have gone as well when asked, also as JSON",
    async () => {
      const [text, document] = await Promise.all([
        say("workers", "--all"),
        say("workers", "--all", "--json"),
      ]);
      expect(text.out).toMatch(/^w-3 +offline /m);
      const { workers, count } = JSON.parse(document.out) as {
        workers: { name: string; status: string }[];
        count: number;
      };
      expect(count).toBe(3);
      expect(workers.map(({ name, status }) => `${name} ${status}`)).toEqual([
        "w-1 ready",
        "w-2 ready",
        "w-3 offline",
      ]);
    },
    slowMs,
  );
});

describe("noetl replicas", () => {
  test(
    "lists them with their addresses and shards",
    async () => {
      const [{ exitCode, out }, document] = await Promise.all([
        say("replicas"),
        say("replicas", "--json"),
      ]);
      expect(exitCode).toBe(0);
      expect(out.split("\n")[1]).toContain(`${replica.url}  256/256  0.0.0-test`);
      const { replicas } = JSON.parse(document.out) as {
        replicas: { uri: string; shards: number }[];
      };
      expect(replicas).toMatchObject([{ uri: replica.url, shards: 256 }]);
    },
    slowMs,
  );
});
