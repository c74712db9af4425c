// What a client asks for when it starts an execution, in the words of the engine: aliases become
// one name, and what can't be had is refused with what would be.

import { dedupSecondsDefault } from "#core/model/api-limits";
import type { Origin } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type CatalogId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import type { executeBody } from "#core/wire/api-execute-body";
import type { StartRequest } from "./lifecycle.ts";
import type { OnceRequest } from "./start-once.ts";

export type ExecuteBody = typeof executeBody.infer;

export interface StartInput {
  readonly request: Omit<StartRequest, "executionId">;
  /** Of a client that wants it started once. */
  readonly dedup?: OnceRequest["dedup"];
}

export interface Asker {
  readonly tenant: string;
  /** A key from the request's headers. */
  readonly key?: string | undefined;
  /** Who it is, if that was proven: then nobody else may be named. */
  readonly subject?: string | undefined;
}

const kinds: ReadonlySet<string> = new Set(["playbook", "playbooks", "agent", "agents"]);

/** @throws Fault `invalid` for what names nothing, or asks for what isn't to be had. */
export function startInput(body: ExecuteBody, asker: Asker): StartInput {
  const { path, catalog_id: catalogId, version, payload, workload, trace, priority } = body;
  if (path === undefined && catalogId === undefined) {
    throw new Fault("invalid", "expected path or catalog_id, found neither");
  }
  checkKind(body.resource_kind);
  if (body.execution_pool !== undefined) {
    throw new Fault("invalid", "execution_pool: expected spec.pool in the playbook instead");
  }
  const parent = parentOf(body.parent_execution_id);
  const origin = originOf(body.origin, parent, asker.subject);
  const request = {
    // Checked by the schema to be maps, which come from JSON.
    workload: (payload ?? workload ?? {}) as JsonObject,
    ...(path === undefined ? {} : { path }),
    ...(catalogId === undefined ? {} : { catalogId: catalogId as CatalogId }),
    ...(version === undefined ? {} : { version }),
    ...(origin === undefined ? {} : { origin }),
    ...(trace === undefined ? {} : { trace: trace as JsonObject }),
    ...(priority === undefined ? {} : { priority }),
    tenant: asker.tenant,
  };
  const dedup = dedupOf(body.dedup, asker.key);
  return dedup === undefined ? { request } : { request, dedup };
}

/** @throws Fault `invalid` for a kind that can't be started. */
export function checkKind(kind: string | undefined): void {
  if (kind === undefined || kinds.has(kind.toLowerCase())) return;
  throw new Fault("invalid", "resource_kind: expected playbook or agent");
}

/** The key of the body, else that of the header. */
export function dedupOf(
  asked: ExecuteBody["dedup"],
  header: string | undefined,
): OnceRequest["dedup"] | undefined {
  const key = asked?.key ?? header;
  if (key === undefined) return undefined;
  return {
    scope: "execute",
    key,
    windowMs: (asked?.window_secs ?? dedupSecondsDefault) * 1_000,
  };
}

function parentOf(text: string | undefined): ExecutionId | undefined {
  if (text === undefined) return undefined;
  if (isSnowflake(text)) return executionId(text);
  throw new Fault("invalid", "parent_execution_id: expected an execution id");
}

function originOf(
  asked: ExecuteBody["origin"],
  parent: ExecutionId | undefined,
  subject: string | undefined,
): Origin | undefined {
  if (asked === undefined && parent === undefined && subject === undefined) return undefined;
  return {
    ...asked,
    ...(parent === undefined ? {} : { parent }),
    ...(subject === undefined ? {} : { subject }),
  };
}
