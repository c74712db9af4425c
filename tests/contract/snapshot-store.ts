// The contract of the snapshot store: what every store of it keeps.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { encodeState } from "#core/engine/snapshot";
import { initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import { executionId } from "#core/model/ids";
import type { Snapshot, SnapshotStore } from "#core/ports/snapshot-store";
import { newExecution, sha256 } from "./transitions.ts";

export interface SnapshotWorld {
  readonly snapshots: SnapshotStore;
  close(): Promise<void>;
}

function snapshot(part: Partial<Snapshot> = {}): Snapshot {
  const id = part.executionId ?? newExecution();
  const state = initialState(id, genesisDigest);
  state.variables["odd"] = 'é \u0000 \ud800 "';
  const text = part.text ?? encodeState(state, 1_000) ?? "";
  return {
    executionId: id,
    seq: 5,
    digest: sha256("log"),
    schema: 1,
    engine: "1.0.0",
    checksum: sha256(text),
    text,
    ...part,
  };
}

export function snapshotStoreContract(name: string, open: () => Promise<SnapshotWorld>): void {
  describe(`the snapshot store on ${name}`, () => {
    let world: SnapshotWorld | undefined;
    const store = (): SnapshotStore => {
      if (world === undefined) throw new Error(`${name} did not open`);
      return world.snapshots;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.close());

    test("gives back what it was given, to the last character", async () => {
      const kept = snapshot();
      await store().put(kept);
      expect(await store().latest(kept.executionId)).toEqual(kept);
    });

    test("has none of an execution that nobody wrote one for, nor of what is no id", async () => {
      expect(await store().latest(newExecution())).toBeUndefined();
      expect(await store().latest(executionId("x"))).toBeUndefined();
    });

    test("keeps the newer of two, in whatever order they come", async () => {
      const first = snapshot({ seq: 10 });
      const { executionId: id } = first;
      await store().put(first);
      await store().put(snapshot({ executionId: id, seq: 7 }));
      expect(await store().latest(id)).toEqual(first);
      const second = snapshot({ executionId: id, seq: 11, text: "{}" });
      await store().put(second);
      expect(await store().latest(id)).toEqual(second);
    });

    test("lets the one of another build or schema make room", async () => {
      const first = snapshot({ seq: 10 });
      const { executionId: id } = first;
      await store().put(first);
      const build = snapshot({ executionId: id, seq: 7, engine: "2.0.0" });
      await store().put(build);
      expect(await store().latest(id)).toEqual(build);
      const schema = snapshot({ executionId: id, seq: 6, engine: "2.0.0", schema: 2 });
      await store().put(schema);
      expect(await store().latest(id)).toEqual(schema);
    });

    test("removes those that are named and no others", async () => {
      const [one, two] = [snapshot(), snapshot()];
      await store().put(one);
      await store().put(two);
      await store().remove([one.executionId, newExecution(), executionId("x")]);
      expect(await store().latest(one.executionId)).toBeUndefined();
      expect(await store().latest(two.executionId)).toEqual(two);
    });
  });
}
