// Those who start executions and cancel some: they ask until they are answered, over the same
// network as everybody else.

import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Script } from "./playbooks.ts";
import type { Timeline } from "./timeline.ts";
import type { World } from "./world.ts";

export interface Wish {
  readonly script: Script;
  readonly afterMs: number;
  readonly cancelAfterMs: number | undefined;
}

export interface Asked {
  isDone(): boolean;
  /** Executions that somebody was told of. */
  readonly started: ReadonlySet<ExecutionId>;
  readonly cancelAsked: ReadonlySet<ExecutionId>;
  /** Those of which the answer said that they are cancelled. */
  readonly cancelled: ReadonlySet<ExecutionId>;
  /** Answers that nobody should get. */
  readonly refusals: readonly string[];
}

const patienceMs = 10_000;
const pauseMs = 300;

export function askAll(world: World, time: Timeline, wishes: readonly Wish[]): Asked {
  const { client: process } = world;
  const client = apiClient({
    fetch: world.network.fetchOf(process),
    baseUrl: "http://control.simulated",
  });
  const started = new Set<ExecutionId>();
  const cancelAsked = new Set<ExecutionId>();
  const cancelled = new Set<ExecutionId>();
  const refusals: string[] = [];
  let open = wishes.length;

  const persist = async <Answer>(ask: (client: ApiClient) => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      const late = Promise.withResolvers<never>();
      const callOff = process.alarm(patienceMs, () =>
        late.reject(new Fault("timeout", "no answer")),
      );
      try {
        return await Promise.race([ask(client), late.promise]);
      } catch (thrown) {
        if (!(thrown instanceof Fault) || !thrown.retryable) throw thrown;
        await process.clock.sleep(pauseMs);
      } finally {
        callOff();
      }
    }
  };

  const fulfil = async ({ script, afterMs, cancelAfterMs }: Wish): Promise<void> => {
    await process.clock.sleep(afterMs);
    const { path, workload } = script;
    const body = { path, payload: { ...workload } };
    const id = executionId((await persist((client) => client.execute({ body }))).execution_id);
    started.add(id);
    time.note(process.name, `started ${path} as ${id}`);
    if (cancelAfterMs === undefined) return;
    await process.clock.sleep(cancelAfterMs);
    cancelAsked.add(id);
    const { status } = await persist((client) =>
      client.cancelExecution({ params: { id }, body: { reason: "simulated" } }),
    );
    time.note(process.name, `cancel of ${id}: ${status}`);
    if (status === "cancelled") cancelled.add(id);
  };

  for (const wish of wishes) {
    fulfil(wish)
      .catch((thrown: unknown) => void refusals.push(String(thrown)))
      .finally(() => {
        open -= 1;
      });
  }
  return { isDone: () => open === 0, started, cancelAsked, cancelled, refusals };
}
