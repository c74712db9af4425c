// Work on a page of executions: some at a time, in order, and for no longer than a request may take;
// what is left is the next page's.

import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { verifyAtOnceMax, verifyPageMs } from "#core/model/limits";
import type { ControlContext } from "./context.ts";

export interface PageWork<Result> {
  readonly results: readonly Result[];
  /** The last execution that was worked on; undefined for a page without any. */
  readonly last: ExecutionId | undefined;
  /** Executions of the page were left for the next one. */
  readonly cut: boolean;
}

/** An execution that is gone by the time it is its turn (retention) is passed over. */
export async function workThrough<Result>(
  { clock }: Pick<ControlContext, "clock">,
  ids: readonly ExecutionId[],
  work: (id: ExecutionId) => Promise<Result>,
): Promise<PageWork<Result>> {
  const untilMs = clock.nowMs() + verifyPageMs;
  const done: (Result | undefined)[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const id = ids[next];
      if (id === undefined || (next > 0 && clock.nowMs() >= untilMs)) return;
      const at = next++;
      done[at] = await work(id).catch(unlessGone);
    }
  };
  await Promise.all(Array.from({ length: verifyAtOnceMax }, worker));
  return {
    results: done.filter((result) => result !== undefined),
    last: ids[next - 1],
    cut: next < ids.length,
  };
}

function unlessGone(thrown: unknown): undefined {
  if (thrown instanceof Fault && thrown.code === "not_found") return undefined;
  throw thrown;
}
