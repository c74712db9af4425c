// Routes about processes: the replicas and their map, and workers that register, speak and leave.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import type { Membership } from "#control/services/membership";
import { Fault } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import {
  foreignOfflineMs,
  registerAgainSeconds,
  registrationBytesMax,
  runtimeRowsMax,
} from "#core/model/limits";
import { shardsTotal } from "#core/model/shards";
import { xxh64 } from "#core/model/xxh64";
import type { RuntimeProcess, RuntimeRow } from "#core/ports/runtime-registry";
import { api } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

type Registration = RouteRequest<typeof api.registerWorker.parts>["body"];

export function runtimeRoutes(app: Elysia, executions: Executions, membership: Membership): void {
  shardRoutes(app, membership);
  workerRoutes(app, executions);
}

function shardRoutes(app: Elysia, membership: Membership): void {
  mount(app, api.shardInfo, () => {
    const { epoch, members, owners } = membership.view();
    const shards = members.map((_, place) => owners.filter((owner) => owner === place).length);
    return {
      epoch,
      shards: shardsTotal,
      members: members.map(({ startedAtMs, ...member }, place) => ({
        ...member,
        shards: shards[place] ?? 0,
        ...(startedAtMs === undefined ? {} : { started_at: new Date(startedAtMs).toISOString() }),
      })),
      map: [...owners],
      self: membership.name,
    };
  });
  mount(app, api.shardPreview, ({ query }) => {
    const id = parseExecutionId(query.execution_id);
    const hash = xxh64(BigInt(id));
    const { members, owners } = membership.view();
    const { shard_count = shardsTotal } = query;
    const place = owners[Number(hash % BigInt(shardsTotal))] ?? 0;
    return {
      execution_id: id,
      shard_count,
      shard_index: Number(hash % BigInt(shard_count)),
      source: "noetl-server",
      // The name that clients of this route compare; it means XXH64.
      hash_function: "twox_hash::XxHash64",
      seed: 0,
      server_config: {
        shard_index: Math.max(
          0,
          members.findIndex(({ name }) => name === membership.name),
        ),
        shard_count: members.length,
      },
      owner: members[place]?.name ?? membership.name,
    };
  });
}

function workerRoutes(app: Elysia, { context: { runtime } }: Executions): void {
  const register = (body: Registration, load = body.load): Promise<RuntimeRow> =>
    runtime.register(processOf(body), load);
  mount(app, api.registerWorker, async ({ body }) => registeredAnswer(await register(body)));
  mount(app, api.workerHeartbeat, async ({ body }) => {
    const { name, registration } = body;
    const row = await runtime.heartbeat("worker_pool", name, body.load);
    if (row !== undefined) return registeredAnswer(row);
    if (registration === undefined || registration === null) throw unknownWorker(name);
    return registeredAnswer(await register({ ...registration, name }, body.load));
  });
  const leave = async ({ body: { name } }: { readonly body: { readonly name: string } }) => ({
    status: (await runtime.leave("worker_pool", name)) ? ("ok" as const) : ("not_found" as const),
    name,
    kind: "worker_pool",
  });
  mount(app, api.deregisterWorker, leave);
  mount(app, api.deregisterWorkerByPost, leave);
  mount(app, api.listWorkers, async ({ query }) => {
    const rows = await runtime.list("worker_pool", runtimeRowsMax);
    const items = rows
      .map(workerAnswer)
      .filter(({ status }) => query.status === undefined || status === query.status)
      .filter(({ runtime: own }) => query.runtime === undefined || isNamed(own, query.runtime));
    return { items, count: items.length };
  });
}

function unknownWorker(name: string): Fault {
  return new Fault("not_found", `worker ${name} is not registered`, {
    details: { retry_after_seconds: registerAgainSeconds },
  });
}

function processOf(body: Registration): RuntimeProcess {
  const { labels, runtime, meta } = body;
  const given = { labels, runtime, meta, uri: body.uri, pools: body.pools };
  const bytes = JSON.stringify(given).length;
  if (bytes > registrationBytesMax) {
    throw new Fault(
      "too_large",
      `expected a registration of at most ${registrationBytesMax} bytes, found ${bytes}`,
    );
  }
  const isMap = labels !== undefined && labels !== null && !Array.isArray(labels);
  // The schema lets nothing through that isn't JSON.
  const details = { runtime, meta, ...(isMap ? { labels } : {}) } as unknown as JsonObject;
  return {
    kind: "worker_pool",
    name: body.name,
    pools: body.pools ?? [],
    labels: isMap ? labelsOf(labels as JsonObject) : ((labels ?? []) as readonly string[]),
    capacity: body.capacity ?? 1,
    details,
    offlineMs: body.offline_ms ?? foreignOfflineMs,
    ...present("uri", body.uri),
    ...present("version", body.version),
    ...present("pid", body.pid),
    ...present("hostname", body.hostname),
  };
}

function present<Name extends string, Value>(
  name: Name,
  value: Value | null | undefined,
): { readonly [Key in Name]?: Value } {
  if (value === null || value === undefined) return {};
  // A computed key of one name is typed as any text.
  return { [name]: value } as { readonly [Key in Name]: Value };
}

/** A map of labels as commands ask for them: `key=value`, where a value is simple. */
function labelsOf(labels: JsonObject): readonly string[] {
  return Object.entries(labels).flatMap(([key, value]) =>
    typeof value === "object" ? [] : [`${key}=${String(value)}`],
  );
}

/** What a worker runs on: a text, or the `kind` of a map. */
function isNamed(runtime: unknown, name: string): boolean {
  if (typeof runtime !== "object" || runtime === null) return runtime === name;
  return "kind" in runtime && runtime.kind === name;
}

function registeredAnswer(row: RuntimeRow) {
  const { status, ...rest } = workerAnswer(row);
  return { ...rest, status: "ok" as const, runtime_status: status };
}

function workerAnswer(row: RuntimeRow) {
  const { details } = row;
  const labels: Json = details["labels"] ?? [...row.labels];
  return {
    runtime_id: row.runtimeId,
    name: row.name,
    kind: row.kind,
    status: row.status,
    uri: row.uri ?? null,
    runtime: details["runtime"] ?? null,
    pools: [...row.pools],
    labels,
    capacity: row.capacity,
    load: row.load ?? null,
    version: row.version ?? null,
    pid: row.pid ?? null,
    hostname: row.hostname ?? null,
    meta: details["meta"] ?? null,
    started_at: new Date(row.startedAtMs).toISOString(),
    heartbeat: new Date(row.heartbeatAtMs).toISOString(),
    silent_seconds: row.silentMs / 1_000,
  };
}
