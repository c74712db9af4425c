// A cursor storm: one queue is drained by several workers, who are killed by SIGKILL while they have
// frames in hand, and so are the control plane and, where the queue is a stream, the server of the
// queue. Then it is judged: each row's effects under one key, and no row left behind.

import { openPostgres } from "#control/store/postgres";
import type { Sql } from "#control/store/sql";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { messageOf } from "#core/model/fault";
import { type Cluster, startCluster } from "./cluster.ts";
import type { Member } from "./cluster-member.ts";
import {
  type CursorQueue,
  type CursorSource,
  cursorQueue,
  queueAlias,
} from "./storm-cursor-queue.ts";
import { type StormEffects, startEffects } from "./storm-effects.ts";
import { type StormRandom, stormRandom } from "./storm-random.ts";

export interface CursorStormOptions {
  readonly source: CursorSource;
  readonly rows: number;
  readonly workers: number;
  /** Workers that are killed on the way. */
  readonly kills: number;
  readonly seed: number;
  readonly tell?: (text: string) => void;
  /** Once the house is there: how to end it early. */
  readonly onHouse?: (close: () => Promise<void>) => void;
}

export interface CursorStormReport {
  readonly scenario: "cursor";
  readonly source: CursorSource;
  readonly seed: number;
  readonly rows: number;
  readonly workers: number;
  readonly kills: { readonly worker: number; readonly control: number; readonly nats: number };
  /** Rows that had an effect, and those of them with more than one key. */
  readonly done: number;
  readonly done_twice: number;
  /** Calls that came again under the key that they had before. */
  readonly repeated: number;
  readonly frames: number;
  /** Rows that stand in more than one frame: messages that came again. */
  readonly claimed_again: number;
  readonly reissued: number;
  /** From the start of the execution to its end. */
  readonly seconds: number;
  readonly problems: readonly string[];
  readonly ok: boolean;
}

export interface CursorStormResult {
  readonly report: CursorStormReport;
  /** What the members wrote. */
  readonly output: string;
}

interface Scene extends CursorStormOptions {
  readonly cluster: Cluster;
  readonly log: Sql;
  readonly queue: CursorQueue;
  readonly effects: StormEffects;
  readonly client: ApiClient;
  readonly tell: (text: string) => void;
}

const slots = 4;
const lookMs = 50;
/** Longer than a lease and the retries after it: a queue that rests so long is stuck. */
const restMsMax = 120_000;
/** Rows until the queue behaves: where it is a stream, their acknowledgements are lost. */
const badRowsMax = 2_000;
const outputLinesMax = 20_000;
const lastLines = 40;
const durable = ["shared_buffers=256MB", "synchronous_commit=on", "fsync=on"];

/** @throws Error when the house can't be built, or the storm itself is at fault. */
export async function runCursorStorm(options: CursorStormOptions): Promise<CursorStormResult> {
  const { source, rows, workers, tell = () => {} } = options;
  const lines: string[] = [];
  const cluster = await startCluster({
    ...{ controls: 1, workers, slots, credential: queueAlias, postgresSettings: durable },
    onLine: (member, line) => {
      lines.push(`${new Date().toISOString()} ${member} | ${line}`);
      if (lines.length > outputLinesMax) lines.shift();
    },
  });
  const leaving: (() => Promise<unknown>)[] = [cluster.close];
  const close = async (): Promise<void> => {
    for (let leave = leaving.pop(); leave !== undefined; leave = leaving.pop()) await leave();
  };
  options.onHouse?.(close);
  try {
    const effects = startEffects();
    leaving.push(effects.stop);
    const log = openPostgres(cluster.postgres.url, { connections: 1 });
    leaving.push(() => log.close());
    const queue = await cursorQueue(source, cluster, { rows, target: effects.url });
    leaving.push(queue.close);
    tell(`${rows} rows in ${source}, ${workers} workers of ${slots} slots, seed ${options.seed}`);
    const baseUrl = cluster.urls[0] ?? "";
    const client = apiClient({ fetch: (request) => fetch(request), baseUrl });
    const scene: Scene = { ...options, cluster, log, queue, effects, client, tell };
    return { report: await drained(scene), output: lines.join("\n") };
  } catch (thrown) {
    tell(`the storm itself failed; members wrote last:\n${lines.slice(-lastLines).join("\n")}`);
    throw thrown;
  } finally {
    await close();
  }
}

async function drained(scene: Scene): Promise<CursorStormReport> {
  const { source, rows, workers, seed, client, effects } = scene;
  await client.registerCatalog({ body: { content: scene.queue.playbook } });
  const beganMs = performance.now();
  const { execution_id: id } = await client.execute({ body: { path: "storm/drain" } });
  const kills = await disasters(scene, id);
  const isEnded = await rested(scene, id, () => false);
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  const counts = await logCounts(scene, id);
  const doubled = effects.doubled();
  const problems = await problemsOf(scene, { id, isEnded, counts, doubled });
  const { frames, claimed, ids, reissued } = counts;
  return {
    ...{ scenario: "cursor", source, seed, rows, workers, kills },
    ...{ done: effects.rows(), done_twice: doubled.length, repeated: effects.repeated() },
    ...{ frames, claimed_again: claimed - ids, reissued, seconds },
    ...{ problems, ok: problems.length === 0 },
  };
}

/** Waits for the end, or for `isEnough`. @returns whether the execution has ended. */
async function rested(
  { log, effects }: Scene,
  id: string,
  isEnough: () => boolean,
): Promise<boolean> {
  let [seen, movedMs] = [effects.rows(), Date.now()];
  for (;;) {
    if (effects.rows() + effects.repeated() !== seen) {
      seen = effects.rows() + effects.repeated();
      movedMs = Date.now();
    }
    if ((await statusOf(log, id)) !== "running") return true;
    if (isEnough() || Date.now() - movedMs > restMsMax) return false;
    await Bun.sleep(lookMs);
  }
}

/** Kills a worker each time so many rows more are done, and the servers once on the way. */
async function disasters(scene: Scene, id: string): Promise<CursorStormReport["kills"]> {
  const { cluster, log, queue, rows, kills, seed, source, effects, tell } = scene;
  const chance = stormRandom(seed);
  const living: Member[] = [...cluster.workers];
  const done = { worker: 0, control: 0, nats: 0 };
  await rested(scene, id, () => effects.rows() >= Math.min(badRowsMax, rows / (kills + 2)));
  queue.behave();
  for (let kill = 1; kill <= kills; kill++) {
    const due = Math.floor((rows * kill) / (kills + 1));
    if (await rested(scene, id, () => effects.rows() >= due)) break;
    const place = await holder(log, living, chance);
    await living[place]?.kill();
    done.worker += 1;
    tell(`worker ${place} killed at ${effects.rows()} rows, ${effects.repeated()} calls again`);
    if (kill === Math.ceil(kills / 2)) {
      await cluster.controls.at(-1)?.kill();
      done.control += 1;
      tell("control plane killed");
      if (source === "nats") {
        await cluster.nats.kill();
        await cluster.nats.start();
        done.nats += 1;
        tell("NATS server killed");
      }
      await cluster.restartControl(0);
    }
    living[place] = await cluster.startWorker();
  }
  return done;
}

/** A worker with frames in hand, by chance; any, while none has. A worker's name holds its process id. */
async function holder(log: Sql, living: readonly Member[], chance: StormRandom): Promise<number> {
  const leased = await log.query<{ worker: string }>(
    "select worker from noetl.command where kind = 'tool' and status = 'leased'",
  );
  const holders = living.flatMap(({ pid }, place) =>
    leased.some(({ worker }) => worker.includes(`-${pid}-`)) ? [place] : [],
  );
  return holders[chance.int(holders.length)] ?? chance.int(living.length);
}

interface LogCounts {
  readonly frames: number;
  readonly claimed: number;
  readonly ids: number;
  readonly reissued: number;
  /** Commands with more than one outcome. */
  readonly twice: number;
}

async function logCounts({ log, queue }: Scene, id: string): Promise<LogCounts> {
  const [counts] = await log.query<LogCounts>(
    `with e as (select type, payload from noetl.event where execution_id = ${id}),
       r as (select ${queue.idSql} as id
         from e, json_array_elements(e.payload->'rows') as row where type = 'cursor.claimed')
     select (select count(*)::int from e where type = 'cursor.claimed') as frames,
       (select count(*)::int from r) as claimed, (select count(distinct id)::int from r) as ids,
       (select count(*)::int from e where type = 'command.reissued') as reissued,
       (select count(*)::int from (select 1 from e where type in ('call.done', 'call.error')
          group by payload->>'command_id' having count(*) > 1) t) as twice`,
  );
  if (counts === undefined) throw new Error(`expected counts of execution ${id}, found none`);
  return counts;
}

async function statusOf(log: Sql, id: string): Promise<string> {
  const [row] = await log.query<{ status: string }>(
    `select status from noetl.execution where execution_id = ${id}`,
  );
  return row?.status ?? "missing";
}

interface Found {
  readonly id: string;
  readonly isEnded: boolean;
  readonly counts: LogCounts;
  readonly doubled: readonly string[];
}

async function problemsOf(scene: Scene, found: Found): Promise<readonly string[]> {
  const { rows, log, effects, queue, client } = scene;
  const { id, isEnded, counts, doubled } = found;
  const { claimed, ids, twice } = counts;
  const status = await statusOf(log, id);
  const stranded = await queue.stranded();
  const verified = await client.verify({ query: { execution_id: id } }).then(
    ({ executions }) => executions.flatMap(({ problems }) => problems),
    (thrown: unknown) => [messageOf(thrown)],
  );
  const again = queue.mayComeAgain ? 0 : claimed - ids;
  return [
    ...(isEnded ? [] : ["stuck: nothing has moved for two minutes"]),
    ...(status === "completed" ? [] : [`the execution is ${status}, expected completed`]),
    ...(effects.rows() === rows ? [] : [`${effects.rows()} rows had an effect, expected ${rows}`]),
    ...(doubled.length === 0 ? [] : [`rows with effects under two keys: ${some(doubled)}`]),
    ...(ids === rows ? [] : [`${ids} rows were recorded as claimed, expected ${rows}`]),
    ...(again === 0 ? [] : [`${again} rows were claimed by a second frame`]),
    ...(stranded === undefined ? [] : [`stranded: ${stranded}`]),
    ...(twice === 0 ? [] : [`${twice} commands have two outcomes`]),
    ...verified.map((what) => `verify: ${typeof what === "string" ? what : JSON.stringify(what)}`),
  ];
}

const shown = 10;

function some(rows: readonly string[]): string {
  const rest = rows.length > shown ? ` and ${rows.length - shown} more` : "";
  return rows.slice(0, shown).join(", ") + rest;
}
