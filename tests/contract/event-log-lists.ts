// The part of the event log's contract about executions and their lists.
import { expect, test } from "bun:test";
import { executionId as asExecutionId } from "#core/model/ids";
import type { EventLog } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { continueWith, newExecution, rowOf, startWith, transition } from "./transitions.ts";

/** Heads, lists and children of executions, and those in quarantine. */
export function listContract(world: () => EventLogWorld): void {
  const idsFor = async (filter: Parameters<EventLog["executions"]>[0]) =>
    (await world().log.executions(filter)).map(({ executionId }) => executionId);

  test("executions come newest first, by value of the id, page after page", async () => {
    const short = asExecutionId("99");
    const ids = [short, ...Array.from({ length: 5 }, newExecution)];
    await world().log.append([...ids].reverse().map((id) => transition(id)));
    const newest = [...ids].reverse();
    expect(await idsFor({ limit: 100 })).toEqual(newest);
    const pages: string[] = [];
    for (let page = await idsFor({ limit: 2 }); page.length > 0; ) {
      pages.push(...page);
      const before = page.at(-1);
      page = before === undefined ? [] : await idsFor({ limit: 2, before });
    }
    expect(pages).toEqual(newest);
    expect(await idsFor({ limit: 0 })).toEqual([]);
  });

  test("executions are filtered by status, path and parent, alone and together", async () => {
    const parentId = newExecution();
    const plain = newExecution();
    const failed = newExecution();
    const child = newExecution();
    const both = newExecution();
    await world().log.append([
      transition(plain),
      transition(failed, { row: { status: "failed", path: "tests/b" } }),
      transition(child, { row: { parentId, path: "tests/b" } }),
      transition(both, { row: { parentId, status: "failed", path: "tests/b" } }),
    ]);
    expect(await idsFor({ status: "failed", limit: 9 })).toEqual([both, failed]);
    expect(await idsFor({ path: "tests/b", limit: 9 })).toEqual([both, child, failed]);
    expect(await idsFor({ parentId, limit: 9 })).toEqual([both, child]);
    expect(await idsFor({ parentId, status: "running", limit: 9 })).toEqual([child]);
    expect(await idsFor({ path: "tests/b", status: "failed", before: both, limit: 9 })).toEqual([
      failed,
    ]);
    expect(await idsFor({ path: "tests", limit: 9 })).toEqual([]);
  });

  test("executions are filtered by tenant, which no transition loses", async () => {
    const own = newExecution();
    const failed = newExecution();
    const other = newExecution();
    await world().log.append([
      transition(own, { row: { tenant: "acme" } }),
      transition(failed, { row: { tenant: "acme", status: "failed" } }),
      transition(other, { row: { tenant: "other" } }),
    ]);
    await continueWith(world().log, own, { row: { tenant: "acme" } });
    expect(await idsFor({ tenant: "acme", limit: 9 })).toEqual([failed, own]);
    expect(await idsFor({ tenant: "acme", status: "running", limit: 9 })).toEqual([own]);
    expect(await idsFor({ tenant: "nobody", limit: 9 })).toEqual([]);
    expect((await world().log.head(own))?.row.tenant).toBe("acme");
  });

  test("children are the direct ones, running and ended, oldest first", async () => {
    const root = newExecution();
    const first = newExecution();
    const second = newExecution();
    const grandchild = newExecution();
    await world().log.append([
      transition(root),
      transition(second, { row: { parentId: root } }),
      transition(first, { row: { parentId: root, status: "completed" } }),
      transition(grandchild, { row: { parentId: first } }),
    ]);
    expect(await world().log.children(root)).toEqual([
      rowOf(first, { parentId: root, status: "completed" }),
      rowOf(second, { parentId: root }),
    ]);
    expect(await world().log.children(second)).toEqual([]);
  });

  test("an id that can't be one is nobody's", async () => {
    await world().log.append([transition(newExecution())]);
    for (const id of ["x", "", "-1", "0x1", "1e3", "9".repeat(30)].map(asExecutionId)) {
      expect(await world().log.head(id)).toBeUndefined();
      expect(await world().log.events(id, 0, 9)).toEqual([]);
      expect(await world().log.children(id)).toEqual([]);
      expect(await world().log.quarantined(id)).toBeUndefined();
      expect(await idsFor({ parentId: id, limit: 9 })).toEqual([]);
    }
  });

  test("a quarantined execution has its newest reason, others have none", async () => {
    const id = newExecution();
    await startWith(world().log, () => []);
    expect(await world().log.quarantined(id)).toBeUndefined();
    await world().log.quarantine(id, "replay threw");
    await world().log.quarantine(id, "replay threw at \0");
    expect(await world().log.quarantined(id)).toBe("replay threw at \uFFFD");
    expect(await world().log.quarantined(newExecution())).toBeUndefined();
  });
}
