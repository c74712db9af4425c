// The contract of the registry of processes, told against the port alone.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { snowflakeMachineMax } from "#core/model/ids";
import { machineLeaseMs, machineRestMs, runtimeKeepMs, runtimeOfflineMs } from "#core/model/limits";
import type { RuntimeProcess, RuntimeRegistry } from "#core/ports/runtime-registry";

export interface RuntimeWorld {
  readonly runtime: RuntimeRegistry;
  /** Lets so much time pass for what is registered and leased. */
  advance(durationMs: number): Promise<void>;
  /** Forgets everything; every machine id is free. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const worker = (name: string, given: Partial<RuntimeProcess> = {}): RuntimeProcess => ({
  kind: "worker_pool",
  name,
  pools: ["default"],
  labels: [],
  capacity: 4,
  details: {},
  offlineMs: runtimeOfflineMs,
  ...given,
});

/** Runs the contract on the registry that `open` makes once. */
export function runtimeRegistryContract(name: string, open: () => Promise<RuntimeWorld>): void {
  describe(`the registry of processes on ${name}`, () => {
    let opened: RuntimeWorld | undefined;
    const world = (): RuntimeWorld => {
      if (opened === undefined) throw new Error(`${name} did not open`);
      return opened;
    };
    const registry = (): RuntimeRegistry => world().runtime;
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    afterAll(() => opened?.close());
    beforeEach(() => world().reset());

    const liveNames = async () => (await registry().live("worker_pool")).map((row) => row.name);

    test("what a process says of itself comes back, with times and an id", async () => {
      const said = worker("w-1", {
        uri: "http://10.0.0.7:9000",
        pools: ["default", "gpu"],
        labels: ["cuda", "big"],
        version: "1.2.3",
        pid: 4_711,
        hostname: "node-7",
        details: { runtime: { kind: "rust" }, deep: [1, { a: null }], odd: "\u0000 \ud800" },
      });
      const row = await registry().register(said);
      expect(row).toMatchObject({ ...said, status: "ready" });
      expect(row.load).toBeUndefined();
      expect(row.heartbeatAtMs).toBeGreaterThanOrEqual(row.startedAtMs);
      expect(row.silentMs).toBeLessThan(runtimeOfflineMs);
      expect(await registry().live("worker_pool")).toMatchObject([{ runtimeId: row.runtimeId }]);
    });

    test("a name is one row for its kind; the last word counts", async () => {
      const first = await registry().register(worker("w-1", { capacity: 4, pid: 1 }));
      const again = await registry().register(worker("w-1", { capacity: 8, pid: 1 }));
      expect(again).toMatchObject({ runtimeId: first.runtimeId, capacity: 8 });
      expect(again.startedAtMs).toBe(first.startedAtMs);
      await registry().register(worker("w-1", { kind: "server_api" }));
      expect(await registry().live("worker_pool")).toHaveLength(1);
      expect(await registry().live("server_api")).toHaveLength(1);
      await world().advance(1_000);
      const successor = await registry().register(worker("w-1", { pid: 2 }));
      expect(successor.startedAtMs).toBeGreaterThan(first.startedAtMs);
    });

    test("processes that register at once are all there, by name", async () => {
      const names = ["b", "a", "C", "ä", "a-1"];
      await Promise.all(names.map((one) => registry().register(worker(one))));
      expect(await liveNames()).toEqual(["C", "a", "a-1", "b", "ä"]);
      await Promise.all([1, 2, 3].map(() => registry().register(worker("same"))));
      expect((await liveNames()).filter((one) => one === "same")).toEqual(["same"]);
    });

    test("who is silent for too long is gone, and back with the next word", async () => {
      await registry().register(worker("quick"));
      await registry().register(worker("patient", { offlineMs: 4 * runtimeOfflineMs }));
      await world().advance(runtimeOfflineMs - 1_000);
      expect(await liveNames()).toEqual(["patient", "quick"]);
      await world().advance(2_000);
      expect(await liveNames()).toEqual(["patient"]);
      expect(await registry().list("worker_pool", 9)).toMatchObject([
        { name: "patient", status: "ready" },
        { name: "quick", status: "offline" },
      ]);
      expect(await registry().heartbeat("worker_pool", "quick")).toMatchObject({ status: "ready" });
      expect(await liveNames()).toEqual(["patient", "quick"]);
    });

    test("a heartbeat keeps a process there and its load up to date", async () => {
      await registry().register(worker("w-1"));
      const load = { running: 3, free: 1, waiting: 2 };
      await world().advance(runtimeOfflineMs - 1_000);
      expect(await registry().heartbeat("worker_pool", "w-1", load)).toMatchObject({ load });
      await world().advance(runtimeOfflineMs - 1_000);
      const kept = await registry().heartbeat("worker_pool", "w-1");
      expect(kept).toMatchObject({ load, status: "ready" });
      const busy = { running: 4, free: 0, waiting: 0 };
      expect(await registry().register(worker("w-1"), busy)).toMatchObject({ load: busy });
      expect(await registry().live("worker_pool")).toMatchObject([{ name: "w-1", load: busy }]);
    });

    test("a heartbeat of nobody, or of one who left, says to register again", async () => {
      expect(await registry().heartbeat("worker_pool", "nobody")).toBeUndefined();
      await registry().register(worker("w-1"));
      expect(await registry().heartbeat("server_api", "w-1")).toBeUndefined();
      expect(await registry().leave("worker_pool", "w-1")).toBe(true);
      expect(await registry().leave("worker_pool", "w-1")).toBe(false);
      expect(await registry().heartbeat("worker_pool", "w-1")).toBeUndefined();
      expect(await liveNames()).toEqual([]);
      expect(await registry().list("worker_pool", 9)).toMatchObject([{ status: "offline" }]);
      await registry().register(worker("w-1"));
      expect(await liveNames()).toEqual(["w-1"]);
    });

    test("lists are bounded, and forget who has been gone for a day", async () => {
      for (const one of ["a", "b", "c"]) await registry().register(worker(one));
      expect((await registry().list("worker_pool", 2)).map((row) => row.name)).toEqual(["a", "b"]);
      await world().advance(runtimeKeepMs + 2 * runtimeOfflineMs);
      expect(await registry().list("worker_pool", 9)).toEqual([]);
      await registry().register(worker("d"));
      expect((await registry().list("worker_pool", 9)).map((row) => row.name)).toEqual(["d"]);
      expect(await registry().heartbeat("worker_pool", "a")).toBeUndefined();
    });

    test("machine ids held at the same time are all different", async () => {
      const names = Array.from({ length: 40 }, (_, n) => `r-${n}`);
      const ids = await Promise.all(names.map((one) => registry().leaseMachineId(one)));
      expect(new Set(ids).size).toBe(40);
      for (const id of ids) {
        expect(id).toBeGreaterThanOrEqual(0);
        expect(id).toBeLessThanOrEqual(snowflakeMachineMax);
      }
    });

    test("a name that asks again, not having heard the answer, has the id that it holds", async () => {
      const id = await registry().leaseMachineId("r-1");
      expect(await registry().leaseMachineId("r-1")).toBe(id);
    });

    test("a renewed machine id stays its holder's; another name can't renew it", async () => {
      const id = await registry().leaseMachineId("r-1");
      for (let n = 0; n < 4; n++) {
        await world().advance(machineLeaseMs - 1_000);
        expect(await registry().renewMachineId("r-1", id)).toBe(true);
      }
      expect(await registry().renewMachineId("r-2", id)).toBe(false);
      expect(await registry().renewMachineId("r-1", (id + 1) % 1_024)).toBe(false);
      expect(await registry().leaseMachineId("r-2")).not.toBe(id);
    });

    test("an id rests before another name has it, run out and given back alike", async () => {
      const silent = await registry().leaseMachineId("silent");
      const names = Array.from({ length: snowflakeMachineMax }, (_, n) => `r-${n}`);
      for (const one of names) await registry().leaseMachineId(one);
      await expect(registry().leaseMachineId("late")).rejects.toMatchObject({
        code: "unavailable",
      });
      for (const one of names) await registry().returnMachineId(one);
      await expect(registry().leaseMachineId("late")).rejects.toMatchObject({
        code: "unavailable",
      });
      await world().advance(machineRestMs + 1_000);
      const next = await registry().leaseMachineId("late");
      expect(next).not.toBe(silent);
      expect(await registry().renewMachineId("r-0", next)).toBe(false);
      // The silent one has run out by now and rests; what it held is not given away yet.
      const others = Array.from({ length: snowflakeMachineMax - 1 }, (_, n) => `s-${n}`);
      for (const one of others) expect(await registry().leaseMachineId(one)).not.toBe(silent);
      await expect(registry().leaseMachineId("later")).rejects.toMatchObject({
        code: "unavailable",
      });
      await world().advance(machineRestMs);
      expect(await registry().leaseMachineId("later")).toBe(silent);
      expect(await registry().renewMachineId("silent", silent)).toBe(false);
    }, 60_000);

    test("what has rested longest is given out first", async () => {
      const id = await registry().leaseMachineId("r-1");
      await registry().returnMachineId("r-1");
      await world().advance(machineRestMs + 1_000);
      expect(await registry().leaseMachineId("r-2")).not.toBe(id);
    });
  });
}
