// What a storm happens to: a cluster whose wires can be cut, a database for effects, and clients of
// every control plane that turn to another one when theirs is gone.

import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { messageOf } from "#core/model/fault";
import { type Cluster, startCluster } from "./cluster.ts";
import { effectsAlias, playbookText, storedShapes } from "./storm-playbooks.ts";
import { type FirstCalls, type StormTarget, startTarget } from "./storm-target.ts";

export interface StormHouse {
  readonly cluster: Cluster;
  readonly target: StormTarget;
  /** The database that the playbooks write to. */
  readonly effects: Sql;
  /** The log's database, past every wire that may be cut. */
  readonly sql: Sql;
  /** Calls some control plane, another one each time; no call takes longer than `callMs`. */
  call<Answer>(ask: (client: ApiClient, signal: AbortSignal) => Promise<Answer>): Promise<Answer>;
  /** The same until it is answered. @throws Error with the last fault at `untilMs`. */
  answered<Answer>(
    ask: (client: ApiClient, signal: AbortSignal) => Promise<Answer>,
    untilMs: number,
  ): Promise<Answer>;
  /** What all members wrote, newest last, bounded. */
  output(): string;
  close(): Promise<void>;
}

export interface HouseOptions {
  readonly controls: number;
  readonly workers: number;
  readonly slots: number;
  readonly natsStartsLater: boolean;
  readonly firstCalls: FirstCalls | undefined;
}

export const callMs = 6_000;
const againMs = 150;
const outputLinesMax = 20_000;

/** As production has it where it matters: a commit that was acknowledged survives the server. */
const durable = ["shared_buffers=64MB", "synchronous_commit=on", "fsync=on"];

/** @throws Error where a program is missing, or a member ends before it is ready. */
export async function startHouse(options: HouseOptions): Promise<StormHouse> {
  const lines: string[] = [];
  const target = startTarget(options.firstCalls);
  const cluster = await startCluster({
    ...options,
    hasLines: true,
    credential: effectsAlias,
    postgresSettings: durable,
    onLine: (member, line) => {
      lines.push(`${new Date().toISOString()} ${member} | ${line}`);
      if (lines.length > outputLinesMax) lines.shift();
    },
  }).catch(async (thrown: unknown) => {
    await target.stop();
    throw thrown;
  });
  const { url } = cluster.postgres;
  const sql = openPostgres(url, { connections: 2, silenceMs: callMs });
  const effects = openPostgres(url.replace(/\/[^/]*$/, `/${effectsAlias}`), { connections: 1 });
  const calls = callsOf(cluster);
  const close = async (): Promise<void> => {
    await Promise.all([sql.close(), effects.close(), target.stop()]);
    await cluster.close();
  };
  try {
    await effects.query(
      "create table effect (key text primary key, run text not null, item integer not null)",
    );
    for (const shape of storedShapes) {
      await calls.call((client) =>
        client.registerCatalog({ body: { content: playbookText(shape) } }),
      );
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { cluster, target, sql, effects, ...calls, output: () => lines.join("\n"), close };
}

function callsOf({ urls }: Cluster): Pick<StormHouse, "call" | "answered"> {
  let turn = 0;
  const call: StormHouse["call"] = (ask) => {
    turn += 1;
    const baseUrl = urls[turn % urls.length] ?? "";
    const client = apiClient({ fetch: (request) => fetch(request), baseUrl });
    return ask(client, AbortSignal.timeout(callMs));
  };
  const answered: StormHouse["answered"] = async (ask, untilMs) => {
    for (;;) {
      try {
        return await call(ask);
      } catch (thrown) {
        if (Date.now() > untilMs) throw new Error(`no answer in time: ${messageOf(thrown)}`);
        await Bun.sleep(againMs);
      }
    }
  };
  return { call, answered };
}
