// Replicas over one registry: who is there, what belongs to whom, and who may mint ids. The clock
// is the test's, so that a stall is as long as it should be.
import { describe, expect, test } from "bun:test";
import {
  openReplica,
  type Replica,
  type ReplicaOptions,
  soleMember,
} from "#control/services/membership";
import { memoryRuntime } from "#core/adapters/memory-runtime";
import { snowflakeMint } from "#core/adapters/system-clock";
import { Fault } from "#core/model/fault";
import { executionId, snowflakeTimeMs } from "#core/model/ids";
import {
  clockSkewMsMax,
  machineLeaseMs,
  machineRestMs,
  membershipRefreshMs,
  runtimeOfflineMs,
} from "#core/model/limits";
import type { RuntimeRegistry } from "#core/ports/runtime-registry";
import { cuttable } from "#tests/support/replicas";
import { type VirtualClock, virtualClock } from "#tests/support/virtual-clock";

interface House {
  readonly clock: VirtualClock;
  readonly registry: RuntimeRegistry;
  /** Loses every request of this replica while true: it is stalled, or cut off. */
  readonly cut: Set<string>;
  readonly reports: string[];
  open(name: string, given?: Partial<ReplicaOptions>): Promise<Replica>;
  joined(name: string): Promise<Replica>;
}

function house(): House {
  const clock = virtualClock();
  const registry = memoryRuntime(clock);
  const cut = new Set<string>();
  const reports: string[] = [];
  const open = (name: string, given: Partial<ReplicaOptions> = {}): Promise<Replica> =>
    openReplica({
      registry: cuttable(registry, () => cut.has(name)),
      clock,
      name,
      mint: (machineId) => snowflakeMint(clock, machineId),
      version: "1.0.0",
      report: (message) => void reports.push(message),
      ...given,
    });
  const joined = async (name: string): Promise<Replica> => {
    const replica = await open(name);
    await replica.join(`http://${name}:8082/`);
    return replica;
  };
  return { clock, registry, cut, reports, open, joined };
}

const names = (replica: Replica): readonly string[] =>
  replica.view().members.map(({ name }) => name);
const someIds = Array.from({ length: 200 }, (_, n) =>
  executionId(String(382_000_000_000n + BigInt(n))),
);
const machineOf = (id: string): number => Number((BigInt(id) >> 12n) & 1_023n);

describe("replicas over one registry", () => {
  test("find each other within a second and agree on one map", async () => {
    const { clock, joined } = house();
    const [a, b, c] = [await joined("a"), await joined("b"), await joined("c")];
    await clock.advance(membershipRefreshMs);
    for (const replica of [a, b, c]) {
      expect(replica.view()).toEqual(a.view());
      expect(names(replica)).toEqual(["a", "b", "c"]);
    }
    expect(a.view().members[1]).toMatchObject({ uri: "http://b:8082", version: "1.0.0" });
    for (const id of someIds) {
      expect([a, b, c].filter((replica) => replica.owns(id))).toHaveLength(1);
    }
    await Promise.all([a, b, c].map((replica) => replica.close()));
  });

  test("are alone until they join, and then own everything", async () => {
    const { open, clock, joined } = house();
    const quiet = await open("quiet");
    expect(names(quiet)).toEqual(["quiet"]);
    expect(someIds.every(quiet.owns)).toBe(true);
    const other = await joined("other");
    await clock.advance(membershipRefreshMs);
    expect(names(quiet)).toEqual(["other"]);
    expect(someIds.some(quiet.owns)).toBe(false);
    expect(someIds.every(other.owns)).toBe(true);
    expect(other.view().members).toMatchObject([{ name: "other", uri: "http://other:8082" }]);
    await quiet.close();
    await other.close();
  });

  test("hand their shards on when one leaves, at once, and change the epoch", async () => {
    const { clock, joined } = house();
    const [a, b] = [await joined("a"), await joined("b")];
    await clock.advance(membershipRefreshMs);
    const { epoch } = a.view();
    await b.leave();
    expect(someIds.some(b.owns)).toBe(false);
    await clock.advance(membershipRefreshMs);
    expect(names(a)).toEqual(["a"]);
    expect(a.view().epoch).not.toBe(epoch);
    expect(someIds.every(a.owns)).toBe(true);
    // It must not come back by a word that was under way.
    await clock.advance(3 * runtimeOfflineMs);
    expect(names(a)).toEqual(["a"]);
    await Promise.all([a.close(), b.close()]);
  });

  test("do without one that is silent, and have it back when it speaks again", async () => {
    const { clock, joined, cut, reports } = house();
    const [a, b] = [await joined("a"), await joined("b")];
    cut.add("b");
    await clock.advance(runtimeOfflineMs + 2 * membershipRefreshMs);
    expect(names(a)).toEqual(["a"]);
    // What it knew stays: it serves all the same.
    expect(names(b)).toEqual(["a", "b"]);
    expect(reports.filter((report) => report.includes("can't be looked up"))).toHaveLength(1);
    cut.clear();
    await clock.advance(2 * membershipRefreshMs);
    for (const replica of [a, b]) expect(names(replica)).toEqual(["a", "b"]);
    await Promise.all([a.close(), b.close()]);
  });

  test("are back within a second when somebody else struck them off", async () => {
    const { clock, joined, registry } = house();
    const [a, b] = [await joined("a"), await joined("b")];
    await registry.leave("server_api", "b");
    await clock.advance(2 * membershipRefreshMs);
    expect(names(a)).toEqual(["a", "b"]);
    await Promise.all([a.close(), b.close()]);
  });

  test("stay there for as long as they speak", async () => {
    const { clock, joined } = house();
    const [a, b] = [await joined("a"), await joined("b")];
    await clock.advance(10 * runtimeOfflineMs);
    expect(names(a)).toEqual(["a", "b"]);
    expect(names(b)).toEqual(["a", "b"]);
    await Promise.all([a.close(), b.close()]);
  });

  test("say so when their clock and the database's are far apart", async () => {
    const { clock, open, reports } = house();
    const ahead = { ...clock, nowMs: () => clock.nowMs() + clockSkewMsMax + 2_000 };
    const replica = await open("ahead", { clock: ahead });
    await replica.join("http://ahead");
    await clock.advance(10_000);
    expect(reports.some((report) => report.includes("clocks of replica ahead"))).toBe(true);
    await replica.close();
  });

  test("one that is alone for good has the map of one", () => {
    const alone = soleMember();
    expect(alone.view().owners).toHaveLength(256);
    expect(someIds.every(alone.owns)).toBe(true);
  });
});

describe("ids of replicas", () => {
  test("never share a machine id", async () => {
    const { open } = house();
    const replicas = await Promise.all(["a", "b", "c", "d"].map((name) => open(name)));
    expect(new Set(replicas.map((replica) => replica.machineId())).size).toBe(4);
    for (const replica of replicas) {
      expect(machineOf(replica.ids.executionId())).toBe(replica.machineId());
    }
    await Promise.all(replicas.map((replica) => replica.close()));
  });

  test("are minted for as long as the lease is renewed", async () => {
    const { open, clock } = house();
    const replica = await open("a");
    await clock.advance(5 * machineLeaseMs);
    expect(machineOf(replica.ids.eventId())).toBe(replica.machineId());
    await replica.close();
  });

  test("are not minted by a replica that can't renew, long before anybody else has its id", async () => {
    const { open, clock, cut } = house();
    const stalled = await open("stalled");
    const id = stalled.machineId();
    cut.add("stalled");
    await clock.advance(machineLeaseMs - 10_000);
    stalled.ids.executionId();
    await clock.advance(10_000);
    expect(() => stalled.ids.executionId()).toThrow(Fault);
    expect(() => stalled.ids.eventId()).toThrow("mints no ids");
    expect(() => stalled.ids.catalogId()).toThrow("mints no ids");
    const others = await Promise.all(
      Array.from({ length: 1_023 }, (_, n) =>
        open(`other-${n}`).then((other) => other.machineId()),
      ),
    );
    expect(others).not.toContain(id);
    await expect(open("late")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("are minted again, and larger ones, once another machine id was had", async () => {
    const { open, clock, cut, registry } = house();
    const stalled = await open("stalled");
    const before = stalled.machineId();
    // So far ahead of the clock that a fresh mint would begin behind it.
    const ahead = BigInt(stalled.ids.executionId()) + (3_600_000n << 22n);
    const last = stalled.ids.eventId(String(ahead) as ReturnType<typeof stalled.ids.eventId>);
    cut.add("stalled");
    await clock.advance(machineLeaseMs + machineRestMs);
    // Others take every id there is; whoever has this one keeps it.
    let heir = "";
    for (let n = 0; n < 1_024; n++) {
      if ((await registry.leaseMachineId(`other-${n}`)) === before) heir = `other-${n}`;
    }
    await clock.advance(machineLeaseMs + machineRestMs);
    expect(await registry.renewMachineId(heir, before)).toBe(true);
    cut.clear();
    await clock.advance(10_000);
    expect(stalled.machineId()).not.toBe(before);
    const fresh = stalled.ids.eventId();
    expect(BigInt(fresh)).toBeGreaterThan(BigInt(last));
    expect(machineOf(fresh)).toBe(stalled.machineId());
    expect(snowflakeTimeMs(fresh)).toBeGreaterThanOrEqual(snowflakeTimeMs(last));
    await stalled.close();
  });

  test("are not minted by a clock that was set back far behind the lease", async () => {
    const { open, clock } = house();
    let backMs = 0;
    const replica = await open("a", {
      clock: { ...clock, nowMs: () => clock.nowMs() - backMs },
    });
    backMs = clockSkewMsMax / 2;
    replica.ids.executionId();
    backMs = 2 * clockSkewMsMax;
    expect(() => replica.ids.executionId()).toThrow("mints no ids");
    await replica.close();
  });

  test("are not minted after the replica has closed", async () => {
    const { open } = house();
    const replica = await open("a");
    await replica.close();
    expect(() => replica.ids.executionId()).toThrow("mints no ids");
  });
});
