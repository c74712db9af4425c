// A database in which much has happened: executions that ended in every way, some that stand in the
// middle of their work, loops, waits, sub-playbooks.

import type { ExecutionId } from "#core/model/ids";
import { inlineBytesMax } from "#core/model/limits";
import type { World } from "#tests/support/control";
import { done, failed, handWorker } from "#tests/support/hand-worker";
import { chain, loop, parent, parentLoop, passing } from "./playbooks.ts";

const items = (count: number) => ({ items: Array.from({ length: count }, (_, index) => index) });

export interface Busy {
  /** By what they stand for. */
  readonly ids: Readonly<Record<BusyName, ExecutionId>>;
}

export type BusyName =
  | "completed"
  | "failed"
  | "cancelled"
  | "looped"
  | "parent"
  | "large"
  | "working"
  | "looping"
  | "waiting"
  | "parentWaiting";

async function registerAll(world: World): Promise<void> {
  for (const text of [
    chain("t/chain", 4),
    loop("t/loop", 3),
    parent("t/parent", "t/chain"),
    parentLoop("t/parents", "t/chain"),
    passing("t/passing"),
  ]) {
    await world.register(text);
  }
}

/** Lets it happen; commands of the executions that are to stand still are left open. */
export async function busyDatabase(world: World): Promise<Busy> {
  await registerAll(world);
  const worker = handWorker(world.client);
  const completed = await world.start("t/chain");
  const looped = await world.start("t/loop", items(7));
  const started = await world.start("t/parent");
  const large = await world.start("t/passing");
  const parents = await world.start("t/parents", items(3));
  const text = "x".repeat(inlineBytesMax + 1);
  for (const id of [completed, looped, started, large, parents]) {
    await drainUntilEnded(world, worker, id, ({ path }) =>
      path === "t/passing" ? text : { n: 1 },
    );
  }
  const broken = await world.start("t/chain");
  await worker.settle((await worker.claim()).map((command) => failed(command)));
  const cancelled = await world.start("t/loop", items(4));
  await worker.settle((await worker.claim(1)).map((command) => done(command)));
  await world.client.cancelExecution({ params: { id: cancelled }, body: {} });

  const waiting = await world.start("t/chain");
  const [parked] = await worker.claim();
  if (parked === undefined) throw new Error("expected a command to park");
  const yielded = { checkpoint: { label: "task_0" }, delay_ms: 3_600_000 };
  await worker.settle([{ ...done(parked), yielded }]);
  const looping = await world.start("t/loop", items(9));
  const open = await worker.claim();
  await worker.settle(open.slice(0, 2).map((command) => done(command, "part")));
  const working = await world.start("t/chain");
  const parentWaiting = await world.start("t/parent");
  return {
    ids: {
      ...{ completed, failed: broken, cancelled, looped, parent: started, large },
      ...{ working, looping, waiting, parentWaiting },
    },
  };
}

type Worker = ReturnType<typeof handWorker>;

async function drainUntilEnded(
  world: World,
  worker: Worker,
  id: ExecutionId,
  answer: Parameters<Worker["drain"]>[0],
): Promise<void> {
  for (;;) {
    await worker.drain(answer);
    const head = await world.stores.log.head(id);
    if (head?.row.status !== "running") return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
