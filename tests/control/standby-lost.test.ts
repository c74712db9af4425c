// What is lost between an append and a worker that stood by: a worker that hung up, an append that
// failed, lost its race or its reply. Nobody's command is forgotten, and nobody's attempt burnt.

import { describe, expect, test } from "bun:test";
import { Fault } from "#core/model/fault";
import { acceptMs, leaseMs, sweepMs } from "#core/model/limits";
import { eventually, onMemory } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { settled } from "#tests/support/virtual-clock";
import { chain, loop } from "./playbooks.ts";
import { around, endStanding, items, openRow, pass, slow, stand, typesOf } from "./standers.ts";

onMemory((shelf) => {
  const open = () => shelf().open({ clock: shelf().clock });

  describe("a worker that hung up", () => {
    test("is given nothing that is made later", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      const hanging = new AbortController();
      await stand(world, "w1", { signal: hanging.signal });
      hanging.abort();
      await eventually(async () => !world.control.executions.standby.has("w1") || undefined);
      const id = await world.start("t/one");
      expect(await openRow(world, id)).toMatchObject({ status: "ready" });
    });

    test("when its command came gives it back at once: another has it, and no attempt is burnt", async () => {
      const { world, startUpToAppend } = slow(shelf());
      await world.register(chain("t/one", 1));
      const hanging = new AbortController();
      await stand(world, "w1", { signal: hanging.signal });
      const { started, goOn } = await startUpToAppend("t/one");
      hanging.abort();
      await settled();
      goOn();
      const id = await started;
      const commands = await eventually(async () => {
        const claimed = await handWorker(world.client, "w2").claim();
        return claimed.length > 0 ? claimed : undefined;
      });
      // The clock stood still: no lease has run out.
      expect(only(commands)).toMatchObject({ execution_id: id, attempt: 1 });
      expect(only(commands).alone).toBeUndefined();
      expect(await typesOf(world, id)).not.toContain("command.reissued");
      const { verdicts } = await handWorker(world.client, "w2").settle([done(only(commands))]);
      expect(verdicts).toEqual(["accepted"]);
    });

    test("without anybody noticing costs a moment and no attempt", async () => {
      const world = open();
      await world.register(chain("t/one", 1));
      await pass(shelf(), world, 2 * leaseMs);
      const { answer } = await stand(world, "w1");
      const id = await world.start("t/one");
      const lost = only((await answer).commands);
      expect(await handWorker(world.client, "w2").claim()).toEqual([]);
      await pass(shelf(), world, acceptMs + 2 * sweepMs);
      const again = only(await handWorker(world.client, "w2").claim());
      expect(again).toMatchObject({ command_id: lost.command_id, attempt: 1 });
      expect(await typesOf(world, id)).not.toContain("command.reissued");
    });
  });

  describe("an append", () => {
    test("that the store refuses leaves who stands by where it was, with all its slots", async () => {
      let refuses = true;
      const world = shelf().open({
        ...around((append) => async (transitions) => {
          if (refuses) throw new Fault("internal", "the store refuses it");
          return append(transitions);
        }),
        clock: shelf().clock,
      });
      await world.register(chain("t/one", 1));
      const stander = await stand(world, "w1");
      const refused = await world.start("t/one").catch((thrown: unknown) => thrown);
      expect(refused).toBeInstanceOf(Fault);
      await settled();
      expect(stander.given()).toBeUndefined();
      refuses = false;
      const id = await world.start("t/one");
      expect(only((await stander.answer).commands).execution_id).toBe(id);
    });

    test("that the store refuses lets go whom it held up when the wait was over", async () => {
      const { world, startUpToAppend } = slow(shelf());
      await world.register(chain("t/one", 1));
      const stander = await stand(world, "w1");
      const { started, refuse } = await startUpToAppend("t/one");
      const refused = started.catch((thrown: unknown) => thrown);
      await endStanding(world, "w1");
      await settled();
      expect(stander.given()).toBeUndefined();
      refuse();
      expect(await refused).toBeInstanceOf(Fault);
      expect(await stander.answer).toEqual({ commands: [] });
    });

    test("that lost a race is made again with who stood by the first time", async () => {
      let races = 0;
      const world = shelf().open({
        ...around((append) => async (transitions) => {
          if (races-- > 0) return transitions.map(() => "conflict" as const);
          return append(transitions);
        }),
        clock: shelf().clock,
      });
      await world.register(loop("t/loop", 50));
      const stander = await stand(world, "w1", { want: 3 });
      races = 2;
      const id = await world.start("t/loop", items(5));
      const { commands } = await stander.answer;
      expect(new Set(commands.map(({ command_id }) => command_id)).size).toBe(3);
      expect(commands.map(({ execution_id }) => execution_id)).toEqual([id, id, id]);
      const backlog = [{ pool: "default", ready: 2, leased: 3 }];
      expect(await world.stores.log.backlog()).toEqual(backlog);
    });

    test("whose reply was lost gives nothing, and what it leased is had by another in a moment", async () => {
      let losses = 0;
      const world = shelf().open({
        ...around((append) => async (transitions) => {
          const verdicts = await append(transitions);
          if (losses-- > 0) throw new Fault("unavailable", "the reply was lost");
          return verdicts;
        }),
        clock: shelf().clock,
      });
      await world.register(chain("t/one", 1));
      await pass(shelf(), world, 2 * leaseMs);
      const stander = await stand(world, "w1");
      losses = 1;
      const starting = world.start("t/one");
      await shelf().clock.advance(sweepMs);
      const id = await starting;
      await settled();
      expect(stander.given()).toBeUndefined();
      const next = await world.start("t/one");
      expect(only((await stander.answer).commands).execution_id).toBe(next);
      await pass(shelf(), world, acceptMs + 2 * sweepMs);
      const again = await handWorker(world.client, "w2").claim();
      expect(again.find(({ execution_id }) => execution_id === id)).toMatchObject({ attempt: 1 });
    });

    test("shares nobody who stands by with another under way at the same time", async () => {
      const { world, startUpToAppend } = slow(shelf());
      await world.register(chain("t/one", 1));
      const one = await stand(world, "w1", { want: 4 });
      const two = await stand(world, "w2", { want: 4 });
      const { started, goOn } = await startUpToAppend("t/one");
      // Decided upon while the first is being stored: one finds the other worker, one finds nobody.
      const others = [world.start("t/one"), world.start("t/one")];
      await settled();
      goOn();
      const ids = await Promise.all([started, ...others]);
      await settled();
      expect(one.given()?.map(({ execution_id }) => execution_id)).toEqual(ids.slice(0, 1));
      expect(two.given()).toHaveLength(1);
      const backlog = [{ pool: "default", ready: 1, leased: 2 }];
      expect(await world.stores.log.backlog()).toEqual(backlog);
    });
  });
});
