// Frames of a cursor loop through the routes of older workers: leased, kept, committed, until a frame
// finds no rows.

import { expect, test } from "bun:test";
import { verifyExecution } from "#control/services/verify";
import { Fault } from "#core/model/fault";
import { onBothStores } from "#tests/support/control";
import { only } from "#tests/support/hand-worker";

const playbook = `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: frames, path: t/frames}
workflow:
- step: drain
  loop:
    cursor: {kind: postgres, host: h, claim: "DELETE FROM q RETURNING *"}
    iterator: row
    spec: {mode: cursor, max_in_flight: 2, frame: {max_rows: 5}}
  tool: {kind: noop, message: "{{ row.id }}"}
`;

const refusal = (thrown: unknown): string => (thrown instanceof Fault ? thrown.code : "none");

onBothStores((shelf) => {
  test("frames are leased, kept and committed until one finds nothing", async () => {
    const world = shelf().open();
    await world.register(playbook);
    const id = await world.start("t/frames");
    const { client } = world;
    const stage_id = `${id}:drain:1`;
    const claim = (worker_id: string, requested_count = 5) =>
      client.claimFrames({ params: { stage_id }, body: { worker_id, requested_count } });
    const one = only((await claim("w1", 1)).frames);
    expect(one).toMatchObject({
      frame_id: `${stage_id}:f0`,
      stage_id,
      status: "RUNNING",
      owner_worker: "w1",
      row_count: null,
      cursor: { driver: "postgres", settings: { max_rows: 5 } },
    });
    expect((await claim("w2")).frames.map(({ frame_id }) => frame_id)).toEqual([`${stage_id}:f1`]);
    const frame = { params: { frame_id: one.frame_id } };
    await client.heartbeatFrame({ ...frame, body: { worker_id: "w1", lease_seconds: 120 } });
    for (const attempt of [
      client.heartbeatFrame({ ...frame, body: { worker_id: "w2" } }),
      client.commitFrame({ ...frame, body: { worker_id: "w2", row_count: 3 } }),
    ]) {
      expect(await attempt.then(() => "none", refusal)).toBe("conflict");
    }
    const recorded = (await world.events(id)).filter(({ type }) => type === "cursor.claimed");
    expect(recorded).toEqual([]);
    const body = { worker_id: "w1", status: "COMPLETED" as const, row_count: 3 };
    const committed = await client.commitFrame({ ...frame, body });
    expect(committed.frame).toMatchObject({ status: "COMPLETED", row_count: 3 });
    expect((await client.commitFrame({ ...frame, body })).frame.terminal_event_id).toBe(
      committed.frame.terminal_event_id,
    );
    const failing = { worker_id: "w2", status: "failed" as const, row_count: 2, error: "no luck" };
    await client.commitFrame({ params: { frame_id: `${stage_id}:f1` }, body: failing });
    for (;;) {
      const { frames } = await claim("w3");
      if (frames.length === 0) break;
      for (const { frame_id } of frames) {
        await client.commitFrame({ params: { frame_id }, body: { worker_id: "w3" } });
      }
    }
    expect(await world.ended(id)).toBe("failed");
    const done = (await world.events(id)).find(({ type }) => type === "loop.done");
    expect(done).toMatchObject({ stats: { total: 5, success: 3, failed: 2, frames: 2 } });
    expect((await verifyExecution(world.control.executions.context, id)).problems).toEqual([]);
  });
});
