// Does to a cluster what a storm's schedule says, and remembers when, to whom, and which executions
// were under way there. What was taken away is back when a fault has ended.

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { commandStream } from "#core/wire/subjects";
import type { CutProxy } from "./cut-proxy.ts";
import type { StormHouse } from "./storm-house.ts";
import { type Place, patiently, type StormMembers } from "./storm-members.ts";
import type { HitExecution, RecoveryWatch } from "./storm-recovery.ts";
import type { FaultKind, PlannedFault } from "./storm-schedule.ts";

export interface FaultDone {
  readonly kind: FaultKind;
  readonly target: string;
  /** Milliseconds since 1970, as in the log: this machine's clock serves everybody. */
  readonly atMs: number;
  /** Executions that had a command open for what was hit. */
  readonly hit: readonly HitExecution[];
}

export interface StormFaults {
  readonly done: readonly FaultDone[];
  /** Resolves when what the fault took away is back. */
  inflict(fault: AskedFault): Promise<void>;
}

export interface AskedFault extends Pick<PlannedFault, "kind" | "awayMs"> {
  /** Which of several; the worker with most to lose without it. */
  readonly pick?: number;
}

export interface FaultOptions {
  readonly house: StormHouse;
  readonly members: StormMembers;
  readonly watch: RecoveryWatch;
  readonly tell: (text: string) => void;
}

const snapshotMs = 1_000;

export function stormFaults({ house, members, watch, tell }: FaultOptions): StormFaults {
  const done: FaultDone[] = [];
  const inTurn = turns();
  const inflict: StormFaults["inflict"] = async (fault) => {
    const { kind, awayMs } = fault;
    const pick = fault.pick ?? (await busiest(house, members.workers)) ?? 0;
    const blow = blowOf({ house, members }, kind, pick);
    return inTurn(blow.target, async () => {
      const hit = await hitBy(house, blow.place);
      const struck = { kind, target: blow.target, atMs: Date.now(), hit };
      done.push(struck);
      watch.add(struck);
      tell(`${kind}: ${blow.target} for ${awayMs} ms, ${hit.length} executions under way`);
      await blow.strike();
      await Bun.sleep(awayMs);
      await blow.mend();
      tell(`${kind}: ${blow.target} is back`);
    });
  };
  return { done, inflict };
}

interface Blow {
  /** What is hit; one fault at a time may be at work on it. */
  readonly target: string;
  /** The worker whose commands alone are concerned. */
  readonly place?: Place;
  strike(): Promise<unknown>;
  mend(): Promise<unknown>;
}

type Struck = Pick<FaultOptions, "house" | "members">;

function blowOf({ house, members }: Struck, kind: FaultKind, pick: number): Blow {
  const { postgres, nats, lines } = house.cluster;
  switch (kind) {
    case "worker_killed":
    case "worker_drained": {
      const place = at(members.workers, pick);
      const how = kind === "worker_killed" ? "kill" : "stop";
      return { target: place.name, place, strike: () => place.leave(how), mend: place.enter };
    }
    case "control_killed":
    case "control_stopped": {
      const place = at(members.controls, pick);
      const how = kind === "control_killed" ? "kill" : "stop";
      return { target: place.name, strike: () => place.leave(how), mend: place.enter };
    }
    case "postgres_killed": {
      const mend = () => patiently(postgres.restart);
      return { target: "postgres", strike: postgres.kill, mend };
    }
    case "nats_killed":
      return { target: "nats", strike: () => nats.kill(), mend: () => patiently(nats.start) };
    case "stream_deleted":
      return { target: "nats", strike: () => deleteStream(nats.url), mend: nothing };
    case "workers_cut_off":
      return cut(at(members.controls, pick).name, at(lines, pick).workers);
    case "database_cut_off":
      return cut(at(members.controls, pick).name, at(lines, pick).database);
    default:
      return kind satisfies never;
  }
}

async function nothing(): Promise<void> {}

/** Bytes go nowhere, and nobody is told; then every connection is reset. */
function cut(target: string, line: CutProxy): Blow {
  return { target, strike: async () => line.silence(), mend: async () => line.heal() };
}

function at<Item>(items: readonly Item[], pick: number): Item {
  const item = items[pick % items.length];
  if (item === undefined) throw new Error("expected something to hit, found nothing");
  return item;
}

async function deleteStream(server: string): Promise<void> {
  const connection = await connect({ servers: [server] });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    // Whoever was first may have deleted it, or nobody has made it yet.
    await manager.streams.delete(commandStream).catch(() => false);
  } finally {
    await connection.close();
  }
}

interface OpenCommand extends HitExecution {
  /** Those that lease its commands. */
  readonly workers: string;
}

const openSql = `
select c.execution_id::text as id, e.head, json_agg(c.worker)::text as workers
from noetl.command c join noetl.execution e on e.execution_id = c.execution_id
where c.kind = 'tool' and c.status in ('ready', 'leased') and (c.status = 'leased' or not $1::boolean)
group by c.execution_id, e.head`;

/** A worker's name holds its process id between dashes. */
function markOf(place: Place): string {
  return `-${place.member().pid}-`;
}

/** The place with most commands; undefined when nobody has any, or nobody knows. */
async function busiest({ sql }: StormHouse, places: readonly Place[]): Promise<number | undefined> {
  const leased = sql.query<{ worker: string }>(
    "select worker from noetl.command where kind = 'tool' and status = 'leased'",
  );
  const rows = (await Promise.race([leased.catch(() => undefined), Bun.sleep(snapshotMs)])) ?? [];
  const counts = places.map((place) => {
    const mark = markOf(place);
    return rows.filter(({ worker }) => worker.includes(mark)).length;
  });
  const most = Math.max(...counts);
  return most === 0 ? undefined : counts.indexOf(most);
}

/** Executions with a command that is leased to that worker, or with any open one. */
async function hitBy(
  { sql }: StormHouse,
  place: Place | undefined,
): Promise<readonly HitExecution[]> {
  const open = sql.query<OpenCommand>(openSql, [place !== undefined]);
  // While the database is away nobody knows; such a fault gives no measurement.
  const rows = await Promise.race([open.catch(() => undefined), Bun.sleep(snapshotMs)]);
  const mark = place === undefined ? "" : markOf(place);
  const concerned = (rows ?? []).filter(({ workers }) => workers.includes(mark));
  return concerned.map(({ id, head }) => ({ id, head }));
}

/** Acts on one thing one after the other, on different things at the same time. */
function turns(): (key: string, act: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (key, act) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(act);
    last.set(
      key,
      turn.catch(() => {}),
    );
    return turn;
  };
}
