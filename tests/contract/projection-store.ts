// The contract of the projection store: what every store of it keeps.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type CursorFrame, durationBucketsMs, type Stage } from "#core/engine/project";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { ProjectionStore, ProjectionUpdate } from "#core/ports/projection-store";
import { newExecution, startMs } from "./transitions.ts";

export interface ProjectionWorld {
  readonly projections: ProjectionStore;
  close(): Promise<void>;
}

const page = { afterSeq: 0, limit: 100 };

const noBuckets = (): number[] => durationBucketsMs.map(() => 0).concat(0);

function stage(enteredSeq: number, part: Partial<Stage> = {}): Stage {
  return {
    step: "s1",
    visit: 1,
    enteredSeq,
    enteredMs: startMs + enteredSeq,
    status: "running",
    total: 1,
    done: 0,
    failed: 0,
    reissued: 0,
    durationMs: 0,
    queueMs: 0,
    queueMsMax: 0,
    buckets: noBuckets(),
    ...part,
  };
}

const ended = (enteredSeq: number, durationMs: number, part: Partial<Stage> = {}): Stage =>
  stage(enteredSeq, {
    status: "completed",
    exitedSeq: enteredSeq + 2,
    exitedMs: startMs + enteredSeq + durationMs,
    done: 1,
    durationMs,
    durationMsMin: durationMs,
    durationMsMax: durationMs,
    queueMs: 0.25,
    queueMsMax: 0.25,
    buckets: [1, ...noBuckets().slice(1)],
    ...part,
  });

function update(id: ExecutionId, part: Partial<ProjectionUpdate> = {}): ProjectionUpdate {
  return {
    executionId: id,
    path: "t/projected",
    version: 2,
    seq: 4,
    memory: '{"open":[],"calls":[["a",{"step":"é \\u0000"}]]}',
    expectedSeq: 0,
    stages: [],
    frames: [],
    ...part,
  };
}

export function projectionStoreContract(name: string, open: () => Promise<ProjectionWorld>): void {
  describe(`the projection store on ${name}`, () => {
    let world: ProjectionWorld | undefined;
    const store = (): ProjectionStore => {
      if (world === undefined) throw new Error(`${name} did not open`);
      return world.projections;
    };
    beforeAll(async () => {
      world = await open();
    }, 60_000);
    afterAll(() => world?.close());

    test("gives back rows, stages and frames as they were applied", async () => {
      const id = newExecution();
      const stages = [
        ended(2, 7.125),
        stage(5, {
          step: "each",
          visit: 3,
          mode: "parallel",
          total: 9,
          done: 4,
          failed: 1,
          reissued: 2,
        }),
      ];
      const frames: readonly CursorFrame[] = [
        {
          step: "c",
          visit: 1,
          frame: 0,
          claimedSeq: 7,
          claimedMs: startMs,
          status: "claimed",
          rowCount: 3,
        },
        { step: "c", visit: 1, frame: 1, claimedSeq: 8, claimedMs: startMs, status: "drained" },
      ];
      const first = update(id, { stages, frames });
      expect(await store().apply([first])).toEqual(["accepted"]);
      const { expectedSeq: _seq, stages: _stages, frames: _frames, ...row } = first;
      expect(await store().rows([id, newExecution(), executionId("x")])).toEqual([row]);
      expect(await store().stages(id, page)).toEqual(stages);
      expect(await store().stages(id, { afterSeq: 2, limit: 1 })).toEqual(stages.slice(1));
      expect(await store().stagesAt(id, [5, 6])).toEqual(stages.slice(1));
      expect(await store().stageCount(id)).toBe(2);
      expect(await store().frames(id, page)).toEqual(frames);
      expect(await store().stages(executionId("x"), page)).toEqual([]);
    });

    test("moves on only from where it is expected to stand", async () => {
      const id = newExecution();
      const first = update(id, { stages: [stage(2)] });
      expect(await store().apply([first])).toEqual(["accepted"]);
      expect(await store().apply([first])).toEqual(["conflict"]);
      const stale = update(id, { expectedSeq: 3, seq: 9, stages: [ended(2, 1), stage(8)] });
      expect(await store().apply([stale])).toEqual(["conflict"]);
      expect(await store().stages(id, page)).toEqual([stage(2)]);
      const next = update(id, { expectedSeq: 4, seq: 9, stages: [ended(2, 1), stage(8)] });
      expect(await store().apply([next])).toEqual(["accepted"]);
      expect((await store().rows([id]))[0]?.seq).toBe(9);
      expect(await store().stages(id, page)).toEqual([ended(2, 1), stage(8)]);
    });

    test("a refused update hinders none of its neighbours", async () => {
      const [known, fresh, other] = [newExecution(), newExecution(), newExecution()];
      await store().apply([update(known)]);
      const verdicts = await store().apply([
        update(fresh, { stages: [stage(2)] }),
        update(known, { stages: [stage(2)] }),
        update(other, { expectedSeq: 3 }),
      ]);
      expect(verdicts).toEqual(["accepted", "conflict", "conflict"]);
      expect(await store().stageCount(fresh)).toBe(1);
      expect(await store().stageCount(known)).toBe(0);
      expect(await store().rows([other])).toEqual([]);
    });

    test("sums up the newest executions of one playbook by step", async () => {
      const path = "t/summed";
      const ids = [newExecution(), newExecution(), newExecution()];
      await store().apply(
        ids.map((id, index) =>
          update(id, {
            path,
            stages: [
              ended(2, index + 1),
              ended(6, 10, { step: "s0", failed: 1, reissued: 1 }),
              stage(9, { step: "s2" }),
            ],
          }),
        ),
      );
      await store().apply([update(newExecution(), { path: "t/other", stages: [ended(2, 99)] })]);
      const [s0, s1, s2, ...more] = await store().stepStatistics(ids.slice(1));
      expect(more).toEqual([]);
      expect(s0).toMatchObject({ step: "s0", visits: 2, runs: 2, failures: 2, reissued: 2 });
      expect(s1).toEqual({
        step: "s1",
        visits: 2,
        runs: 2,
        failures: 0,
        reissued: 0,
        durationMs: 5,
        durationMsMin: 2,
        durationMsMax: 3,
        queueMs: 0.5,
        queueMsMax: 0.25,
        buckets: [2, ...noBuckets().slice(1)],
      });
      expect(s2).toMatchObject({ step: "s2", visits: 2, runs: 0, durationMs: 0 });
      expect(s2?.durationMsMin).toBeUndefined();
      expect((await store().stepStatistics([...ids, ...ids]))[1]?.visits).toBe(3);
      expect(await store().stepStatistics([newExecution()])).toEqual([]);
    });

    test("removes all that there is of an execution, and nothing of others", async () => {
      const [one, two] = [newExecution(), newExecution()];
      const frame = { step: "c", visit: 1, frame: 0, claimedSeq: 7, claimedMs: startMs } as const;
      const frames = [{ ...frame, status: "drained" as const }];
      const stages = [stage(2)];
      await store().apply([update(one, { stages, frames }), update(two, { stages, frames })]);
      await store().remove([one, executionId("x")]);
      expect(await store().rows([one, two])).toHaveLength(1);
      expect(await store().stages(one, page)).toEqual([]);
      expect(await store().frames(one, page)).toEqual([]);
      expect(await store().stages(two, page)).toEqual(stages);
      expect(await store().apply([update(one)])).toEqual(["accepted"]);
    });
  });
}
