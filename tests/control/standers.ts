// Workers that stand by, driven by hand, and stores that hold an append up.

import { httpControl } from "#core/adapters/http-control";
import type { WorkerCommand } from "#core/model/command";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { sweepMs } from "#core/model/limits";
import type { StandbyAnswer } from "#core/ports/control-plane";
import type { EventLog } from "#core/ports/event-log";
import { eventually, type Shelf, type World } from "#tests/support/control";
import { only } from "#tests/support/hand-worker";

export interface StandOptions {
  readonly want?: number;
  readonly pools?: readonly string[];
  readonly labels?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface Stander {
  readonly answer: Promise<StandbyAnswer>;
  /** What it was given so far; undefined while it stands. */
  given(): readonly WorkerCommand[] | undefined;
}

/** Resolves once the worker stands by. */
export async function stand(
  world: World,
  worker: string,
  options: StandOptions = {},
): Promise<Stander> {
  const { want = 1, pools = ["default"], labels = [], signal } = options;
  let given: readonly WorkerCommand[] | undefined;
  const work = { worker, pools, labels, want };
  const answer = httpControl(world.client).standby(work, signal);
  const noted = answer.then(({ commands }) => {
    given = commands;
  });
  noted.catch(() => {});
  await eventually(async () => world.control.executions.standby.has(worker) || undefined);
  return { answer, given: () => given };
}

export const endStanding = (world: World, worker: string): Promise<StandbyAnswer> =>
  httpControl(world.client).standby({ worker, pools: ["default"], want: 0 });

type Append = EventLog["append"];

export const around = (append: (inner: Append) => Append) => ({
  wrap: ({ log }: { readonly log: EventLog }) => ({
    log: { ...log, append: append((transitions) => log.append(transitions)) },
  }),
});

/** A world whose appends the test can hold up. */
export function slow(shelf: Shelf) {
  let opened = Promise.resolve();
  let appends = 0;
  const options = around((append) => async (transitions) => {
    appends += 1;
    await opened;
    return append(transitions);
  });
  const world = shelf.open({ ...options, clock: shelf.clock });
  /** Starts an execution up to its append, which goes on or fails when it is told to. */
  const startUpToAppend = async (path: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    opened = promise;
    const before = appends;
    const started = world.start(path);
    await eventually(async () => appends > before || undefined);
    const refuse = (): void => {
      opened = Promise.resolve();
      reject(new Fault("internal", "the store refuses it"));
    };
    return { started, goOn: resolve, refuse };
  };
  return { world, startUpToAppend };
}

/** Time in which the control plane looks about as it should. */
export async function pass(shelf: Shelf, world: World, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += sweepMs) {
    await shelf.clock.advance(sweepMs);
    await world.control.sweep.sweepOnce();
  }
}

export const typesOf = async (world: World, id: ExecutionId) =>
  (await world.events(id)).map(({ type }) => type);

/** The only open command of an execution. */
export const openRow = async (world: World, id: ExecutionId) =>
  only(await world.stores.log.openRows(id, 9));

export const items = (count: number) => ({
  items: Array.from({ length: count }, (_, index) => index),
});
