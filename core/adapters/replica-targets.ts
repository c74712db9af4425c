// The replicas as a worker knows them: their addresses, who answers, which of them owns a shard,
// and that all of them work on one database. What is known here serves speed: any replica serves
// any request.

import { Fault, messageOf } from "#core/model/fault";
import {
  memberClaimMs,
  memberDownMs,
  memberDownMsMax,
  memberRequestMs,
  membershipRefreshMs,
} from "#core/model/limits";
import { shardOf } from "#core/model/shards";
import type { Clock } from "#core/ports/clock";
import type { ControlPlane } from "#core/ports/control-plane";
import type { Sealing } from "#core/ports/sealing";
import { clusterHeader, epochHeader } from "#core/wire/headers";
import { type ApiClient, apiClient } from "./api-client.ts";
import { type Alarm, httpControl } from "./http-control.ts";

type Fetch = (request: Request) => Promise<Response>;

export interface TargetsOptions {
  /** Addresses to begin with, without a trailing slash; at least one. */
  readonly servers: readonly string[];
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly alarm?: Alarm;
  /** Put on every request, asked for anew each time: who asks. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Opens what is secret; without it the worker is given nothing of the kind. */
  readonly sealing?: Sealing;
  readonly notice?: (message: string, thrown?: unknown) => void;
}

/** One replica's address, and what came of the requests to it. */
export interface Target {
  readonly url: string;
  readonly fetch: Fetch;
  readonly client: ApiClient;
  /** With as much patience as there is; for the last one that is asked. */
  readonly patient: ControlPlane;
  /** Gives up early, for there are others to ask. */
  readonly brisk: ControlPlane;
  readonly claims: ControlPlane;
  failures: number;
  downUntilMs: number;
}

export interface Targets {
  /** Who may be asked, the ones that answer first, beginning with the given one if it does. */
  inOrder(first?: Target): readonly Target[];
  /** The owner of an execution if it answers, else another that does; undefined if all are one. */
  ownerOf(executionId: string): Target | undefined;
  /** The next in turn of those that answer. */
  inTurn(): Target;
}

interface View {
  readonly epoch: string;
  readonly members: readonly Target[];
  /** For each shard its owner; undefined where it has no address. */
  readonly owners: readonly (Target | undefined)[];
}

export function replicaTargets(options: TargetsOptions): Targets {
  const { clock, notice } = options;
  const known = new Map<string, Target>();
  const cluster = clusterMemory();
  let view: View | undefined;
  let turn = 0;
  let isRefreshing = false;
  let refreshedAtMs = Number.NEGATIVE_INFINITY;

  const targetAt = (url: string): Target => {
    const found = known.get(url);
    if (found !== undefined) return found;
    const target = newTarget(url, { options, cluster, onEpoch });
    known.set(url, target);
    return target;
  };

  /** Replicas learn of each other within a second, and contradict each other meanwhile. */
  const onEpoch = (epoch: string, target: Target): void => {
    const isTooSoon = clock.nowMs() < refreshedAtMs + membershipRefreshMs;
    if (epoch === view?.epoch || isRefreshing || isTooSoon) return;
    isRefreshing = true;
    refreshedAtMs = clock.nowMs();
    refresh(target)
      .catch((thrown: unknown) => {
        notice?.(`the map of replicas can't be had from ${target.url}`, thrown);
      })
      .finally(() => {
        isRefreshing = false;
      });
  };

  const refresh = async (target: Target): Promise<void> => {
    const { epoch, members, map } = await target.client.shardInfo();
    const reached = members.map(({ uri }) => (uri === "" ? undefined : targetAt(uri)));
    const before = view?.members ?? [];
    view = {
      epoch,
      members: reached.filter((member) => member !== undefined),
      owners: map.map((place) => reached[place]),
    };
    const kept = new Set([...seeds, ...view.members]);
    for (const gone of before) if (!kept.has(gone)) known.delete(gone.url);
    if (before.length > 0)
      notice?.(`there are ${members.length} replicas of the control plane now`);
  };

  const seeds = options.servers.map((url) => targetAt(url.replace(/\/+$/, "")));
  const isUp = (target: Target): boolean => target.downUntilMs <= clock.nowMs();

  /** One address to begin with and one replica behind it: no other way to it is better. */
  const all = (): readonly Target[] => {
    const members = view?.members ?? [];
    if (members.length === 0 || (members.length === 1 && seeds.length === 1)) return seeds;
    return members;
  };

  const inOrder = (first?: Target): readonly Target[] => {
    const given = all();
    if (given.length === 1 && seeds.length === 1) return given;
    const start = first === undefined ? -1 : given.indexOf(first);
    const turned = start < 0 ? given : [...given.slice(start), ...given.slice(0, start)];
    const every = [...new Set([...turned, ...seeds])];
    return [...every.filter(isUp), ...every.filter((target) => !isUp(target))];
  };

  return {
    inOrder,
    ownerOf: (executionId) => {
      if (view === undefined || all().length === 1) return undefined;
      const owner = view.owners[shardOf(executionId)];
      return owner === undefined || isUp(owner) ? owner : inOrder(owner)[0];
    },
    inTurn: () => {
      const given = all();
      const live = given.filter(isUp);
      const from = live.length === 0 ? given : live;
      turn = (turn + 1) % from.length;
      const [first] = from;
      const next = from[turn] ?? first;
      if (next === undefined) throw new Fault("invalid", "expected the address of a control plane");
      return next;
    },
  };
}

/** A reply that comes from another database than the replies before it. */
export class ForeignCluster extends Fault {
  constructor(url: string, expected: string, found: string) {
    super("conflict", `${url} works on cluster ${found}, expected ${expected} as it was before`);
  }
}

interface ClusterMemory {
  /** What requests say they are meant for. */
  known(): string | undefined;
  /** @throws ForeignCluster for a reply from another database than the first one. */
  check(url: string, found: string | null): void;
}

/** The first cluster that answered is the one to stay with: another has other executions. */
function clusterMemory(): ClusterMemory {
  let known: string | undefined;
  return {
    known: () => known,
    check: (url, found) => {
      if (found === null || found === known) return;
      if (known !== undefined) {
        throw new ForeignCluster(url, known, found);
      }
      known = found;
    },
  };
}

interface TargetParts {
  readonly options: TargetsOptions;
  readonly cluster: ClusterMemory;
  readonly onEpoch: (epoch: string, target: Target) => void;
}

function newTarget(url: string, { options, cluster, onEpoch }: TargetParts): Target {
  const { clock, alarm, notice, sealing } = options;
  const fail = (thrown: unknown): void => {
    if (target.failures === 0) notice?.(`${url} does not answer`, messageOf(thrown));
    const delayMs = Math.min(memberDownMs * 2 ** target.failures, memberDownMsMax);
    target.failures += 1;
    target.downUntilMs = clock.nowMs() + delayMs;
  };
  const fetch = async (request: Request): Promise<Response> => {
    const meant = cluster.known();
    if (meant !== undefined) request.headers.set(clusterHeader, meant);
    const own = Object.entries(options.headers?.() ?? {});
    for (const [name, value] of own) request.headers.set(name, value);
    try {
      const response = await options.fetch(request);
      cluster.check(url, response.headers.get(clusterHeader));
      target.failures = 0;
      target.downUntilMs = 0;
      const epoch = response.headers.get(epochHeader);
      if (epoch !== null) onEpoch(epoch, target);
      return response;
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    }
  };
  const client = apiClient({ fetch, baseUrl: url });
  const own = {
    ...(alarm === undefined ? {} : { alarm }),
    ...(sealing === undefined ? {} : { sealing }),
  };
  const target: Target = {
    url,
    fetch,
    client,
    patient: httpControl(client, own),
    brisk: httpControl(client, { ...own, requestMs: memberRequestMs }),
    claims: httpControl(client, { ...own, requestMs: memberClaimMs }),
    failures: 0,
    downUntilMs: 0,
  };
  return target;
}
