// The part of the event log's contract about executions and their lists.
import { expect, test } from "bun:test";
import { catalogId as asCatalogId, executionId as asExecutionId } from "#core/model/ids";
import type { EventLog, ExecutionFilter, ExecutionRow } from "#core/ports/event-log";
import type { EventLogWorld } from "./event-log.ts";
import { continueWith, newExecution, rowOf, startWith, transition } from "./transitions.ts";

/** What a filter means. */
function matches(row: ExecutionRow, filter: Partial<ExecutionFilter>): boolean {
  const { status, pathPrefix, from, before } = filter;
  const id = BigInt(row.executionId);
  if (status !== undefined && ![status].flat().includes(row.status)) return false;
  if (pathPrefix !== undefined && !row.path.startsWith(pathPrefix)) return false;
  if (from !== undefined && id < BigInt(from)) return false;
  if (before !== undefined && id >= BigInt(before)) return false;
  const names = ["tenant", "path", "catalogId", "version", "parentId"] as const;
  return names.every((name) => filter[name] === undefined || filter[name] === row[name]);
}

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

  test("every filter of a list agrees with what the rows say, alone and with every other", async () => {
    const statuses = ["running", "completed", "failed", "cancelled"] as const;
    const paths = ["a/b", "a/b/c", "a%", "a_b", "A/b", "ä"];
    const parentId = newExecution();
    const rows = Array.from({ length: 120 }, (_, n) =>
      rowOf(newExecution(), {
        tenant: n % 3 === 0 ? "acme" : "other",
        status: statuses[n % 4] ?? "running",
        path: paths[n % paths.length] ?? "",
        version: (n % 2) + 1,
        catalogId: asCatalogId(String(1_000 + (n % 5))),
        ...(n % 7 === 0 ? { parentId } : {}),
      }),
    );
    await world().log.append(rows.map((row) => transition(row.executionId, { row })));
    const [early, late] = [rows[20], rows[100]];
    const choices: readonly (readonly Partial<ExecutionFilter>[])[] = [
      [{}, { tenant: "acme" }],
      [{}, { status: "failed" }, { status: ["running", "cancelled", "running"] }, { status: [] }],
      [{}, { path: "a/b" }, { pathPrefix: "a" }, { pathPrefix: "a/b" }, { pathPrefix: "" }],
      [{}, { catalogId: asCatalogId("1003") }],
      [{}, { version: 2 }, { parentId }],
      [{}, ...(early && late ? [{ from: early.executionId, before: late.executionId }] : [])],
    ];
    const filters = choices.reduce<Partial<ExecutionFilter>[]>(
      (made, options) => made.flatMap((one) => options.map((option) => ({ ...one, ...option }))),
      [{}],
    );
    // One in seven: every choice meets every other one somewhere.
    for (const filter of filters.filter((_, n) => n % 7 === 0)) {
      const wanted = rows.filter((row) => matches(row, filter)).map((row) => row.executionId);
      const found = await idsFor({ ...filter, limit: 25 });
      expect({ filter, found }).toEqual({ filter, found: wanted.reverse().slice(0, 25) });
    }
  }, 60_000);

  test("what a filter says is text and nothing else", async () => {
    const own = newExecution();
    await world().log.append([transition(own, { row: { tenant: "t", path: "p'--%_" } })]);
    const hostile = [
      "' or true --",
      "%",
      "_",
      "\\",
      "');drop table noetl.event;--",
      "p'--%_x",
      "*",
    ];
    for (const text of hostile) {
      for (const name of ["tenant", "path"] as const) {
        expect(await idsFor({ [name]: text, limit: 9 })).toEqual([]);
      }
      expect(await idsFor({ tenant: "t", pathPrefix: text, limit: 9 })).toEqual([]);
    }
    expect(await idsFor({ tenant: "t", pathPrefix: "p'--%_", limit: 9 })).toEqual([own]);
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
