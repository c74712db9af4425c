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
const untoldMs = 60_000;

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
    await Promise.all([answer(id, script), cancel(id, cancelAfterMs)]);
  };

  /** A start whose answer was lost is asked for again: there is one that nobody was told of. */
  const answerUntold = async (script: Script): Promise<void> => {
    const answers = script.answers.map((one) => ({ ...one, afterMs: 0 }));
    for (;;) {
      await process.clock.sleep(untoldMs);
      for (const [id, { status, started: start }] of world.record.states) {
        if (status !== "running" || start?.path !== script.path || started.has(id)) continue;
        await answer(id, { ...script, answers });
      }
    }
  };

  const answer = async (id: ExecutionId, { answers }: Script): Promise<void> => {
    for (const { key, afterMs, data } of answers) {
      await process.clock.sleep(afterMs);
      const { status } = await persist((client) =>
        client.callback({ params: { id, key }, query: {}, body: { data } }),
      );
      time.note(process.name, `answer ${key} to ${id}: ${status}`);
    }
  };

  const cancel = async (id: ExecutionId, cancelAfterMs: number | undefined): Promise<void> => {
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
    if (wish.script.answers.length > 0) {
      answerUntold(wish.script).catch((thrown: unknown) => void refusals.push(String(thrown)));
    }
    fulfil(wish)
      .catch((thrown: unknown) => void refusals.push(String(thrown)))
      .finally(() => {
        open -= 1;
      });
  }
  return { isDone: () => open === 0, started, cancelAsked, cancelled, refusals };
}
