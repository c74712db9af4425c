// Routes of sealed credentials.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import {
  credentialRow,
  deleteCredential,
  listCredentials,
  putCredential,
  refuseReveal,
  revealCredential,
  sealsIn,
} from "#control/secrets/credentials";
import { rotateAll } from "#control/secrets/rotation";
import { sealedForWorker } from "#control/secrets/worker-delivery";
import type { ControlContext } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { atLeast } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import type { CredentialAllow, CredentialRow } from "#core/ports/credential-store";
import { api, pageSize } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

type PutBody = RouteRequest<typeof api.putCredential.parts>["body"];

export function credentialsRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  writeRoutes(app, context);
  readRoutes(app, context);
  keyRoutes(app, context);
  mount(app, api.sealedCredential, async ({ params, query }) =>
    sealedForWorker(executions, {
      ref: params.ref,
      worker: query.worker_id,
      executionId: parseExecutionId(query.execution_id),
    }),
  );
}

function writeRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.putCredential, async ({ body }, http) => {
    const tenant = tenantFor(http, body.tenant);
    const given = { ...newCredential(body), tenant };
    const { row, created } = await putCredential(context, principalOf(http), given);
    return { ...answerOf(row), created };
  });
  mount(app, api.deleteCredential, async ({ params, query }, http) => {
    const place = { tenant: tenantFor(http, query.tenant), ref: params.ref };
    const { name, credentialId } = await deleteCredential(context, principalOf(http), place);
    return { deleted: true as const, name, id: credentialId };
  });
}

function newCredential(body: PutBody) {
  const { type, credential_type: alias, tags, description } = body;
  if (type !== undefined && alias !== undefined && type !== alias) {
    throw new Fault("invalid", "expected type or credential_type, found both, and different ones");
  }
  const list = typeof tags === "string" ? tags.split(",").map((tag) => tag.trim()) : (tags ?? []);
  return {
    name: body.name,
    type: type ?? alias ?? "generic",
    // The schemas hold them to maps; what is in them is JSON, for it was read as such.
    data: body.data as JsonObject,
    meta: (body.meta ?? {}) as JsonObject,
    tags: [...new Set(list.filter((tag) => tag !== ""))],
    ...(typeof description === "string" ? { description } : {}),
    allow: (body.allow ?? {}) as CredentialAllow,
  };
}

function readRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.listCredentials, async ({ query }, http) => {
    const { type, q, after, limit } = query;
    const filter = {
      ...(type === undefined || type === "" ? {} : { type }),
      ...(q === undefined || q === "" ? {} : { q }),
    };
    const tenant = tenantFor(http, query.tenant);
    const page = await listCredentials(context, tenant, {
      ...filter,
      ...(after === undefined ? {} : { after }),
      limit: pageSize(limit),
    });
    return { items: page.rows.map(answerOf), filter, next_after: page.nextAfter ?? null };
  });
  mount(app, api.getCredential, async ({ params, query }, http) => {
    const tenant = tenantFor(http, query.tenant);
    const who = principalOf(http);
    const { include_data: include } = query;
    const isRevealed = include === "true" || include === "1";
    if (isRevealed && !atLeast(who.role, "admin")) {
      return await refuseReveal(context, who, { tenant, ref: params.ref });
    }
    const row = await credentialRow(context, tenant, params.ref);
    if (!isRevealed) return answerOf(row);
    return { ...answerOf(row), data: { ...(await revealCredential(context, who, row)) } };
  });
}

function keyRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.rotateCredentials, async (_request, http) => {
    const { vault, clock, report } = context;
    const seals = sealsIn(context);
    const rotated = await rotateAll({ vault, seals, nowMs: () => clock.nowMs(), report });
    const { current, resealed, left } = rotated;
    await audited(context, principalOf(http), {
      action: "credentials.rotate",
      object: `key/${current}`,
      about: { resealed, left },
    });
    return rotated;
  });
  mount(app, api.credentialKeys, async () => {
    const { current } = sealsIn(context);
    return { current, counts: { [current]: 0, ...(await context.vault.countsByKey()) } };
  });
}

function answerOf(row: CredentialRow) {
  const { tenants, playbooks, pools } = row.allow;
  return {
    id: row.credentialId,
    name: row.name,
    type: row.type,
    tenant: row.tenant,
    meta: { ...row.meta },
    tags: [...row.tags],
    description: row.description ?? null,
    allow: {
      ...(tenants === undefined ? {} : { tenants: [...tenants] }),
      ...(playbooks === undefined ? {} : { playbooks: [...playbooks] }),
      ...(pools === undefined ? {} : { pools: [...pools] }),
    },
    revision: row.revision,
    key_id: row.kid,
    created_at: new Date(row.createdAtMs).toISOString(),
    updated_at: new Date(row.updatedAtMs).toISOString(),
  };
}
