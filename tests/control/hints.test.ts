// Proves which hints a transition sends: where work waits for a claim, and what they say.

import { expect, test } from "bun:test";
import { hintsPerTransitionMax } from "#core/model/bus-limits";
import type { Bus, CommandPointer } from "#core/ports/bus";
import { onMemory, type World } from "#tests/support/control";
import { done, handWorker, only } from "#tests/support/hand-worker";
import { settled } from "#tests/support/virtual-clock";
import { chain, loop } from "./playbooks.ts";

function hintsOf(bus: Bus, pool = "default"): CommandPointer[] {
  const hints: CommandPointer[] = [];
  bus.hints(pool, {
    room: () => 1_000,
    take: (hint) => {
      hints.push(hint);
      return true;
    },
  });
  return hints;
}

async function made(world: World, { execution_id: id, event_id: eventId }: CommandPointer) {
  return (await world.events(id)).find(({ event_id }) => event_id === eventId);
}

onMemory((shelf) => {
  test("a command that waits for a claim is pointed at, with the event that made it", async () => {
    const world = shelf().open();
    const hints = hintsOf(world.bus);
    await world.register(chain("t/one", 1));
    const id = await world.start("t/one");
    await settled();
    const hint = only(hints);

    expect(hint).toMatchObject({ execution_id: id, step: "s1", attempt: 1 });
    expect(await made(world, hint)).toMatchObject({
      type: "command.issued",
      command_id: hint.command_id,
    });
  });

  test("a command that is handed over with a settle is not hinted at", async () => {
    const world = shelf().open();
    const hints = hintsOf(world.bus);
    await world.register(chain("t/two", 2));
    await world.start("t/two");
    const worker = handWorker(world.client);
    const first = only(await worker.claim());
    const { commands } = await worker.settle([done(first)], 1);
    await settled();

    expect(commands.length).toBe(1);
    expect(hints.map(({ step }) => step)).toEqual(["s1"]);
  });

  test("the next attempt is hinted at with its number and its own event", async () => {
    const { clock } = shelf();
    const world = shelf().open({ clock });
    await world.register(chain("t/one", 1));
    await world.start("t/one");
    const hints = hintsOf(world.bus);
    await handWorker(world.client).claim();
    await shelf().passLeases(world);
    const second = hints.find(({ attempt }) => attempt === 2);

    expect(second).toBeDefined();
    expect(second && (await made(world, second))).toMatchObject({
      type: "command.reissued",
      attempt: 2,
    });
  });

  test("a transition sends one pool no more hints than could wake anybody", async () => {
    const world = shelf().open();
    const hints = hintsOf(world.bus);
    await world.register(loop("t/loop", 500));
    await world.start("t/loop", { items: [...Array(200).keys()] });
    await settled();

    expect(hints.length).toBe(hintsPerTransitionMax);
    expect(new Set(hints.map(({ command_id: id }) => id)).size).toBe(hintsPerTransitionMax);
  });
});
