// Workers that stand by: what an append makes is theirs by that append, unless somebody waits in
// line, a rule speaks of it or it asks for another worker; and their wait comes to an end.

import { describe, expect, test } from "bun:test";
import { httpControl } from "#core/adapters/http-control";
import {
  acceptMs,
  leaseMs,
  standbyAgainMs,
  standbyMs,
  standbySlotsMax,
  sweepMs,
} from "#core/model/limits";
import type { CommandPointer } from "#core/ports/bus";
import { onBothStores, onMemory, type Shelf } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { settled } from "#tests/support/virtual-clock";
import { chain, parent } from "./playbooks.ts";
import { endStanding, items, openRow, pass, slow, stand, typesOf } from "./standers.ts";

/** The claims that reach the store, and the hints that somebody would have heard. */
function watched(shelf: Shelf) {
  const seen = { claims: 0, hints: [] as CommandPointer[] };
  const world = shelf.open({
    wrap: ({ log }) => ({
      log: {
        ...log,
        claim: (request) => {
          seen.claims += 1;
          return log.claim(request);
        },
      },
    }),
  });
  world.bus.hints("default", { room: () => 1, take: (pointer) => seen.hints.push(pointer) > 0 });
  return { world, seen };
}

/** One step, and then all of `items` at once. */
const fan = (path: string): string => `${chain(path, 1)}
  next: {arcs: [{step: each}]}
- step: each
  loop: {in: "{{ items }}", iterator: item, spec: {mode: parallel, max_in_flight: 50}}
  tool: {kind: noop}`;

onBothStores((shelf) => {
  describe("a worker that stands by", () => {
    test("has the first command of what starts, leased by the append, with no claim and no hint", async () => {
      const { world, seen } = watched(shelf());
      await world.register(chain("t/two", 2));
      const { answer } = await stand(world, "w1", { want: 3 });
      const id = await world.start("t/two");
      const { commands, ...rest } = await answer;
      expect(rest).toEqual({});
      const first = only(commands);
      expect(first).toMatchObject({ execution_id: id, step: "s1", attempt: 1, lease_ms: acceptMs });
      const open = await openRow(world, id);
      expect(open).toMatchObject({ status: "leased", handed: true });
      expect(open.row).toMatchObject({ commandId: first.command_id, worker: "w1", attempt: 1 });
      expect(open.leaseLeftMs).toBeGreaterThan(0);
      expect(open.leaseLeftMs).toBeLessThanOrEqual(acceptMs);
      const handed = await typesOf(world, id);
      await settled();
      expect(seen).toEqual({ claims: 0, hints: [] });
      // The log says nothing else than of an execution that waits in line.
      const waiting = await world.start("t/two");
      expect(await typesOf(world, waiting)).toEqual(handed);

      const worker = handWorker(world.client);
      const second = only((await worker.settle([done(first)], 1)).commands);
      expect((await worker.settle([done(second)])).verdicts).toEqual(["accepted"]);
      expect(await world.ended(id)).toBe("completed");
      expect(await world.problems(id)).toEqual([]);
    });

    test("has the first command of a child", async () => {
      const { world, seen } = watched(shelf());
      await world.register(chain("t/child", 1));
      await world.register(parent("t/parent", "t/child"));
      const { answer } = await stand(world, "w1");
      const id = await world.start("t/parent");
      const command = only((await answer).commands);
      expect(command).toMatchObject({ path: "t/child", attempt: 1, lease_ms: acceptMs });
      expect(seen.claims).toBe(0);
      const next = await stand(world, "w1");
      await handWorker(world.client).settle([done(command, "Ada")]);
      const after = only((await next.answer).commands);
      expect(after).toMatchObject({ execution_id: id, step: "after" });
    });

    test("has what a settle makes beyond the settling worker's own slots, as far as it has slots", async () => {
      const world = shelf().open();
      await world.register(fan("t/fan"));
      const id = await world.start("t/fan", items(20));
      const worker = handWorker(world.client);
      const first = only(await worker.claim());
      const few = await stand(world, "w2", { want: 3 });
      const many = await stand(world, "w3", { want: 100 });
      const own = (await worker.settle([done(first)], 2)).commands;
      const given = [own, (await few.answer).commands, (await many.answer).commands];
      expect(given.map(({ length }) => length)).toEqual([2, 3, standbySlotsMax]);
      const ids = new Set(given.flat().map(({ command_id }) => command_id));
      expect(ids.size).toBe(5 + standbySlotsMax);
      const leased = 5 + standbySlotsMax;
      const backlog = [{ pool: "default", ready: 20 - leased, leased }];
      expect(await world.stores.log.backlog()).toEqual(backlog);
      const rows = await world.stores.log.openRows(id, 50);
      const held = Map.groupBy(rows, ({ row }) => row.worker ?? "nobody");
      const counts = [...held].map(([holder, theirs]) => `${holder} ${theirs.length}`).sort();
      expect(counts).toEqual(["nobody 7", "w1 2", "w2 3", `w3 ${standbySlotsMax}`]);
    });

    test("is given nothing under a rule, and goes on standing", async () => {
      const world = shelf().open();
      await world.register(chain("t/one", 1));
      const params = { key: "pool:default" };
      await world.client.putRule({ params, body: { max_running: 5 } });
      const stander = await stand(world, "w1");
      const id = await world.start("t/one");
      expect(await openRow(world, id)).toMatchObject({ status: "ready", handed: false });
      await settled();
      expect(stander.given()).toBeUndefined();
      // A claim chooses, as far as the rule lets it; then the line is empty and the rule is gone.
      expect(await handWorker(world.client, "w2").claim()).toHaveLength(1);
      await world.client.deleteRule({ params });
      const next = await world.start("t/one");
      expect(only((await stander.answer).commands).execution_id).toBe(next);
    });
  });
});

onMemory((shelf) => {
  const open = () => shelf().open({ clock: shelf().clock });

  describe("who is given it", () => {
    test("who has stood longest comes first", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const [first, second] = [await stand(world, "w1"), await stand(world, "w2")];
      const ids = [await world.start("t/one")];
      await settled();
      expect([first.given()?.length, second.given()?.length]).toEqual([1, undefined]);
      ids.push(await world.start("t/one"));
      const given = [...(await first.answer).commands, ...(await second.answer).commands];
      expect(given.map(({ execution_id }) => execution_id)).toEqual(ids);
    });

    test("nobody who stands by, while others wait in the pool's line", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const early = await world.start("t/one");
      const stander = await stand(world, "w1");
      const late = await world.start("t/one");
      await settled();
      expect(stander.given()).toBeUndefined();
      const other = handWorker(world.client, "w2");
      const line = [only(await other.claim(1)), ...(await other.claim())];
      expect(line.map(({ execution_id }) => execution_id)).toEqual([early, late]);
      const next = await world.start("t/one");
      expect(only((await stander.answer).commands).execution_id).toBe(next);
    });

    test("who stands by, whatever waits in the lines of other pools", async () => {
      const world = open();
      await world.register(`${chain("t/gpu", 1)}\n  spec: {pool: gpu}`);
      await world.register(chain("t/one", 1));
      await world.start("t/gpu");
      const { answer } = await stand(world, "w1", { pools: ["gpu", "default"] });
      const id = await world.start("t/one");
      expect(only((await answer).commands).execution_id).toBe(id);
    });

    test("a worker that has the labels and the pool that the command asks for", async () => {
      const world = open();
      await world.register(`${chain("t/labels", 1)}\n  spec: {labels: [gpu]}`);
      await world.register(`${chain("t/pool", 1)}\n  spec: {pool: far}`);
      const plain = await stand(world, "plain");
      const labelled = await stand(world, "labelled", { labels: ["eu", "gpu"] });
      const far = await stand(world, "far", { pools: ["near", "far"] });
      const labels = await world.start("t/labels");
      expect(only((await labelled.answer).commands).execution_id).toBe(labels);
      const pool = await world.start("t/pool");
      expect(only((await far.answer).commands)).toMatchObject({ execution_id: pool, pool: "far" });
      await settled();
      expect(plain.given()).toBeUndefined();
      // With nobody to suit them they wait, and who stands by goes on.
      await world.start("t/labels");
      await world.start("t/pool");
      await settled();
      expect(plain.given()).toBeUndefined();
      expect(await world.stores.log.backlog()).toContainEqual({ pool: "far", ready: 1, leased: 1 });
    });

    test("a worker in its own pools only, also of several commands at once", async () => {
      const world = open();
      await world.register(`${chain("t/both", 1)}
  next: {spec: {mode: inclusive}, arcs: [{step: near}, {step: far}]}
- step: near
  tool: {kind: noop}
- step: far
  spec: {pool: far}
  tool: {kind: noop}`);
      await world.start("t/both");
      const worker = handWorker(world.client, "w0");
      const first = only(await worker.claim());
      const { answer } = await stand(world, "w1", { want: 2 });
      await worker.settle([done(first)]);
      expect((await answer).commands.map(({ step }) => step)).toEqual(["near"]);
      const other = handWorker(world.client, "w2", ["far"]);
      expect((await other.claim()).map(({ step }) => step)).toEqual(["far"]);
    });
  });

  describe("the wait ends", () => {
    test("when its worker wants no more, with nothing, and what is made then waits in line", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const stander = await stand(world, "w1");
      const other = await stand(world, "w2", { pools: ["far"] });
      expect(await endStanding(world, "w1")).toEqual({ commands: [] });
      expect(await stander.answer).toEqual({ commands: [] });
      const id = await world.start("t/one");
      expect(await openRow(world, id)).toMatchObject({ status: "ready" });
      expect(other.given()).toBeUndefined();
    });

    test("when its worker wants no more, with what an append under way makes its own", async () => {
      const { world, startUpToAppend } = slow(shelf());
      await world.register(chain("t/one", 1));
      const stander = await stand(world, "w1");
      const { started, goOn } = await startUpToAppend("t/one");
      expect(await endStanding(world, "w1")).toEqual({ commands: [] });
      await settled();
      expect(stander.given()).toBeUndefined();
      goOn();
      const id = await started;
      expect(only((await stander.answer).commands).execution_id).toBe(id);
    });

    test("when its time is over, with nothing", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const stander = await stand(world, "w1");
      await shelf().clock.advance(standbyMs - 1);
      expect(stander.given()).toBeUndefined();
      await shelf().clock.advance(1);
      expect(await stander.answer).toEqual({ commands: [] });
      const id = await world.start("t/one");
      expect(await openRow(world, id)).toMatchObject({ status: "ready" });
    });

    test("when the control plane stops, which tells latecomers to come again", async () => {
      const world = open();
      const standers = [await stand(world, "w1"), await stand(world, "w2", { pools: ["far"] })];
      await world.control.stop();
      for (const { answer } of standers) expect(await answer).toEqual({ commands: [] });
      const late = httpControl(world.client).standby({ worker: "w3", pools: ["default"], want: 1 });
      expect(await late).toEqual({ commands: [], againMs: standbyAgainMs });
    });

    test("when a dead worker's command waits for somebody who holds nothing", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const id = await world.start("t/one");
      const lost = only(await handWorker(world.client, "dead").claim());
      await pass(shelf(), world, leaseMs - sweepMs);
      const stander = await stand(world, "w1");
      const far = await stand(world, "w2", { pools: ["far"] });
      const stoodAtMs = shelf().clock.nowMs();
      await pass(shelf(), world, 2 * sweepMs);
      expect(await stander.answer).toEqual({ commands: [] });
      expect(shelf().clock.nowMs() - stoodAtMs).toBeLessThan(standbyMs);
      expect(far.given()).toBeUndefined();
      const suspect = only(await handWorker(world.client, "w1").claimIdle());
      expect(suspect).toMatchObject({ command_id: lost.command_id, attempt: 2, alone: true });
      expect(await typesOf(world, id)).toContain("command.reissued");
    });
  });
});
