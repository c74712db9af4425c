// Snapshots of long executions: a cache that makes a rebuild short, is never believed without the
// log, and may be lost at any moment.

import { describe, expect, test } from "bun:test";
import { encodeState } from "#core/engine/snapshot";
import type { ExecutionState } from "#core/engine/state";
import type { EventLog } from "#core/ports/event-log";
import type { Snapshot } from "#core/ports/snapshot-store";
import { eventually, onBothStores, sha256, type World } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { chain } from "./playbooks.ts";

const snapshotEvents = 20;
type Id = Parameters<World["events"]>[0];

/** How many events were read of the log, by whom it may concern. */
function counted(world: World) {
  const read = { events: 0 };
  const log = ({ log: inner }: { readonly log: EventLog }) => ({
    log: {
      ...inner,
      events: async (...asked: Parameters<EventLog["events"]>) => {
        const page = await inner.events(...asked);
        read.events += page.length;
        return page;
      },
    },
  });
  return { read, other: world.another({ snapshotEvents, wrap: log }) };
}

const stateOf = (world: World, id: Id): Promise<ExecutionState> =>
  world.control.executions.states.replay(id);

onBothStores((shelf) => {
  const longRun = async (steps = 30) => {
    const world = shelf().open({ snapshotEvents });
    await world.register(chain("t/long", steps));
    const id = await world.start("t/long");
    await handWorker(world.client).drain(({ step }) => ({ of: step }));
    expect(await world.ended(id)).toBe("completed");
    const { seq } = (await world.stores.log.head(id)) ?? { seq: 0 };
    // Nobody waits for a snapshot to be written but a test.
    const snapshot = await eventually(async () => {
      const latest = await world.stores.snapshots.latest(id);
      return latest?.seq === seq ? latest : undefined;
    });
    return { world, id, snapshot };
  };

  /** What the log alone comes to. */
  const fromLog = async (world: World, id: Id): Promise<ExecutionState> => {
    await world.stores.snapshots.remove([id]);
    return stateOf(world, id);
  };

  describe("a snapshot", () => {
    test("makes a rebuild read no more than what follows it, and gives the same state", async () => {
      const { world, id, snapshot } = await longRun();
      const { events } = await world.client
        .executionLog({ params: { id }, query: {} })
        .then(({ head }) => ({ events: head }));
      const { read, other } = counted(world);
      const quick = await stateOf(other, id);
      // The first page says that the log is long, one event confirms the snapshot.
      expect(read.events).toBe(snapshotEvents + 1 + (events - snapshot.seq));
      expect(read.events).toBeLessThan(events);
      const slow = await fromLog(world, id);
      expect(quick).toEqual(slow);
    });

    test("is not asked for when the state of an earlier event is wanted", async () => {
      const { world, id, snapshot } = await longRun();
      const early = await world.control.executions.states.replay(id, snapshot.seq - 1);
      expect(early.seq).toBe(snapshot.seq - 1);
      expect(await world.stores.snapshots.latest(id)).toEqual(snapshot);
    });

    test("may be lost at any moment: the execution goes on to the same end", async () => {
      const world = shelf().open({ snapshotEvents });
      await world.register(chain("t/long", 24));
      const id = await world.start("t/long");
      for (let turn = 0; (await world.stores.log.head(id))?.row.status === "running"; turn++) {
        const other = world.another({ snapshotEvents });
        const worker = handWorker(other.client);
        const [command] = await worker.claim(1);
        if (command !== undefined) {
          const data = { of: command.step };
          await worker.settle([
            { ...command, output: { status: "ok", data }, duration_ms: 1 } as never,
          ]);
        }
        if (turn % 3 === 0) await world.stores.snapshots.remove([id]);
      }
      expect(await world.ended(id)).toBe("completed");
      expect(await world.problems(id)).toEqual([]);
    }, 30_000);

    const lies: readonly (readonly [string, (snapshot: Snapshot) => Partial<Snapshot>])[] = [
      ["of another log", () => ({ digest: "ab".repeat(32) })],
      ["of another schema", ({ schema }) => ({ schema: schema + 1 })],
      ["of another build", () => ({ engine: "9.9.9" })],
      ["whose text was changed", ({ text }) => ({ text: text.replace("s1", "s2") })],
      [
        "that says of itself what the log doesn't say",
        ({ text, digest }) => {
          const other = "cd".repeat(32);
          const changed = text.replaceAll(digest, other);
          return { digest: other, text: changed, checksum: sha256(changed) };
        },
      ],
      [
        "whose state is of another log than it says",
        ({ text, digest }) => {
          const changed = text.replaceAll(digest, "ef".repeat(32));
          return { text: changed, checksum: sha256(changed) };
        },
      ],
      ["of an event that isn't its own", ({ seq }) => ({ seq: seq - 1 })],
    ];
    for (const [what, lie] of lies) {
      test(`${what} is ignored and removed`, async () => {
        const { world, id, snapshot } = await longRun();
        const truth = await fromLog(world, id);
        await world.stores.snapshots.put({ ...snapshot, ...lie(snapshot) });
        expect(await stateOf(world, id)).toEqual(truth);
        expect(await world.stores.snapshots.latest(id)).toBeUndefined();
        expect(world.reports.join()).toContain(`snapshot of execution ${id} does not fit`);
      });
    }

    test("from which the log can't go on leaves the word to the log", async () => {
      const { world, id, snapshot } = await longRun();
      const truth = await fromLog(world, id);
      const [at] = await world.stores.log.events(id, 23, 1);
      if (at === undefined) throw new Error("expected an event");
      const state = await world.control.executions.states.replay(id, 24);
      // A state that is whole, at the right place of the log, and yet another one.
      state.active.clear();
      state.commands.clear();
      const text = encodeState(state, 10_000) ?? "";
      const lie = { ...snapshot, seq: 24, digest: at.digest, text, checksum: sha256(text) };
      await world.stores.snapshots.put(lie);
      expect(await stateOf(world, id)).toEqual(truth);
      expect(await world.stores.snapshots.latest(id)).toBeUndefined();
      expect(await world.stores.log.quarantined(id)).toBeUndefined();
    });

    test("that can't be written keeps nothing from going on", async () => {
      const world = shelf().open({
        snapshotEvents,
        wrap: ({ snapshots }) => ({
          snapshots: {
            ...snapshots,
            put: () => Promise.reject(new Error("no room")),
            latest: () => Promise.reject(new Error("no answer")),
          },
        }),
      });
      await world.register(chain("t/long", 12));
      const id = await world.start("t/long");
      await handWorker(world.client).drain();
      expect(await world.ended(id)).toBe("completed");
      expect((await stateOf(world, id)).status).toBe("completed");
      expect(world.reports.join()).toContain("could not be written: no room");
      expect(world.reports.join()).toContain("could not be read: no answer");
    });
  });
});
