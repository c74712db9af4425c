// The contract of request keys, told against the port alone.
import { expect, test } from "bun:test";
import type { ExecutionId } from "#core/model/ids";
import type { KeyRequest, RequestKeys } from "#core/ports/request-keys";
import { onWorld, type PlatformStores, type PlatformWorld } from "./platform.ts";
import { newExecution } from "./transitions.ts";

const windowMs = 60_000;
const expiry = { request_key: ["expires_at"] };

const asked = (key: string, part: Partial<KeyRequest> = {}): KeyRequest => ({
  tenant: "acme",
  scope: "execute",
  key,
  executionId: newExecution(),
  windowMs,
  ...part,
});

export function requestKeysContract(world: PlatformWorld): void {
  onWorld("request keys", world, (opened) => {
    const keys = (): RequestKeys => opened().stores.requestKeys;
    const takeOne = async (request: KeyRequest) => (await keys().take([request]))[0];

    test("a key stands for what it was first taken for", async () => {
      const first = asked("first");
      const again = asked("first");
      expect(await takeOne(first)).toEqual({ executionId: first.executionId, isNew: true });
      expect(await takeOne(again)).toEqual({ executionId: first.executionId, isNew: false });
      expect(await takeOne(first)).toEqual({ executionId: first.executionId, isNew: true });
    });

    test("keys of other scopes and tenants are other keys", async () => {
      const key = 'a "key" $1 \\ žluť 😀';
      const all = [
        asked(key),
        asked(key, { scope: "schedule/1" }),
        asked(key, { tenant: "other" }),
        asked(`${key} `),
      ];
      expect(await keys().take(all)).toEqual(
        all.map(({ executionId }) => ({ executionId, isNew: true })),
      );
    });

    test("of a key twice in a list the first is taken, and answers keep the order", async () => {
      const known = asked("z known");
      await keys().take([known]);
      const list = [asked("z twice"), asked("z known"), asked("a new"), asked("z twice")];
      const [twice, , fresh] = list.map(({ executionId }) => executionId);
      expect(await keys().take(list)).toEqual([
        { executionId: twice as ExecutionId, isNew: true },
        { executionId: known.executionId, isNew: false },
        { executionId: fresh as ExecutionId, isNew: true },
        { executionId: twice as ExecutionId, isNew: false },
      ]);
      const same = asked("z same");
      const both = await keys().take([same, same]);
      expect(both.map(({ isNew }) => isNew)).toEqual([true, false]);
      expect(await keys().take([])).toEqual([]);
    });

    test("of many that take keys at once, in any order, all are told the same", async () => {
      const names = Array.from({ length: 20 }, (_, n) => `race ${n}`);
      const lists = Array.from({ length: 16 }, (_, n) => {
        const list = names.map((name) => asked(name));
        return n % 2 === 0 ? list : list.reverse();
      });
      const taken = await Promise.all(lists.map((list) => keys().take(list)));
      for (const name of names) {
        const told = lists.flatMap((list, n) => {
          const at = list.findIndex(({ key }) => key === name);
          return taken[n]?.[at] ?? [];
        });
        expect(told).toHaveLength(lists.length);
        expect(new Set(told.map(({ executionId }) => executionId)).size).toBe(1);
        expect(told.filter(({ isNew }) => isNew)).toHaveLength(1);
      }
    });

    expiring(opened);
  });
}

function expiring(opened: () => PlatformStores): void {
  const keys = (): RequestKeys => opened().stores.requestKeys;

  test("a key whose time has run out is taken over, for a time of its own", async () => {
    const old = asked("over");
    await keys().take([old]);
    await opened().passTime(windowMs - 5_000, expiry);
    const early = await keys().take([asked("over")]);
    expect(early).toEqual([{ executionId: old.executionId, isNew: false }]);
    await opened().passTime(5_001, expiry);
    const next = asked("over");
    const twice = await keys().take([next, asked("over")]);
    expect(twice).toEqual([
      { executionId: next.executionId, isNew: true },
      { executionId: next.executionId, isNew: false },
    ]);
    await opened().passTime(windowMs - 5_000, expiry);
    const [late] = await keys().take([asked("over")]);
    expect(late?.executionId).toBe(next.executionId);
  });

  test("a purge removes what has run out, at most so many, and nothing else", async () => {
    await opened().passTime(10 * windowMs, expiry);
    while ((await keys().purge(1_000)) > 0);
    const gone = [asked("gone 1"), asked("gone 2"), asked("gone 3")];
    await keys().take(gone);
    const kept = asked("kept", { windowMs: 10 * windowMs });
    await keys().take([kept]);
    expect(await keys().purge(10)).toBe(0);
    await opened().passTime(windowMs + 1, expiry);
    expect(await keys().purge(2)).toBe(2);
    expect(await keys().purge(2)).toBe(1);
    expect(await keys().purge(2)).toBe(0);
    const [still] = await keys().take([asked("kept")]);
    expect(still).toEqual({ executionId: kept.executionId, isNew: false });
  });
}
