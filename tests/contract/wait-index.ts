// The contract of the index of open waits, told against the port alone.
import { expect, test } from "bun:test";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { IndexedWait, WaitChanges, WaitIndex } from "#core/ports/wait-index";
import { onWorld, type PlatformWorld } from "./platform.ts";
import { newExecution, transition } from "./transitions.ts";

const nothing: WaitChanges = { early: [], opened: [], closed: [], ended: [] };

export function waitIndexContract(world: PlatformWorld): void {
  onWorld("the index of waits", world, (opened) => {
    const index = (): WaitIndex => opened().stores.waits;
    const apply = (changes: Partial<WaitChanges>) => index().apply({ ...nothing, ...changes });
    const execution = async (tenant = "acme"): Promise<ExecutionId> => {
      const id = newExecution();
      await opened().stores.log.append([transition(id, { row: { tenant } })]);
      return id;
    };
    const wait = (id: ExecutionId, n: number, part: Partial<IndexedWait> = {}): IndexedWait => ({
      commandId: `${id}:hold:${n}` as CommandId,
      ...{ executionId: id, for: "signal", key: "k", step: "hold", sinceMs: 1_700_000_000_001 },
      ...part,
    });
    const found = async (id: ExecutionId): Promise<readonly string[]> =>
      (await index().list({ executionId: id, limit: 100 })).map(({ commandId }) => commandId);

    test("what is parked is listed with whose it is, until it is answered", async () => {
      const id = await execution();
      const full = wait(id, 1, {
        for: "approval",
        key: 'a "k" žluť',
        who: { roles: ["editor"], users: "a\u0000b" },
        about: { n: [1e300, null] },
        dueMs: 9_000_000_000_001,
      });
      await apply({ opened: [full, wait(id, 2)] });
      const [first, second] = await index().list({ executionId: id, limit: 9 });
      expect(first).toEqual({ ...full, tenant: "acme" });
      expect(second).toEqual({ ...wait(id, 2), tenant: "acme" });
      await apply({ closed: [full.commandId, `${id}:other:1` as CommandId] });
      expect(await found(id)).toEqual([`${id}:hold:2`]);
      await apply({ ended: [id] });
      expect(await found(id)).toEqual([]);
      await apply({});
    });

    test("lists go by command, from one on, by tenant and by what is waited for", async () => {
      const [mine, other] = [await execution("lists"), await execution("elsewhere")];
      const kinds = ["signal", "approval", "callback", "timer"] as const;
      const waits = kinds.map((kind, n) => wait(mine, n + 1, { for: kind }));
      await apply({ opened: [...waits].reverse() });
      await apply({ opened: [wait(other, 1)] });
      const list = async (filter: object): Promise<readonly string[]> =>
        (await index().list({ limit: 9, ...filter })).map(({ commandId }) => commandId);
      const ids = waits.map(({ commandId }) => commandId as string);
      expect(await list({ tenant: "lists" })).toEqual(ids);
      expect(await list({ tenant: "lists", limit: 2 })).toEqual(ids.slice(0, 2));
      expect(await list({ tenant: "lists", after: ids[1] })).toEqual(ids.slice(2));
      expect(await list({ tenant: "lists", for: "approval" })).toEqual(ids.slice(1, 2));
      expect(await list({ tenant: "lists", executionId: other })).toEqual([]);
      expect(await list({})).toEqual(expect.arrayContaining([...ids, `${other}:hold:1`]));
    });

    test("a wait whose answer was there before is none, and the next under its key is one", async () => {
      const id = await execution();
      const answer = { executionId: id, seq: 3, for: "signal", key: "k" } as const;
      await apply({ early: [answer] });
      expect(await found(id)).toEqual([]);
      await apply({ opened: [wait(id, 1, { for: "callback" })] });
      await apply({ opened: [wait(id, 2)] });
      expect(await found(id)).toEqual([`${id}:hold:1`]);
      await apply({ opened: [wait(id, 3)] });
      expect(await found(id)).toEqual([`${id}:hold:1`, `${id}:hold:3`]);
      await apply({ early: [{ ...answer, seq: 9 }], opened: [wait(id, 4)] });
      expect(await found(id)).toEqual([`${id}:hold:1`, `${id}:hold:3`]);
    });

    test("applying the same again leaves what stood there", async () => {
      const id = await execution();
      const answer = { executionId: id, seq: 3, for: "signal", key: "k" } as const;
      const steps: readonly Partial<WaitChanges>[] = [
        { early: [answer] },
        { opened: [wait(id, 1)] },
        { opened: [wait(id, 2)] },
        { closed: [`${id}:hold:2` as CommandId], early: [{ ...answer, seq: 7 }] },
        { opened: [wait(id, 3), wait(id, 4)] },
      ];
      for (const from of steps.keys()) {
        for (const step of steps.slice(from === 0 ? 0 : from - 1)) await apply(step);
        expect(await found(id)).toEqual([`${id}:hold:4`]);
      }
    });

    test("of an execution that is gone nothing is kept, and all is cleared at once", async () => {
      const gone = newExecution();
      await apply({ opened: [wait(gone, 1)] });
      expect(await found(gone)).toEqual([]);
      const id = await execution();
      await apply({ opened: [wait(id, 1)] });
      await index().clear();
      expect(await index().list({ limit: 9 })).toEqual([]);
    });
  });
}
