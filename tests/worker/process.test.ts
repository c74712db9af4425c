// Worker processes as they are run: what becomes of their work when they are told to stop, when
// they are killed, and when several of them share a machine.

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import type { ExecutionId } from "#core/model/ids";
import { type Running, startNoetl, type Workplace, workplace } from "#tests/cli/noetl";
import { eventually } from "#tests/support/control";
import { type ControlServer, controlServer } from "./control-server.ts";

/** Starting processes on a busy machine takes its time. */
const patienceMs = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function place(): { readonly server: ControlServer; readonly folder: Workplace } {
  const server = controlServer();
  const folder = workplace();
  cleanups.push(
    () => server.close(),
    () => folder.remove(),
  );
  return { server, folder };
}

interface Given {
  readonly server: ControlServer;
  readonly folder: Workplace;
}

async function startWorker(
  { server, folder }: Given,
  env: Record<string, string> = {},
): Promise<Running> {
  const running = startNoetl(["worker"], {
    cwd: folder.folder,
    env: { NOETL_SERVER_URL: server.url, NOETL_SLOTS: "4", ...env },
  });
  cleanups.push(() => running.signal("SIGKILL"));
  await running.says(/noetl worker \S+/);
  return running;
}

const sleeper = (seconds: number, name = "sleeper"): string => `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: t/${name}}
workflow:
  - step: start
    tool:
      kind: python
      code: |
        import time
        print("begun", flush=True)
        time.sleep(${seconds})
        result = 42
`;

const hasBegun = ({ server }: Given, id: ExecutionId) =>
  eventually(async () => {
    const lines = await server.stores.stepLogs.read(id, { afterPosition: 0, limit: 1 });
    return lines[0]?.text;
  });

const outcomesOf = async ({ server }: Given, id: ExecutionId) =>
  (await server.events(id)).flatMap((event) =>
    event.type === "call.done" ? [{ attempt: event.attempt, worker: event.worker }] : [],
  );

const endOf = ({ server }: Given, id: ExecutionId) =>
  eventually(async () => {
    const status = (await server.stores.log.head(id))?.row.status;
    return status === "running" ? undefined : status;
  });

describe("a worker that is told to stop", () => {
  test(
    "lets a tool end within its grace, reports it and ends with 0",
    async () => {
      const given = place();
      const worker = await startWorker(given);
      const id = await given.server.start(sleeper(1));
      expect(await hasBegun(given, id)).toBe("begun");
      worker.signal("SIGTERM");
      const { exitCode } = await worker.ended;

      expect(exitCode).toBe(0);
      expect((await given.server.stores.log.head(id))?.row.status).toBe("completed");
      expect(await given.server.stores.runtime.live("worker_pool")).toEqual([]);
    },
    patienceMs,
  );

  test(
    "gives back what does not end in time, as the same attempt",
    async () => {
      const given = place();
      const worker = await startWorker(given, { NOETL_STOP_GRACE_MS: "100" });
      const id = await given.server.start(sleeper(600));
      await hasBegun(given, id);
      worker.signal("SIGTERM");
      expect((await worker.ended).exitCode).toBe(0);

      expect(await given.server.stores.log.backlog()).toEqual([
        { pool: "default", ready: 1, leased: 0 },
      ]);
      expect((await given.server.events(id)).map(({ type }) => type)).not.toContain(
        "command.reissued",
      );
    },
    patienceMs,
  );

  test(
    "quits at once when it is told twice",
    async () => {
      const given = place();
      const worker = await startWorker(given, { NOETL_STOP_GRACE_MS: "600000" });
      const id = await given.server.start(sleeper(600));
      await hasBegun(given, id);
      worker.signal("SIGTERM");
      await worker.says(/stopping/);
      worker.signal("SIGINT");

      expect((await worker.ended).exitCode).toBe(130);
    },
    patienceMs,
  );
});

test(
  "what a killed worker could not report is reported by the next one of its machine",
  async () => {
    const given = place();
    const { server, folder } = given;
    // The first folder is taken, so that the one that dies has another than its successor.
    const first = await startWorker(given, { NOETL_POOLS: "idle" });
    const second = await startWorker(given);
    const id = await server.start(sleeper(1));
    await hasBegun(given, id);
    await server.leave();
    const spooled = folder.path(".noetl/spool/worker-2/outcomes.jsonl");
    await eventually(async () =>
      existsSync(spooled) && readFileSync(spooled, "utf8").includes(id) ? true : undefined,
    );
    second.signal("SIGKILL");
    await second.ended;
    server.comeBack();
    first.signal("SIGTERM");
    await first.ended;
    await startWorker(given, { NOETL_POOLS: "idle" });

    expect(await endOf(given, id)).toBe("completed");
    expect((await outcomesOf(given, id)).map(({ attempt }) => attempt)).toEqual([1]);
    await eventually(async () => (readFileSync(spooled, "utf8") === "" ? true : undefined));
  },
  patienceMs,
);

describe("several workers under one parent", () => {
  const pidsOf = (running: Running): readonly number[] =>
    [...running.out().matchAll(/noetl worker \S+ \S+-(\d+)-\w+, pools/g)].map(([, pid]) =>
      Number(pid),
    );
  const lives = (pid: number): boolean => existsSync(`/proc/${pid}/stat`) && !isZombie(pid);
  const isZombie = (pid: number): boolean => /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

  test(
    "one that dies is started again, and all end with the parent's signal",
    async () => {
      const given = place();
      const parent = await startWorker(given, { NOETL_PROCESSES: "2", NOETL_HEALTH_PORT: "0" });
      await eventually(async () => (pidsOf(parent).length === 2 ? true : undefined));
      const [first = 0] = pidsOf(parent);
      process.kill(first, "SIGKILL");
      await eventually(async () => (pidsOf(parent).length === 3 ? true : undefined));
      const health = /health at (\S+)/.exec(parent.out())?.[1] ?? "";
      expect(await (await fetch(health)).json()).toEqual({ status: "ok", processes: 2 });
      const id = await given.server.start(sleeper(0));
      expect(await endOf(given, id)).toBe("completed");
      parent.signal("SIGTERM");

      expect((await parent.ended).exitCode).toBe(0);
      expect(pidsOf(parent).filter(lives)).toEqual([]);
    },
    patienceMs,
  );

  test(
    "they stop when their parent is killed",
    async () => {
      const given = place();
      const parent = await startWorker(given, { NOETL_PROCESSES: "2" });
      cleanups.push(() => {
        for (const pid of pidsOf(parent).filter(lives)) process.kill(pid, "SIGKILL");
      });
      await eventually(async () => (pidsOf(parent).length === 2 ? true : undefined));
      parent.signal("SIGKILL");
      await eventually(async () => (pidsOf(parent).some(lives) ? undefined : true));

      expect(await given.server.stores.runtime.live("worker_pool")).toEqual([]);
    },
    patienceMs,
  );
});

test(
  "a worker tells how it is on its health port, also while the control plane is away",
  async () => {
    const given = place();
    const worker = await startWorker(given, { NOETL_HEALTH_PORT: "0" });
    await worker.says(/health at/);
    const health = /health at (\S+)/.exec(worker.out())?.[1] ?? "";
    await given.server.leave();
    const answer = await fetch(health);

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: "ok", pools: ["default"], running: 0 });
    expect((await fetch(health.replace("/healthz", "/"))).status).toBe(404);
  },
  patienceMs,
);
