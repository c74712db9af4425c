// What is wanted once is started once: whoever asks again with its key is told of the same execution,
// also after a process died between taking the key and starting, and from any replica.
import { beforeEach, describe, expect, test } from "bun:test";
import { type OnceRequest, startEachOnce, startOnce } from "#control/services/start-once";
import { Fault } from "#core/model/fault";
import { requestKeyCharsMax, requestKeyMsMax } from "#core/model/request-limits";
import { onBothStores, type World } from "#tests/support/control";
import { chain } from "./playbooks.ts";

const windowMs = 60_000;
let path = "";
let paths = 0;

const asked = (key: string, request: Partial<OnceRequest["request"]> = {}): OnceRequest => ({
  request: { path, workload: {}, ...request },
  dedup: { scope: "execute", key, windowMs },
});

const once = (world: World, ...list: readonly OnceRequest[]) =>
  startOnce(world.control.executions, list);

async function faultOf(work: Promise<unknown>): Promise<Fault | undefined> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  return undefined;
}

const executionsOf = async ({ stores }: World) =>
  (await stores.log.executions({ limit: 1_000 })).map(({ executionId }) => executionId);

onBothStores((shelf) => {
  describe("starting once", () => {
    // The catalog of a database outlives a test.
    beforeEach(() => {
      path = `once/chain${++paths}`;
    });

    test("a key starts one execution, however often and from wherever it is asked", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const [first] = await once(world, asked("a", { workload: { n: 1 } }));
      expect(first?.existed).toBe(false);
      expect(first?.commandsGenerated).toBe(1);
      const others = [world, world.another()];
      const again = await Promise.all(others.map((other) => once(other, asked("a"))));
      for (const [found] of again) {
        expect(found).toMatchObject({ existed: true, executionId: first?.executionId });
        expect(found?.entry.version).toBe(1);
      }
      const [elsewhere] = await once(world, asked("b"));
      expect(elsewhere?.existed).toBe(false);
      expect(await executionsOf(world)).toHaveLength(2);
    });

    test("of many that ask at once from two replicas one starts it", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const replicas = [world, world.another()];
      const list = [asked("a"), asked("b"), asked("a")];
      const told = await Promise.all(
        Array.from({ length: 10 }, (_, n) => once(replicas[n % 2] ?? world, ...list)),
      );
      expect(await executionsOf(world)).toHaveLength(2);
      for (const at of [0, 1]) {
        const started = told.map((each) => each[at]);
        expect(new Set(started.map((each) => each?.executionId)).size).toBe(1);
      }
      expect(told.flat().filter(({ existed }) => !existed)).toHaveLength(2);
    });

    test("whoever asks again is told of the version that was started", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const [first] = await once(world, asked("a"));
      await world.register(chain(path, 2));
      const [again] = await once(world, asked("a"));
      const [fresh] = await once(world, asked("b"));
      expect(again?.executionId).toBe(first?.executionId as never);
      expect([again?.entry.version, fresh?.entry.version]).toEqual([1, 2]);
      const [gone] = await once(world, asked("a", { path: `${path}/missing` }));
      expect(gone?.executionId).toBe(first?.executionId as never);
    });

    test("what a process left that died after it had taken the key is started by the next", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const failing = world.another({
        wrap: ({ log }) => ({
          log: {
            ...log,
            append: async () => {
              throw new Fault("invalid", "the process died");
            },
          },
        }),
      });
      expect((await faultOf(once(failing, asked("a"))))?.message).toBe("the process died");
      expect(await executionsOf(world)).toEqual([]);
      const [next] = await once(world, asked("a"));
      expect(next?.existed).toBe(false);
      const [again] = await once(world, asked("a"));
      expect(again).toMatchObject({ existed: true, executionId: next?.executionId });
      expect(await executionsOf(world)).toEqual(next === undefined ? [] : [next.executionId]);
    });

    test("one of a list that can't be started hinders no other", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const list = [asked("a"), asked("b", { path: `${path}/missing` }), asked("c")];
      const tried = await startEachOnce(world.control.executions, list);
      expect(tried.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      expect((await faultOf(once(world, ...list)))?.code).toBe("not_found");
      expect(await executionsOf(world)).toHaveLength(2);
      await world.register(chain(`${path}/missing`, 1));
      const found = await once(world, ...list);
      expect(found.map(({ existed }) => existed)).toEqual([true, false, true]);
    });

    test("tenants and scopes have keys of their own, and a playbook is the tenant's", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      await world.client.registerCatalog({ body: { content: chain(path, 3), tenant: "acme" } });
      const ofSchedule = { ...asked("a"), dedup: { ...asked("a").dedup, scope: "schedule/1" } };
      const started = await once(world, asked("a"), asked("a", { tenant: "acme" }), ofSchedule);
      expect(started.map(({ existed }) => existed)).toEqual([false, false, false]);
      const ofAcme = started[1];
      expect(ofAcme?.entry.tenant).toBe("acme");
      const rows = await world.stores.log.executions({ tenant: "acme", limit: 9 });
      expect(rows.map(({ executionId }) => executionId)).toEqual(
        ofAcme === undefined ? [] : [ofAcme.executionId],
      );
      const fault = await faultOf(once(world, asked("x", { tenant: "other" })));
      expect(fault?.code).toBe("not_found");
    });

    test("keys that can't be kept are refused, and nothing is started", async () => {
      const world = shelf().open();
      await world.register(chain(path, 1));
      const plain = asked("a");
      const bad = ["", "x".repeat(requestKeyCharsMax + 1), "a\0b", "\ud800"].map((key) =>
        asked(key),
      );
      const times = [0, -1, Number.NaN, requestKeyMsMax + 1].map((durationMs) => ({
        ...plain,
        dedup: { ...plain.dedup, windowMs: durationMs },
      }));
      for (const request of [...bad, ...times]) {
        expect((await faultOf(once(world, plain, request)))?.code).toBe("invalid");
      }
      expect(await executionsOf(world)).toEqual([]);
      const longest = asked("😀".repeat(requestKeyCharsMax / 2));
      expect((await once(world, longest))[0]?.existed).toBe(false);
    });
  });
});
