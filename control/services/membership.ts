// Which replicas there are, and which of them an execution belongs to. A replica says that it is
// there, looks every second who else is, and keeps the map between. The map serves speed alone: a
// replica serves every execution, and a map that is out of date costs a replay, never a fault.

import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import {
  clockSkewMsMax,
  membershipRefreshMs,
  runtimeHeartbeatMs,
  runtimeOfflineMs,
} from "#core/model/limits";
import { type ShardMap, shardMap, shardOf } from "#core/model/shards";
import type { Clock, IdMint } from "#core/ports/clock";
import type { RuntimeProcess, RuntimeRegistry, RuntimeRow } from "#core/ports/runtime-registry";
import { type LeasedIds, leasedIds } from "./leased-ids.ts";

export interface Member {
  readonly name: string;
  /** Empty where it can't be reached by itself: the embedded shape. */
  readonly uri: string;
  readonly version?: string;
  readonly hostname?: string;
  readonly pid?: number;
  readonly startedAtMs?: number;
}

/** The replicas in the order of the map's members. */
export interface MembershipView extends Omit<ShardMap, "members"> {
  readonly members: readonly Member[];
}

/** What the services and the app need to know. */
export interface Membership {
  readonly name: string;
  view(): MembershipView;
  /** Whether this replica keeps the execution's state. */
  owns(id: ExecutionId): boolean;
}

export interface Replica extends Membership {
  /** Minted with a machine id that no other process holds. */
  readonly ids: IdMint;
  machineId(): number;
  /** From here on others send it their work. */
  join(uri: string): Promise<void>;
  /** Looks now who is there, and says that it is. */
  refresh(): Promise<void>;
  /** From here on others send it nothing; what still comes is served. */
  leave(): Promise<void>;
  /** Leaves, gives the machine id back and ends. */
  close(): Promise<void>;
}

export interface ReplicaOptions {
  readonly registry: RuntimeRegistry;
  readonly clock: Clock;
  /** Host, process id and something random: never used before. */
  readonly name: string;
  readonly mint: (machineId: number) => IdMint;
  readonly version: string;
  readonly hostname?: string;
  readonly pid?: number;
  /** Told of what went wrong and was dealt with. */
  readonly report: (message: string) => void;
}

/** A control plane that is alone: the embedded shape, and tests. */
export function soleMember(name = "control"): Membership {
  const { epoch, owners } = shardMap([name]);
  const view = { epoch, owners, members: [{ name, uri: "" }] };
  return { name, view: () => view, owns: () => true };
}

/**
 * Takes a machine id for this replica; nobody hears of it before it joins.
 * @throws Fault `unavailable` when the database doesn't answer or has no machine id left.
 */
export async function openReplica(options: ReplicaOptions): Promise<Replica> {
  const { registry, clock, name } = options;
  const lease = await leasedIds({ registry, clock, name, mint: options.mint });
  const ending = new AbortController();
  const seat = membershipSeat(options, lease);
  void keepLooking(seat.refresh, clock, ending.signal);
  return {
    name,
    ids: lease.ids,
    machineId: lease.machineId,
    view: seat.view,
    owns: seat.owns,
    refresh: seat.refresh,
    join: seat.join,
    leave: seat.leave,
    close: async () => {
      ending.abort();
      await seat.leave();
      await lease.giveBack();
    },
  };
}

async function keepLooking(
  refresh: () => Promise<void>,
  clock: Clock,
  ending: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(membershipRefreshMs, ending);
    if (ending.aborted) return;
    await refresh();
  }
}

type Seat = Pick<Replica, "view" | "owns" | "refresh" | "join" | "leave">;

function membershipSeat(options: ReplicaOptions, lease: LeasedIds): Seat {
  const { registry, clock, name, report } = options;
  let self: RuntimeProcess | undefined;
  let map = shardMap([name]);
  let current: MembershipView = soleMember(name).view();
  let place = 0;
  let saidAtMs = clock.nowMs();
  let isAway = false;

  const see = (rows: readonly RuntimeRow[]): void => {
    // A map without anybody is of no use; a replica that serves alone is one.
    if (rows.length === 0) return;
    const known = new Map(rows.map((row) => [row.name, memberOf(row)]));
    const isNew = rows.length !== map.members.length || !map.members.every((one) => known.has(one));
    if (isNew) map = shardMap([...known.keys()]);
    const { epoch, members, owners } = map;
    current = { epoch, owners, members: members.flatMap((member) => known.get(member) ?? []) };
    place = members.indexOf(name);
  };

  const say = async (): Promise<void> => {
    const askedAtMs = clock.nowMs();
    await lease.renew();
    saidAtMs = askedAtMs;
    if (self === undefined) return;
    const row = (await registry.heartbeat("server_api", name)) ?? (await registry.register(self));
    const skewMs = Math.abs(row.heartbeatAtMs - askedAtMs) - (clock.nowMs() - askedAtMs);
    if (skewMs > clockSkewMsMax) {
      report(
        `the clocks of replica ${name} and of the database are ${Math.round(skewMs)} ms apart`,
      );
    }
  };

  const look = async (): Promise<void> => {
    if (clock.nowMs() - saidAtMs >= runtimeHeartbeatMs) await say();
    let rows = await registry.live("server_api");
    if (self !== undefined && !rows.some((row) => row.name === name)) {
      // It was taken for gone, after a stall.
      await say();
      rows = await registry.live("server_api");
    }
    see(rows);
  };

  /** What is known stays known while the database is away. */
  const refresh = async (): Promise<void> => {
    try {
      await look();
      isAway = false;
    } catch (thrown) {
      if (!isAway) report(`the other replicas can't be looked up: ${messageOf(thrown)}`);
      isAway = true;
    }
  };

  /** One after the other: a word that is under way must not overtake the leaving. */
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  };

  return {
    view: () => current,
    owns: (id) =>
      current.members.length > 1 ? current.owners[shardOf(id)] === place : place === 0,
    refresh: () => inTurn(refresh),
    join: (uri) =>
      inTurn(async () => {
        self = processOf(options, uri);
        await registry.register(self);
        await refresh();
      }),
    leave: () =>
      inTurn(async () => {
        if (self === undefined) return;
        self = undefined;
        await registry.leave("server_api", name).catch((thrown: unknown) => {
          report(`replica ${name} could not leave: ${messageOf(thrown)}`);
        });
        await refresh();
      }),
  };
}

function processOf(options: ReplicaOptions, uri: string): RuntimeProcess {
  const { name, version, hostname, pid } = options;
  return {
    kind: "server_api",
    name,
    uri: uri.replace(/\/+$/, ""),
    pools: [],
    labels: [],
    capacity: 0,
    version,
    details: {},
    offlineMs: runtimeOfflineMs,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pid === undefined ? {} : { pid }),
  };
}

function memberOf({ name, uri = "", version, hostname, pid, startedAtMs }: RuntimeRow): Member {
  return {
    name,
    uri,
    startedAtMs,
    ...(version === undefined ? {} : { version }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(pid === undefined ? {} : { pid }),
  };
}
