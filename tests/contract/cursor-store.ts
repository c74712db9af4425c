// The contract of cursors: one holder at a time, and no word of an earlier one counts.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { CursorStore } from "#core/ports/cursor-store";

export interface CursorWorld {
  readonly cursors: CursorStore;
  /** Lets this much time pass for every lease. */
  advance(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

const leaseMs = 10_000;
let names = 0;

export function cursorStoreContract(name: string, open: () => Promise<CursorWorld>): void {
  describe(`cursors on ${name}`, () => {
    let world: CursorWorld | undefined;
    const the = (): CursorWorld => {
      if (world === undefined) throw new Error("expected the hooks to have run");
      return world;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.close());
    holding(the);
    fencing(the);
  });
}

async function held(cursors: CursorStore, owner: string, role: string) {
  const hold = await cursors.take(role, owner, leaseMs);
  if (hold === undefined) throw new Error(`${owner} did not get ${role}`);
  return hold;
}

const newRole = (): string => `role ${++names}`;

function holding(the: () => CursorWorld): void {
  test("give a name to one of many who ask at once", async () => {
    const role = newRole();
    const asked = Array.from({ length: 8 }, (_, n) => the().cursors.take(role, `p${n}`, leaseMs));
    const got = (await Promise.all(asked)).filter((hold) => hold !== undefined);
    expect(got).toHaveLength(1);
  });

  test("keep the name for its holder as long as it renews", async () => {
    const { cursors, advance } = the();
    const hold = await held(cursors, "first", newRole());
    await advance(leaseMs - 2_000);
    expect(await cursors.renew(hold, leaseMs)).toBe(true);
    await advance(leaseMs - 2_000);
    expect(await cursors.take(hold.name, "second", leaseMs)).toBeUndefined();
  });

  test("give the name and the position to the next when the holder is silent", async () => {
    const { cursors, advance } = the();
    const first = await held(cursors, "first", newRole());
    expect(await cursors.advance(first, "here")).toBe(true);
    await advance(leaseMs + 1);
    const second = await held(cursors, "second", first.name);
    expect(second.position).toBe("here");
    expect(second.fence).toBeGreaterThan(first.fence);
  });

  test("give the name at once when the holder lets it go", async () => {
    const { cursors } = the();
    const first = await held(cursors, "first", newRole());
    await cursors.release(first);
    expect((await held(cursors, "second", first.name)).owner).toBe("second");
  });

  test("list who holds what", async () => {
    const { cursors, advance } = the();
    const hold = await held(cursors, "first", newRole());
    await cursors.advance(hold, "here");
    const mine = async () => (await cursors.list()).find(({ name }) => name === hold.name);
    expect(await mine()).toEqual({ name: hold.name, owner: "first", position: "here", held: true });
    await advance(leaseMs + 1);
    expect(await mine()).toMatchObject({ owner: "first", held: false });
  });
}

function fencing(the: () => CursorWorld): void {
  test("let an earlier holder change nothing", async () => {
    const { cursors, advance } = the();
    const first = await held(cursors, "first", newRole());
    await advance(leaseMs + 1);
    const second = await held(cursors, "second", first.name);
    expect(await cursors.advance(first, "stale")).toBe(false);
    expect(await cursors.renew(first, leaseMs)).toBe(false);
    await cursors.release(first);
    expect(await cursors.advance(second, "right")).toBe(true);
    await cursors.release(second);
    expect((await held(cursors, "third", first.name)).position).toBe("right");
  });

  test("fence off a process that took the name before it was started anew", async () => {
    const { cursors } = the();
    const before = await held(cursors, "same", newRole());
    const after = await held(cursors, "same", before.name);
    expect(await cursors.advance(before, "stale")).toBe(false);
    expect(await cursors.advance(after, "right")).toBe(true);
  });

  test("let a holder that was only late go on when nobody came", async () => {
    const { cursors, advance } = the();
    const hold = await held(cursors, "first", newRole());
    await advance(leaseMs + 1);
    expect(await cursors.renew(hold, leaseMs)).toBe(true);
    expect(await cursors.take(hold.name, "second", leaseMs)).toBeUndefined();
  });
}
