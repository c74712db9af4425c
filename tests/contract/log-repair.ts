// The contract of the repair of an event log: rows written over under the head they were read at.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CommandId, type ExecutionId, executionId } from "#core/model/ids";
import type { EventLog, NewCommandRow } from "#core/ports/event-log";
import type { LogRepair, Repair } from "#core/ports/log-repair";
import { claim, leaseMs } from "./rows.ts";
import { command, continueWith, newExecution, rowOf, transition } from "./transitions.ts";

export interface RepairWorld {
  readonly log: EventLog;
  readonly repair: LogRepair;
  close(): Promise<void>;
}

interface Started {
  readonly id: ExecutionId;
  readonly found: { readonly seq: number; readonly digest: string };
}

async function started(log: EventLog, rows: (id: ExecutionId) => readonly NewCommandRow[]) {
  const id = newExecution();
  const first = transition(id, { issued: rows(id) });
  await log.append([first]);
  return { id, found: { seq: 1, digest: first.events[0]?.digest ?? "" } };
}

const repairOf = (
  { id, found }: Started,
  rows: readonly NewCommandRow[],
  part: Partial<Repair> = {},
): Repair => ({
  row: rowOf(id),
  head: found.seq,
  digest: found.digest,
  found,
  rows,
  leaseMs,
  ...part,
});

export function logRepairContract(name: string, open: () => Promise<RepairWorld>): void {
  describe(`the repair of the event log on ${name}`, () => {
    let world: RepairWorld | undefined;
    const opened = (): RepairWorld => {
      if (world === undefined) throw new Error(`${name} did not open`);
      return world;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.close());

    listing(opened);
    replacing(opened);
    leases(opened);
  });
}

function listing(world: () => RepairWorld): void {
  test("lists every execution once, by rising id, page after page", async () => {
    const { log, repair } = world();
    const before = (await repair.executionIds(undefined, 1_000)).at(-1);
    const made: ExecutionId[] = [];
    for (let count = 0; count < 7; count++) made.push((await started(log, () => [])).id);
    const found: ExecutionId[] = [];
    for (let after = before; ; after = found.at(-1)) {
      const page = await repair.executionIds(after, 3);
      found.push(...page);
      if (page.length < 3) break;
    }
    expect(found).toEqual(made);
    expect(await repair.executionIds(found.at(-1), 3)).toEqual([]);
  });

  test("gives all rows that an execution has caused, of every kind, and no others", async () => {
    const { log, repair } = world();
    const { id } = await started(log, (own) => [
      command(own, "b", { kind: "timer", attempt: 2, pool: "p", payload: { n: 1 } }),
      command(own, "a"),
      command(own, "c", { kind: "child.start" }),
    ]);
    await started(log, (own) => [command(own, "a")]);
    const rows = await repair.rowsOf(id);
    expect(rows.map(({ commandId }) => commandId)).toEqual(
      ["a", "b", "c"].map((step) => `${id}:${step}:1` as CommandId),
    );
    expect(rows[1]).toEqual({
      commandId: `${id}:b:1` as CommandId,
      executionId: id,
      kind: "timer",
      pool: "p",
      attempt: 2,
      payload: { n: 1 },
    });
    expect(await repair.rowsOf(executionId("x"))).toEqual([]);
  });
}

function replacing(world: () => RepairWorld): void {
  test("replaces the execution's row and the rows of its commands", async () => {
    const { log, repair } = world();
    const own = await started(log, (id) => [
      command(id, "stale"),
      command(id, "wrong", { kind: "timer", attempt: 7, pool: "odd" }),
      command(id, "told", { kind: "child.start" }),
    ]);
    const neighbour = await started(log, (id) => [command(id, "stale")]);
    const { id } = own;
    const terms = { priority: 3, tenant: "t", playbook: "p", tool: "k", labels: ["gpu", 'a "b"'] };
    const wanted = [
      command(id, "wrong", { attempt: 2, payload: { right: true } }),
      { ...command(id, "missing", { pool: "repaired" }), terms },
    ];
    const row = rowOf(id, { status: "running", currentStep: "wrong", path: "tests/repaired" });
    expect(await repair.repair(repairOf(own, wanted, { row }))).toBe("repaired");
    expect(await log.head(id)).toEqual({ ...own.found, row });
    const rows = await repair.rowsOf(id);
    expect(rows.map((each) => [each.commandId, each.kind, each.attempt, each.pool])).toEqual([
      [`${id}:missing:1`, "tool", 1, "repaired"],
      [`${id}:told:1`, "child.start", 1, "default"],
      [`${id}:wrong:1`, "tool", 2, "default"],
    ] as never);
    expect(rows[2]?.payload).toEqual({ right: true });
    const request = {
      worker: "w",
      pools: ["repaired"],
      labels: ["gpu", 'a "b"'],
      want: 1,
      leaseMs,
    };
    expect(await log.claim(request)).toMatchObject([{ commandId: `${id}:missing:1`, terms }]);
    expect(await repair.rowsOf(neighbour.id)).toHaveLength(1);
  });

  test("changes nothing when the log has moved on since it was read", async () => {
    const { log, repair } = world();
    const own = await started(log, (id) => [command(id, "one")]);
    await continueWith(log, own.id, { issued: [command(own.id, "two")] });
    const head = await log.head(own.id);
    const row = rowOf(own.id, { status: "failed" });
    expect(await repair.repair(repairOf(own, [], { row }))).toBe("moved");
    const other = { ...own, found: { seq: 2, digest: own.found.digest } };
    expect(await repair.repair(repairOf(other, [], { row }))).toBe("moved");
    expect(await repair.repair(repairOf(own, [], { row, found: undefined }))).toBe("moved");
    expect(await log.head(own.id)).toEqual(head);
    expect(await repair.rowsOf(own.id)).toHaveLength(2);
  });

  test("the log goes on from a repaired row", async () => {
    const { log, repair } = world();
    const own = await started(log, (id) => [command(id, "one")]);
    await repair.repair(repairOf(own, [command(own.id, "one")]));
    const next = transition(own.id, { head: own.found, settled: [`${own.id}:one:1` as CommandId] });
    expect(await log.append([next])).toEqual(["accepted"]);
    expect(await repair.rowsOf(own.id)).toEqual([]);
  });
}

function leases(world: () => RepairWorld): void {
  test("who works on a command at that attempt goes on with it", async () => {
    const { log, repair } = world();
    const own = await started(log, (id) => [command(id, "one", { pool: "held" })]);
    const [claimed] = await claim(log, 1, { worker: "w7", pools: ["held"] });
    const row = command(own.id, "one", { pool: "held", payload: { new: 1 } });
    await repair.repair(repairOf(own, [row]));
    expect(await claim(log, 1, { worker: "w8", pools: ["held"] })).toEqual([]);
    const lease = { commandId: claimed?.commandId ?? ("" as CommandId), attempt: 1 };
    expect(await log.renew("w7", [lease], leaseMs)).toEqual(["renewed"]);
    expect((await repair.rowsOf(own.id))[0]?.payload).toEqual({ new: 1 });
  });

  test("who works on it at another attempt has lost it, and another is given it", async () => {
    const { log, repair } = world();
    const own = await started(log, (id) => [command(id, "one", { pool: "lost" })]);
    const [claimed] = await claim(log, 1, { worker: "w7", pools: ["lost"] });
    await repair.repair(repairOf(own, [command(own.id, "one", { pool: "lost", attempt: 2 })]));
    const lease = { commandId: claimed?.commandId ?? ("" as CommandId), attempt: 1 };
    expect(await log.renew("w7", [lease], leaseMs)).toEqual(["lost"]);
    const [again] = await claim(log, 1, { worker: "w8", pools: ["lost"] });
    expect(again?.attempt).toBe(2);
  });
}
