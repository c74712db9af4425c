// `noetl workers` and `noetl replicas`: which processes there are, and how busy they are.

import type { Arguments } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { durationText } from "./terminal-text.ts";

/** `workers [--all]`: those that have registered and are there; `--all` for a day those that were. */
export async function workers(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const query = args.has("all") ? {} : { status: "ready" as const };
  const { items, count } = await client.listWorkers({ query });
  if (args.has("json")) {
    console.log(JSON.stringify({ workers: items, count }, null, 2));
    return exitOk;
  }
  const rows = items.map((worker) => [
    worker.name,
    worker.status,
    worker.pools.join(","),
    labelsText(worker.labels),
    worker.load === null ? "" : `${worker.load.running}/${worker.capacity}`,
    worker.load === null ? "" : String(worker.load.waiting),
    worker.version ?? "",
    worker.hostname ?? "",
    `${durationText(worker.silent_seconds * 1_000)} ago`,
  ]);
  const head = ["WORKER", "STATUS", "POOLS", "LABELS", "BUSY", "UNREPORTED", "VERSION", "HOST"];
  for (const line of tableLines([...head, "SEEN"], rows)) console.log(line);
  return exitOk;
}

/** Labels as this product has them, or in whatever shape another make of worker gave them. */
function labelsText(labels: unknown): string {
  if (Array.isArray(labels)) return labels.map(String).join(",");
  if (typeof labels !== "object" || labels === null) return "";
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${typeof value === "object" ? "…" : String(value)}`)
    .join(",");
}

/** `replicas`: the control planes over one database, and how many of the shards each one owns. */
export async function replicas(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const { epoch, shards, members, self } = await client.shardInfo();
  if (args.has("json")) {
    console.log(JSON.stringify({ epoch, shards, replicas: members, answered_by: self }, null, 2));
    return exitOk;
  }
  const rows = members.map((member) => [
    member.name,
    member.uri,
    `${member.shards}/${shards}`,
    member.version ?? "",
    member.hostname ?? "",
    member.started_at ?? "",
  ]);
  const head = ["REPLICA", "ADDRESS", "SHARDS", "VERSION", "HOST", "STARTED"];
  for (const line of tableLines(head, rows)) console.log(line);
  return exitOk;
}
