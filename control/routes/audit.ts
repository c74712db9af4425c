// The audit log: who did what, and whether its chain is whole.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { verifyAudit } from "#control/access/verify-audit";
import type { Executions } from "#control/services/executions";
import { tenantPlatform } from "#core/model/access";
import type { AuditEntry } from "#core/ports/audit-store";
import { api, pageSize } from "#core/wire/api";
import { mount } from "./mount.ts";

export function auditRoutes(app: Elysia, { context }: Executions): void {
  mount(app, api.listAudit, async ({ query }, http) => {
    const { limit, ...filter } = query;
    const size = pageSize(limit);
    const tenant = auditedTenant(http, query.tenant);
    const entries = await context.audit.list({
      ...filter,
      limit: size,
      ...(tenant === undefined ? {} : { tenant }),
    });
    const last = entries.length < size ? undefined : entries.at(-1);
    return { entries: entries.map(entryView), next_before: last?.seq ?? null };
  });
  mount(app, api.verifyAudit, async () => {
    const { count, headDigest, problems } = await verifyAudit(context.audit, context.sha256);
    return { count, head_digest: headDigest, problems: [...problems] };
  });
}

/** Undefined: that of all tenants, for who runs the installation and names none. */
function auditedTenant(http: Request, asked: string | undefined): string | undefined {
  const { platform = false } = principalOf(http);
  if (platform && (asked === undefined || asked === tenantPlatform)) return asked;
  return tenantFor(http, asked);
}

function entryView({ atMs, actorKind, about, ...entry }: AuditEntry) {
  const { seq, actor, tenant, action, object, outcome } = entry;
  return {
    ...{ seq, actor, actor_kind: actorKind, tenant, action, object, outcome },
    at: new Date(atMs).toISOString(),
    ...(about === undefined ? {} : { about: { ...about } }),
  };
}
