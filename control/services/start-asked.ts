// Starts what clients ask for: one by one or in a list, once for a key where they have one.

import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { startsAtOnceMax } from "#core/model/request-limits";
import type { Executions } from "./executions.ts";
import { type Started, startExecution } from "./lifecycle.ts";
import type { StartInput } from "./start-input.ts";
import { type OnceRequest, startEachOnce, startOnce } from "./start-once.ts";

/** @throws Fault what the start is refused with. */
export async function startAsked(
  executions: Executions,
  { request, dedup }: StartInput,
): Promise<Started> {
  if (dedup === undefined) return startExecution(executions, request);
  const [started] = await startOnce(executions, [{ request, dedup }]);
  if (started === undefined) throw new Fault("internal", "a start was neither done nor refused");
  return started;
}

/** @throws Fault `not_found` for a parent that isn't the tenant's. */
export async function checkParent(
  { context }: Executions,
  { origin, tenant }: StartInput["request"],
): Promise<void> {
  const parent: ExecutionId | undefined = origin?.parent;
  if (parent === undefined) return;
  const head = await context.log.head(parent);
  if (head === undefined || head.row.tenant !== tenant) {
    throw new Fault("not_found", `execution ${parent} does not exist`);
  }
}

/** What became of one of a list: started, known by its key, or why not. */
export type Tried = Started | { readonly error: string };

/** Starts each; one that can't be started hinders no other. In the order of the list. */
export async function startEach(
  executions: Executions,
  list: readonly (StartInput | Fault)[],
): Promise<readonly Tried[]> {
  const tried: Tried[] = list.map((input) =>
    input instanceof Fault ? { error: input.message } : { error: "not tried" },
  );
  const keyed: { readonly index: number; readonly once: OnceRequest }[] = [];
  const plain: { readonly index: number; readonly input: StartInput }[] = [];
  for (const [index, input] of list.entries()) {
    if (input instanceof Fault) continue;
    const { request, dedup } = input;
    if (dedup === undefined) plain.push({ index, input });
    else keyed.push({ index, once: { request, dedup } });
  }
  const [once] = await Promise.all([
    startEachOnce(
      executions,
      keyed.map((each) => each.once),
    ),
    inLanes(plain, async ({ index, input }) => {
      tried[index] = await startExecution(executions, input.request).catch(refusal);
    }),
  ]);
  for (const [at, { index }] of keyed.entries()) {
    const one = once[at];
    if (one === undefined) continue;
    tried[index] = one.status === "fulfilled" ? one.value : refusal(one.reason);
  }
  return tried;
}

/** A request that is bad stays an item; what is wrong with us is not hidden among them. */
function refusal(thrown: unknown): { readonly error: string } {
  if (thrown instanceof Fault && thrown.code !== "internal") return { error: messageOf(thrown) };
  throw thrown;
}

async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(startsAtOnceMax, items.length) }, lane));
}
