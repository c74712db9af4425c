// Roles that one of many processes has: taken, kept, given back, taken over, and never had by two.
import { describe, expect, test } from "bun:test";
import { holdRole, type Role, type RoleWork } from "#control/roles/lease";
import { memoryCursors } from "#core/adapters/memory-cursors";
import { systemClock } from "#core/adapters/system-clock";
import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { CursorStore } from "#core/ports/cursor-store";
import { eventually, onBothStores, type Shelf } from "#tests/support/control";

/** Of a database in real time: long enough for a holder to notice its end on a busy machine. */
const leaseMs = 600;
let names = 0;

const untilEnded: RoleWork = (_hold, ended) =>
  new Promise((resolve) => {
    if (ended.aborted) resolve();
    ended.addEventListener("abort", () => resolve(), { once: true });
  });

/** The time by which leases run out: on memory the shelf's own, which passes as it is looked at. */
function timeOf({ kind, clock }: Shelf): { readonly clock: Clock; pass(): Promise<void> } {
  if (kind === "memory") return { clock, pass: () => clock.advance(1) };
  return { clock: systemClock(), pass: async () => {} };
}

/** Who has a role now, by the work that runs. */
function stage(shelf: Shelf, cursors: CursorStore) {
  const name = `role ${++names}`;
  const { clock, pass } = timeOf(shelf);
  const atWork = new Set<string>();
  const reports: string[] = [];
  let most = 0;
  const enter = (owner: string, own: CursorStore = cursors, work = untilEnded): Role =>
    holdRole(
      {
        name,
        owner,
        cursors: own,
        clock,
        leaseMs,
        report: (message) => void reports.push(message),
      },
      async (hold, ended) => {
        atWork.add(owner);
        most = Math.max(most, atWork.size);
        await work(hold, ended).finally(() => atWork.delete(owner));
      },
    );
  const comes = <Value>(look: () => Value | undefined): Promise<Value> =>
    eventually(async () => {
      await pass();
      return look();
    });
  const seen = (owner: string) => comes(() => (atWork.has(owner) ? true : undefined));
  return { name, atWork, reports, enter, comes, seen, most: () => most };
}

onBothStores((shelf) => {
  const cursorsOf = (): CursorStore =>
    shelf().kind === "memory" ? memoryCursors(shelf().clock) : shelf().open().stores.cursors;

  describe("a role", () => {
    test("has one holder of many, and the next when that one stops", async () => {
      const { enter, atWork, comes, most } = stage(shelf(), cursorsOf());
      const roles = new Map(["a", "b", "c"].map((owner) => [owner, enter(owner)]));
      const held: string[] = [];
      for (let n = 0; n < 3; n++) {
        const owner = await comes(() => [...atWork][0]);
        held.push(owner);
        await roles.get(owner)?.stop();
      }
      expect(held.toSorted()).toEqual(["a", "b", "c"]);
      expect(most()).toBe(1);
    });

    test("is given back by a holder that stops, not left to run out", async () => {
      const cursors = cursorsOf();
      const { name, enter, seen } = stage(shelf(), cursors);
      const role = enter("only");
      await seen("only");
      await role.stop();
      const [cursor] = (await cursors.list()).filter((one) => one.name === name);
      expect(cursor).toEqual({ name, held: false });
    });

    test("goes to another when its holder dies without a word", async () => {
      const cursors = cursorsOf();
      const { name, enter, seen } = stage(shelf(), cursors);
      expect(await cursors.take(name, "dead", leaseMs)).toBeDefined();
      const next = enter("next");
      await seen("next");
      await next.stop();
    });

    test("is left by a holder whose store stays away, before another can have it", async () => {
      const cursors = cursorsOf();
      let isAway = false;
      const away = (): Promise<never> => Promise.reject(new Fault("unavailable", "away"));
      const cut: CursorStore = {
        ...cursors,
        take: (...args) => (isAway ? away() : cursors.take(...args)),
        renew: (...args) => (isAway ? away() : cursors.renew(...args)),
        release: (...args) => (isAway ? away() : cursors.release(...args)),
      };
      const { enter, seen, most, reports } = stage(shelf(), cursors);
      const first = enter("first", cut);
      await seen("first");
      const second = enter("second");
      isAway = true;
      await seen("second");
      expect(most()).toBe(1);
      expect(reports.some((report) => report.includes("away"))).toBe(true);
      await Promise.all([first.stop(), second.stop()]);
    });

    test("comes back to a process whose work failed", async () => {
      const { enter, seen, comes, reports } = stage(shelf(), cursorsOf());
      let runs = 0;
      const role = enter("only", undefined, (hold, ended) => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error("it broke")) : untilEnded(hold, ended);
      });
      await comes(() => (runs > 1 ? true : undefined));
      await seen("only");
      expect(reports.join()).toContain("it broke");
      await role.stop();
    });
  });
});
