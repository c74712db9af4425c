// Proves that a hint makes the right worker look: one that has room and can reach its control
// plane; and that no worker keeps from another what it can't use.

import { expect, test } from "bun:test";
import { memoryBus } from "#core/adapters/memory-bus";
import type { Bus } from "#core/ports/bus";
import { pointer } from "#tests/support/pointers";
import { settled } from "#tests/support/virtual-clock";
import { heldTool, instant, setting, work } from "#tests/worker/running-worker";
import type { WorkerOptions } from "#worker/loop";

const slots = (bus: Bus, count: number): Partial<WorkerOptions> => ({ bus, slots: count });

test("a full worker leaves a hint to one that is idle", async () => {
  const bus = memoryBus();
  const full = setting(heldTool(), slots(bus, 1), [work("a")]);
  const idle = setting(heldTool(), slots(bus, 1));
  await settled();
  idle.control.ready.push(work("b"));
  bus.hint("default", pointer("b"));
  await settled();

  expect(full.control.claims.length).toBe(1);
  expect(idle.worker.running()).toBe(1);
});

test("a worker that can't reach its control plane leaves hints to one that can", async () => {
  const bus = memoryBus();
  const away = setting(instant, slots(bus, 4));
  away.control.down = true;
  await away.clock.advance(10_000);
  const asked = away.control.claims.length;
  const other = setting(heldTool(), slots(bus, 4));
  await settled();
  other.control.ready.push(work("b"));
  bus.hint("default", pointer("b"));
  await settled();

  expect(other.worker.running()).toBe(1);
  expect(away.control.claims.length).toBe(asked);
});

test("no worker takes more hints than it has slots: many hints wake many workers", async () => {
  const bus = memoryBus();
  const workers = [1, 2, 3].map(() => setting(heldTool(), slots(bus, 2)));
  await settled();
  for (const { control } of workers) control.ready.push(work("a"), work("b"));
  for (let n = 1; n <= 6; n++) bus.hint("default", pointer("a", n));
  await settled();

  expect(workers.map(({ worker }) => worker.running())).toEqual([2, 2, 2]);
});

test("a hint that comes while a claim is under way makes another one follow", async () => {
  const bus = memoryBus();
  const held = heldTool();
  const { control, clock, worker } = setting(held, slots(bus, 2));
  await settled();
  const reply = Promise.withResolvers<void>();
  const claim = control.claim;
  let claims = 0;
  control.claim = async (wanted) => {
    const commands = await claim(wanted);
    claims += 1;
    if (claims === 1) await reply.promise;
    return commands;
  };
  bus.hint("default", pointer("early"));
  await settled();
  control.ready.push(work("late"));
  bus.hint("default", pointer("late"));
  await settled();
  expect(worker.running()).toBe(0);
  const before = clock.nowMs();
  reply.resolve();
  await settled();

  expect(worker.running()).toBe(1);
  expect(clock.nowMs()).toBe(before);
});

test("hints that came to a full worker alone are there when it has room again", async () => {
  const bus = memoryBus();
  const held = heldTool();
  const { control } = setting(held, slots(bus, 1), [work("a")]);
  await settled();
  for (let n = 1; n <= 3; n++) bus.hint("default", pointer("b", n));
  await settled();
  expect(control.claims.length).toBe(1);
  held.finish("a");
  await settled();

  expect(control.claims.length).toBeGreaterThan(1);
  expect(bus.status().hintsLost).toBe(0);
});
