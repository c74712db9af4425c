// Routes of the catalog.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import { entryView, listView } from "#control/catalog/entry-view";
import { catalogEntry, kindNamed, registerResource, searchTerms } from "#control/services/catalog";
import type { ControlContext } from "#control/services/context";
import type { CatalogFilter, Registered } from "#core/ports/catalog-store";
import { api, pageSize } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { mount } from "./mount.ts";

export function catalogRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.registerCatalog, async ({ body }, http) => {
    const { content, path, resource_type: resourceType } = body;
    const tenant = tenantFor(http, body.tenant);
    const registered = await registerResource(context, {
      content,
      tenant,
      ...(path === undefined ? {} : { path }),
      ...(resourceType === undefined ? {} : { resourceType }),
    });
    const { entry, created, restored } = registered;
    if (created || restored) {
      const about = { version: entry.version, digest: entry.digest };
      const object = `catalog/${entry.path}`;
      const change = { action: "catalog.register", object, about, tenant };
      await audited(context, principalOf(http), change);
    }
    return {
      status: "success" as const,
      message: saidOf(registered),
      path: entry.path,
      version: entry.version,
      catalog_id: entry.catalogId,
      kind: entry.kind,
      created,
    };
  });
  mount(app, api.listCatalog, async ({ body = {} }, http) => {
    const { resource_type: kind, agent_only: agentOnly } = body;
    const filter = filterOf(body, tenantFor(http, body.tenant));
    const entries = await context.catalog.list({
      ...filter,
      ...(kind === undefined ? {} : { kind: kindNamed(kind) }),
      ...(agentOnly === true ? { isAgent: true } : {}),
    });
    return listView(entries, filter.limit);
  });
  mount(app, api.catalogResource, async ({ body }, http) => {
    const { catalog_id: catalogId, path, version, tenant } = body;
    const entry = await catalogEntry(context, {
      tenant: tenantFor(http, tenant),
      ...(catalogId === undefined ? {} : { catalogId }),
      ...(path === undefined ? {} : { path }),
      ...(typeof version === "number" ? { version } : {}),
    });
    return entryView(entry);
  });
}

function saidOf({ entry, created, restored }: Registered): string {
  const what = `${entry.path} version ${entry.version}`;
  if (created) return `registered ${what}`;
  return restored ? `${what} has this content, and is back` : `${what} has this content already`;
}

type Asked = NonNullable<RouteRequest<typeof api.listAgents.parts>["body"]>;

/** What lists are narrowed by, in whichever of their routes. */
export function filterOf(asked: Asked, tenant: string): CatalogFilter {
  const { path, prefix, q, capability, capabilities = [], after } = asked;
  const wanted = capability === undefined ? capabilities : [capability, ...capabilities];
  return {
    tenant,
    limit: pageSize(asked.limit),
    withArchived: asked.include_archived === true,
    terms: searchTerms(q ?? ""),
    capabilities: wanted.filter((each) => each !== ""),
    ...(path === undefined ? {} : { path }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { after }),
  };
}
