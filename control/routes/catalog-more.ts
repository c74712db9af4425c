// Versions, search, deletion and forms of the catalog.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import { compare } from "#control/catalog/compare";
import { listView, shortVersions, versionView } from "#control/catalog/entry-view";
import { formOf } from "#control/catalog/form";
import {
  archiveResource,
  catalogEntry,
  checkResource,
  kindNamed,
  restoreResource,
  searchTerms,
} from "#control/services/catalog";
import type { ControlContext } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import type { Problem } from "#core/playbook/document";
import type { CatalogPlace, CatalogVersion } from "#core/ports/catalog-store";
import { api, pageSize } from "#core/wire/api";
import { filterOf } from "./catalog.ts";
import { mount } from "./mount.ts";

export function catalogMoreRoutes(app: Elysia, { context }: Executions): void {
  findRoutes(app, context);
  versionRoutes(app, context);
  archiveRoutes(app, context);
  formRoutes(app, context);
}

function findRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.listAgents, async ({ body = {} }, http) => {
    const filter = filterOf(body, tenantFor(http, body.tenant));
    return listView(await context.catalog.list({ ...filter, isAgent: true }), filter.limit);
  });
  mount(app, api.searchCatalog, async ({ query }, http) => {
    const { q, kind, after } = query;
    const limit = pageSize(query.limit);
    const entries = await context.catalog.list({
      tenant: tenantFor(http, query.tenant),
      limit,
      terms: searchTerms(q),
      ...(kind === undefined ? {} : { kind: kindNamed(kind) }),
      ...(after === undefined ? {} : { after }),
    });
    return listView(entries, limit);
  });
  mount(app, api.validateCatalog, ({ body }) => {
    const { content, resource_type: resourceType } = body;
    const checked = checkResource(content, resourceType);
    const problems = checked.ok ? [] : checked.problems;
    return {
      ok: checked.ok,
      kind: checked.kind,
      problems: problems.map(problemView),
      warnings: checked.warnings.map(problemView),
    };
  });
}

function problemView({ path, ...problem }: Problem) {
  return { ...problem, path: [...path] };
}

function versionRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.catalogVersions, async ({ query }, http) => {
    const { path, before } = query;
    const tenant = tenantFor(http, query.tenant);
    const limit = pageSize(query.limit);
    const page = { limit, ...(before === undefined ? {} : { before }) };
    const versions = await context.catalog.versions({ tenant, path }, page);
    if (versions.length === 0) await catalogEntry(context, { tenant, path });
    const last = versions.length < limit ? undefined : versions.at(-1);
    return { path, versions: versions.map(versionView), next_before: last?.version ?? null };
  });
  mount(app, api.catalogDiff, async ({ query }, http) => {
    const { path, from, to } = query;
    const tenant = tenantFor(http, query.tenant);
    const version = (number: number | undefined) =>
      catalogEntry(context, { tenant, path, ...(number === undefined ? {} : { version: number }) });
    const newer = await version(to);
    // The first version has nothing before it, and nothing has changed in it.
    const older = await version(from ?? Math.max(newer.version - 1, 1));
    return {
      path,
      from: older.version,
      to: newer.version,
      ...compare(older.content, newer.content),
    };
  });
}

function archiveRoutes(app: Elysia, context: ControlContext): void {
  const told = async (
    http: Request,
    action: "delete" | "restore",
    { place, versions }: { place: CatalogPlace; versions: readonly CatalogVersion[] },
  ) => {
    const { path, tenant } = place;
    if (versions.length > 0) {
      const about = { versions: versions.slice(0, 100).map(({ version }) => version) };
      const change = { action: `catalog.${action}`, object: `catalog/${path}`, about, tenant };
      await audited(context, principalOf(http), change);
    }
    const count = versions.length === 1 ? "one version" : `${versions.length} versions`;
    const done = action === "delete" ? "put away" : "brought back";
    const message = `${count} of ${path} ${done}`;
    return { status: "success" as const, message, path, count: versions.length };
  };
  mount(app, api.deleteCatalog, async ({ body }, http) => {
    const place = { ...body, tenant: tenantFor(http, body.tenant) };
    const versions = await archiveResource(context, place, principalOf(http).subject);
    const answer = await told(http, "delete", { place, versions });
    return { ...answer, deleted: shortVersions(versions) };
  });
  mount(app, api.restoreCatalog, async ({ body }, http) => {
    const place = { ...body, tenant: tenantFor(http, body.tenant) };
    const versions = await restoreResource(context, place);
    const answer = await told(http, "restore", { place, versions });
    return { ...answer, restored: shortVersions(versions) };
  });
}

const formSuffix = "/ui_schema";

function formRoutes(app: Elysia, context: ControlContext): void {
  const form = async (
    http: Request,
    asked: { readonly path: string; readonly version?: number; readonly tenant?: string },
  ) => {
    const { path, version } = asked;
    const tenant = tenantFor(http, asked.tenant);
    const more = version === undefined ? {} : { version };
    return formOf(context, await catalogEntry(context, { tenant, path, ...more }));
  };
  mount(app, api.uiSchema, ({ query }, http) => form(http, query));
  mount(app, api.uiSchemaOf, ({ params, query }, http) => {
    const place = decoded(params["*"]);
    const path = place.slice(0, -formSuffix.length);
    if (path !== "" && place.endsWith(formSuffix)) return form(http, { ...query, path });
    throw new Fault("not_found", "expected /api/catalog/{path}/ui_schema, found another address");
  });
}

/** Slashes of a path may come as they are, or encoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Fault("invalid", "the address is not encoded as it should be");
  }
}
