// Replicas of the control plane on a network of the test's own: hosts that answer, lose answers, say
// nothing or are not there, and a worker's view of them.

import { type RoutedControl, routedControl } from "#core/adapters/routed-control";
import { commandId, executionId } from "#core/model/ids";
import type { Outcome } from "#core/model/outcome";
import { shardMap, shardOf, shardsTotal } from "#core/model/shards";
import { sealingKey } from "#worker/sealing";
import { settled, type VirtualClock, virtualClock } from "./virtual-clock.ts";

export interface Asked {
  readonly host: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Answer = (asked: Asked) => Response | Promise<Response> | undefined;

export interface Network {
  readonly clock: VirtualClock;
  readonly asked: Asked[];
  readonly notices: string[];
  /** Hosts that there are, and what each says of the cluster. */
  readonly members: string[];
  readonly cluster: Map<string, string>;
  /** Nobody listens there. */
  readonly refused: Set<string>;
  /** The request arrives, the answer is lost. */
  readonly lossy: Set<string>;
  /** Nothing ever comes back. */
  readonly silent: Set<string>;
  answer: Answer;
  control(...servers: readonly string[]): RoutedControl;
  /** What was asked of the path since the last look, by host. */
  take(path: string): readonly Asked[];
}

export function network(...hosts: readonly string[]): Network {
  const clock = virtualClock();
  const net: Network = {
    clock,
    asked: [],
    notices: [],
    members: [...hosts],
    cluster: new Map(),
    refused: new Set(),
    lossy: new Set(),
    silent: new Set(),
    answer: () => undefined,
    control: (...servers) =>
      routedControl({
        servers: servers.map((host) => `http://${host}`),
        fetch: (request) => deliver(net, request),
        clock,
        sealing: sealingKey(),
        alarm: (delayMs, ring) => {
          const ending = new AbortController();
          void clock.sleep(delayMs, ending.signal).then(() => ending.signal.aborted || ring());
          return () => ending.abort();
        },
        notice: (message) => void net.notices.push(message),
      }),
    take: (path) => {
      const found = net.asked.filter((one) => one.path === path);
      net.asked.length = 0;
      return found;
    },
  };
  return net;
}

const hostOf = (uri: string): string => new URL(uri).host;

async function deliver(net: Network, request: Request): Promise<Response> {
  const host = hostOf(request.url);
  if (net.refused.has(host)) {
    throw Object.assign(new Error("nobody listens"), { code: "ConnectionRefused" });
  }
  if (net.silent.has(host)) {
    return new Promise((_, reject) => {
      request.signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  }
  const { pathname: path } = new URL(request.url);
  const text = await request.text();
  const body = text === "" ? {} : (JSON.parse(text) as Asked["body"]);
  const asked = { host, path, body };
  net.asked.push(asked);
  if (net.lossy.has(host)) throw new Error("the connection was reset");
  const response = (await net.answer(asked)) ?? usualAnswer(net, asked);
  response.headers.set("x-noetl-epoch", shardMap(net.members).epoch);
  const cluster = net.cluster.get(host);
  if (cluster !== undefined) response.headers.set("x-noetl-cluster", cluster);
  return response;
}

function usualAnswer(net: Network, { host, path, body }: Asked): Response {
  const { epoch, members, owners } = shardMap(net.members);
  const list = (name: string): readonly unknown[] => (body[name] ?? []) as readonly unknown[];
  switch (path) {
    case "/api/shard-info":
      return Response.json({
        epoch,
        shards: shardsTotal,
        members: members.map((name) => ({ name, uri: `http://${name}`, shards: 1 })),
        map: owners,
        self: host,
      });
    case "/api/commands/claim":
      return Response.json({ commands: [] });
    case "/api/commands/settle":
      return Response.json({
        verdicts: list("outcomes").map(() => "accepted"),
        commands: list("outcomes")
          .map(() => ({ step: host }))
          .slice(0, Number(body["want"])),
      });
    case "/api/commands/renew":
      return Response.json({ verdicts: list("leases").map(() => "renewed") });
    default:
      return Response.json({});
  }
}

export const work = { worker: "w", pools: ["default"], want: 0 };

/** An execution that belongs to this member of these. */
export function ownedBy(owner: string, members: readonly string[], nth = 0): string {
  const map = shardMap(members);
  const ids = Array.from({ length: 5_000 }, (_, n) => String(400_000_000_000_000n + BigInt(n)));
  const own = ids.filter((id) => map.members[map.owners[shardOf(id)] ?? -1] === owner);
  return own[nth] ?? "";
}

export const outcome = (execution: string): Outcome => ({
  command_id: commandId(executionId(execution), "s", 1),
  attempt: 1,
  output: { status: "ok" },
  duration_ms: 1,
});

/** The first reply names an epoch, and the map is fetched beside what goes on. */
export async function acquainted(
  net: Network,
  ...servers: readonly string[]
): Promise<RoutedControl> {
  const control = net.control(...servers);
  await control.claim(work);
  await settled();
  net.asked.length = 0;
  return control;
}

export const outcomesOf = ({ body }: Asked): readonly unknown[] =>
  body["outcomes"] as readonly unknown[];
