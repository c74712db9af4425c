// Brings about what needs a time of its own: outages, pauses, stops, wrong clocks, and the next
// life of whoever died. Once faults are over it puts everything right again.

import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";
import type { World } from "./world.ts";

const lookMs = 500;
/** Beyond the slack that a lease leaves, a worker whose clock is set back may lose its leases. */
const workerJumpMs = 3_000;
const replicaJumpMs = 20_000;

export interface Troublemaker {
  /** Whether everybody is back. */
  isCalm(): boolean;
}

export function troublemaker(world: World, faults: Faults, time: Timeline): Troublemaker {
  const rest = faults.of("worker stop");
  const look = (): void => {
    if (faults.isOver()) putRight(world);
    else trouble(world, faults, time);
    revive(world, { rest, isOver: faults.isOver() });
    time.after(lookMs, look);
  };
  look();
  return {
    isCalm: () =>
      faults.isOver() &&
      !world.isAway() &&
      [...world.replicas, ...world.workers].every((life) => life?.process.status === "running"),
  };
}

function trouble(world: World, faults: Faults, time: Timeline): void {
  if (!world.isAway() && faults.happens("store away")) {
    world.setAway(true);
    time.after(faults.of("store away").scale(200, 30_000), () => {
      if (world.isAway()) world.setAway(false);
    });
  }
  for (const replica of world.replicas) {
    if (replica?.process.status !== "running") continue;
    if (faults.happens("replica pause")) pause(replica.process, faults.of("replica pause"), time);
    if (faults.happens("clock jump")) {
      replica.process.jump(faults.of("clock jump").between(-replicaJumpMs, replicaJumpMs));
    }
    if (faults.happens("replica stop")) {
      time.note(replica.process.name, "is stopped");
      void replica.control.stop().then(() => replica.process.kill("stopped"));
    }
  }
  for (const life of world.workers) {
    if (life?.process.status !== "running") continue;
    if (faults.happens("worker pause")) pause(life.process, faults.of("worker pause"), time);
    if (faults.happens("clock jump")) {
      life.process.jump(faults.of("clock jump").between(-workerJumpMs, workerJumpMs));
    }
    if (!faults.happens("worker stop")) continue;
    const graceMs = faults.of("worker stop").between(0, 5_000);
    time.note(life.process.name, `is stopped within ${graceMs.toFixed(0)} ms`);
    // What it can't give back in time is lost to it.
    life.process.trouble(2);
    void life.worker.stop({ graceMs }).then(() => life.process.kill("stopped"));
  }
}

function pause(process: Process, chance: Random, time: Timeline): void {
  process.pause();
  time.after(chance.scale(500, 60_000), process.goOn);
}

function putRight(world: World): void {
  if (world.isAway()) world.setAway(false);
  for (const life of [...world.replicas, ...world.workers]) life?.process.goOn();
}

interface Revival {
  readonly rest: Random;
  readonly isOver: boolean;
}

/** The dead come back, sooner or later; all of them once faults are over. */
function revive(world: World, { rest, isOver }: Revival): void {
  const isDue = (): boolean => isOver || rest.chance(0.2);
  world.replicas.forEach((replica, place) => {
    if (replica?.process.alive() !== true && isDue()) world.startReplica(place);
  });
  world.workers.forEach((life, place) => {
    if (life?.process.alive() !== true && isDue()) world.startWorkerAt(place);
  });
}
