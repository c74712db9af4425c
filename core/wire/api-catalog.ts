// Routes of the catalog.

import { type } from "arktype";
import { searchCharsMax } from "#core/model/catalog-limits";
import { route } from "./route.ts";
import { count, id, map, name, ordinal, someName, strings, tenantName } from "./shapes.ts";

export const catalogEntry = type({
  catalog_id: "string",
  path: "string",
  version: "number",
  kind: "string",
  digest: "string",
  "content?": "string",
  meta: map,
  created_at: "string",
  /** Put away since then. */
  "archived_at?": "string",
  "archived_by?": "string",
});

/** What lists may be narrowed by. */
export const catalogFilter = {
  "path?": name,
  "prefix?": name,
  /** Words that are all to be found. */
  "q?": type(`string <= ${searchCharsMax}`),
  "capability?": "string",
  "capabilities?": strings,
  "include_archived?": "boolean",
  /** Only paths beyond this one: the last one of the page before. */
  "after?": name,
  "limit?": count,
  "tenant?": tenantName,
} as const;

export const catalogList = type({
  entries: catalogEntry.array(),
  /** What to pass as `after` for more; null at the end. */
  next_after: "string | null",
});

export const catalogRoutes = {
  registerCatalog: route(
    "POST /api/catalog/register",
    {
      summary: "Register a document as the next version of its path",
      description:
        "A playbook, agent, mcp, credential, subscription, tool, schema or memory, in YAML, plain or " +
        "base64. The content of the newest version again is that version.",
      tag: "catalog",
      access: "editor",
    },
    {
      body: type({
        content: "string",
        "resource_type?": "string",
        "path?": someName,
        "tenant?": tenantName,
      }),
      answer: type({
        status: "'success'",
        message: "string",
        path: "string",
        version: "number",
        catalog_id: "string",
        kind: "string",
        created: "boolean",
      }),
    },
  ),
  listCatalog: route(
    "POST /api/catalog/list",
    {
      summary: "The newest version of each path, without its text",
      tag: "catalog",
      access: "viewer",
    },
    {
      body: type({ "resource_type?": someName, "agent_only?": "boolean", ...catalogFilter }).or(
        "undefined",
      ),
      answer: catalogList,
    },
  ),
  catalogResource: route(
    "POST /api/catalog/resource",
    {
      summary: "One version with its content",
      tag: "catalog",
      access: "viewer",
      of: ["catalog body.catalog_id"],
    },
    {
      body: type({
        "catalog_id?": id,
        "tenant?": tenantName,
        "path?": name,
        "version?": ordinal.or("'latest'"),
      }),
      answer: catalogEntry,
    },
  ),
} as const;
