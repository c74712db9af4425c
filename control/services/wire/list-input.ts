// What a client asks of a list of executions: filters in text, checked and put into the store's words.

import type { ExecutionStatus } from "#core/model/event";
import { Fault } from "#core/model/fault";
import {
  type CatalogId,
  type ExecutionId,
  executionId,
  isSnowflake,
  snowflake,
  snowflakeEpochMs,
} from "#core/model/ids";
import type { ExecutionFilter } from "#core/ports/event-log";

export interface ListQuery {
  readonly status?: string;
  readonly path?: string;
  readonly path_prefix?: string;
  readonly catalog_id?: string;
  readonly version?: number;
  readonly parent_execution_id?: string;
  readonly started_after?: string;
  readonly started_before?: string;
  readonly before?: string;
  readonly cursor?: string;
}

/** @throws Fault `invalid` for a filter that can't be one. */
export function listFilter(query: ListQuery): Omit<ExecutionFilter, "limit"> {
  const { status, path, path_prefix: pathPrefix, catalog_id: catalog, version } = query;
  if (version !== undefined && path === undefined && catalog === undefined) {
    throw new Fault("invalid", "version: expected a path or a catalog_id with it");
  }
  const { parent_execution_id: parent, started_after: after } = query;
  const before = earliest(query);
  return {
    ...(status === undefined ? {} : { status: status.split(",").map(statusNamed) }),
    ...(path === undefined ? {} : { path }),
    ...(pathPrefix === undefined ? {} : { pathPrefix }),
    ...(catalog === undefined ? {} : { catalogId: idIn("catalog_id", catalog) as CatalogId }),
    ...(version === undefined ? {} : { version }),
    ...(parent === undefined ? {} : { parentId: executionId(idIn("parent_execution_id", parent)) }),
    ...(after === undefined ? {} : { from: firstIdAt(timeIn("started_after", after) + 1) }),
    ...(before === undefined ? {} : { before }),
  };
}

/** Where the next page goes on, for clients that are not to look into it. */
export const nextCursor = (last: ExecutionId): string => `e${BigInt(last).toString(36)}`;

function idOfCursor(text: string): ExecutionId {
  if (/^e[0-9a-z]{1,13}$/.test(text)) {
    let id = 0n;
    for (const digit of text.slice(1)) id = id * 36n + BigInt(Number.parseInt(digit, 36));
    if (isSnowflake(String(id))) return executionId(String(id));
  }
  throw new Fault("invalid", "cursor: expected one that a list has given");
}

/** Of all bounds from above the one that leaves the least. */
function earliest({ before, cursor, started_before: time }: ListQuery): ExecutionId | undefined {
  const bounds = [
    ...(before === undefined ? [] : [executionId(idIn("before", before))]),
    ...(cursor === undefined ? [] : [idOfCursor(cursor)]),
    ...(time === undefined ? [] : [firstIdAt(timeIn("started_before", time))]),
  ];
  return bounds.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))[0];
}

/** The smallest id that can have been minted then. */
function firstIdAt(timeMs: number): ExecutionId {
  const sinceMs = Math.min(Math.max(timeMs, snowflakeEpochMs), latestMs);
  const id = snowflake({ timeMs: sinceMs, machine: 0, sequence: 0 });
  return executionId(id === "0" ? "1" : id);
}

/** The ids' milliseconds end here. */
const latestMs = snowflakeEpochMs + 2 ** 41 - 1;

function timeIn(name: string, text: string): number {
  const timeMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(timeMs)) return timeMs;
  throw new Fault("invalid", `${name}: expected a time like 2026-01-31T12:00:00Z or milliseconds`);
}

function idIn(name: string, text: string): string {
  if (isSnowflake(text)) return text;
  throw new Fault("invalid", `${name}: expected an id`);
}

function statusNamed(text: string): ExecutionStatus {
  const status = text.trim().toLowerCase();
  switch (status) {
    case "running":
    case "completed":
    case "failed":
    case "cancelled":
      return status;
    default:
      throw new Fault(
        "invalid",
        `expected status running, completed, failed or cancelled, found ${JSON.stringify(text.slice(0, 40))}`,
      );
  }
}
