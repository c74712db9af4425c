// Routes of the catalog.

import { type } from "arktype";
import { route } from "./route.ts";
import { count, id, map, name, ordinal, someName, tenantName } from "./shapes.ts";

const catalogEntry = type({
  catalog_id: "string",
  path: "string",
  version: "number",
  kind: "string",
  digest: "string",
  "content?": "string",
  meta: map,
  created_at: "string",
});

export const catalogRoutes = {
  registerCatalog: route(
    "POST /api/catalog/register",
    {
      summary: "Register a playbook as the next version of its path",
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
    { summary: "The newest version of each path", tag: "catalog", access: "viewer" },
    {
      body: type({
        "resource_type?": someName,
        "path?": name,
        "limit?": count,
        "tenant?": tenantName,
      }).or("undefined"),
      answer: type({ entries: catalogEntry.array() }),
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
