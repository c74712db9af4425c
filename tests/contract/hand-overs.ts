// The contract of hand-overs and of the time since when sweeps have run: a lease that nobody has
// spoken of costs nothing, and nobody's lease runs out over an outage of the sweeps.
import { expect, test } from "bun:test";
import type { EventLogWorld } from "./event-log.ts";
import { asRow, claim, expire, issue, leaseMs, leasesOf } from "./rows.ts";
import { idsOf } from "./transitions.ts";

type World = () => EventLogWorld;

const handed = { lease: { worker: "w", leaseMs: 3_000 } };

export function handOverContract(world: World): void {
  acceptance(world);
  liveness(world);
}

function acceptance(world: World): void {
  test("a hand-over that nobody speaks of is ready again at its attempt, without a mark", async () => {
    const { log, advance } = world();
    const issued = await issue(log, ["own"], handed);
    await advance(2_000);
    expect(await expire(log, 5, 0)).toEqual([]);
    expect(await claim(log, 5, { worker: "v" })).toEqual([]);
    await advance(1_001);
    expect(await expire(log, 5, 0)).toEqual([]);
    expect(await claim(log, 5, { worker: "v" })).toEqual(issued.map((row) => asRow(row, "v")));
  });

  test("a hand-over that came late is kept if its worker is the first to speak of it", async () => {
    const { log, advance } = world();
    const issued = await issue(log, ["own"], handed);
    const refs = issued.map(({ commandId }) => ({ commandId, attempt: 1 }));
    await advance(9_000);
    expect(await log.renew("w", refs, leaseMs)).toEqual(["renewed"]);
    expect(await expire(log, 5, 0)).toEqual([]);
    expect(await claim(log, 5)).toEqual([]);
    await advance(leaseMs + 1);
    expect(await expire(log, 5, 0)).toEqual(issued.map((row) => asRow(row, "w")));
  });

  test("what was handed over is given again to the same worker, until it speaks of it", async () => {
    const { log, advance } = world();
    const [one, two] = await issue(log, ["one", "two"], handed);
    const [other] = await issue(log, ["other"], handed);
    const [foreign] = await issue(log, ["foreign"], { lease: { worker: "v", leaseMs: 3_000 } });
    if (one === undefined || two === undefined || other === undefined || foreign === undefined) {
      throw new Error("nothing was issued");
    }
    await advance(2_000);
    const ids = [one.executionId, foreign.executionId];
    const again = await log.handed("w", ids, 3_000);
    expect(new Set(idsOf(again))).toEqual(new Set([one.commandId, two.commandId]));
    await advance(2_000);
    await expire(log, 5, 0);
    // Given again, they are held again; what nobody asked for is ready.
    expect(idsOf(await claim(log, 5, { worker: "x" }))).toEqual(idsOf([other, foreign]));
    await log.renew("w", leasesOf(again), leaseMs);
    expect(await log.handed("w", ids, 3_000)).toEqual([]);
    expect(await log.handed("w", [], 3_000)).toEqual([]);
  });

  test("a claimed row is no hand-over", async () => {
    const { log } = world();
    const [row] = await issue(log, ["one"]);
    await claim(log, 1);
    expect(row && (await log.handed("w", [row.executionId], 3_000))).toEqual([]);
  });
}

function liveness(world: World): void {
  const sweep = () => world().log.expire({ limit: 5, againMs: 60_000, leaseMs, gapMs: leaseMs });

  /** In a database the real time goes on as well, so much of it at most in one of these tests. */
  const realMs = 4_000;

  /** Sweeps every second for so long; what expired on the way. */
  async function pass(durationMs: number): Promise<number> {
    let expired = 0;
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
      await world().advance(1_000);
      expired += (await sweep()).length;
    }
    return expired;
  }

  test("leases run out while sweeps go on, whoever sweeps", async () => {
    const { log } = world();
    expect(await sweep()).toEqual([]);
    await pass(2 * leaseMs);
    await issue(log, ["one"]);
    await claim(log, 1);
    expect(await pass(leaseMs - realMs)).toBe(0);
    expect(await pass(realMs + 1_000)).toBe(1);
  });

  test("after a gap as long as a lease, everybody gets one whole lease, and no more", async () => {
    const { log, advance } = world();
    await pass(2 * leaseMs);
    await issue(log, ["one", "two"]);
    const claimed = await claim(log, 2);
    await advance(5 * leaseMs);
    expect(await sweep()).toEqual([]);
    expect(await pass(leaseMs - realMs)).toBe(0);
    expect(await log.renew("w", leasesOf(claimed.slice(0, 1)), leaseMs)).toEqual(["renewed"]);
    expect(await pass(realMs + 1_000)).toBe(1);
  });

  test("a hand-over outlives a gap like a lease", async () => {
    const { log, advance } = world();
    await pass(2 * leaseMs);
    const issued = await issue(log, ["one"], handed);
    await advance(5 * leaseMs);
    await sweep();
    const refs = issued.map(({ commandId }) => ({ commandId, attempt: 1 }));
    expect(await log.renew("w", refs, leaseMs)).toEqual(["renewed"]);
  });

  test("a sweep may know that no worker outlived its process", async () => {
    const { log, advance } = world();
    await issue(log, ["one"]);
    await claim(log, 1);
    await advance(5 * leaseMs);
    expect(await expire(log, 5, 60_000)).toHaveLength(1);
  });
}
