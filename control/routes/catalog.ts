// Routes about the catalog.

import type { Elysia } from "elysia";
import { tenantFor } from "#control/access/admission";
import { catalogEntry, registerPlaybook } from "#control/services/catalog";
import type { ControlContext } from "#control/services/context";
import type { CatalogEntry } from "#core/ports/catalog-store";
import { api, pageSize } from "#core/wire/api";
import { mount } from "./mount.ts";

export function catalogRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.registerCatalog, async ({ body }, http) => {
    const { content, path, tenant } = body;
    const { entry, created } = await registerPlaybook(context, {
      content,
      tenant: tenantFor(http, tenant),
      ...(path === undefined ? {} : { path }),
    });
    const what = `${entry.path} version ${entry.version}`;
    return {
      status: "success" as const,
      message: created ? `registered ${what}` : `${what} has this content already`,
      path: entry.path,
      version: entry.version,
      catalog_id: entry.catalogId,
      kind: entry.kind,
      created,
    };
  });
  mount(app, api.listCatalog, async ({ body }, http) => {
    const { resource_type: kind, path, limit, tenant } = body ?? {};
    const entries = await context.catalog.list({
      limit: pageSize(limit),
      tenant: tenantFor(http, tenant),
      ...(kind === undefined ? {} : { kind: capitalised(kind) }),
      ...(path === undefined ? {} : { path }),
    });
    return { entries: entries.map((entry) => entryView(entry, false)) };
  });
  mount(app, api.catalogResource, async ({ body }, http) => {
    const { catalog_id: catalogId, path, version, tenant } = body;
    const entry = await catalogEntry(context, {
      tenant: tenantFor(http, tenant),
      ...(catalogId === undefined ? {} : { catalogId }),
      ...(path === undefined ? {} : { path }),
      ...(typeof version === "number" ? { version } : {}),
    });
    return entryView(entry, true);
  });
}

/** `playbook` and `Playbook` are one kind. */
function capitalised(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1).toLowerCase();
}

function entryView(entry: CatalogEntry, withContent: boolean) {
  return {
    catalog_id: entry.catalogId,
    path: entry.path,
    version: entry.version,
    kind: entry.kind,
    digest: entry.digest,
    meta: { ...entry.meta },
    created_at: new Date(entry.createdAtMs).toISOString(),
    ...(withContent ? { content: entry.content } : {}),
  };
}
