// Versions, search, deletion and forms of the catalog.

import { type } from "arktype";
import { searchCharsMax } from "#core/model/catalog-limits";
import { catalogFilter, catalogList } from "./api-catalog.ts";
import { route } from "./route.ts";
import { countText, map, name, ordinal, ordinalText, someName, tenantName } from "./shapes.ts";

const tag = "catalog";

const problem = type({
  message: "string",
  line: "number",
  column: "number",
  path: type("string | number").array(),
});

const place = type({ path: someName, "version?": ordinal, "tenant?": tenantName });
const placed = type({
  status: "'success'",
  message: "string",
  path: "string",
  count: "number",
});
const versions = type({ catalog_id: "string", version: "number" }).array();

const formQuery = type({ "version?": ordinalText, "tenant?": tenantName });
/** The form of a run: its fields are those of core/playbook/run-form.ts. */
const form = type({
  path: "string",
  version: "number",
  kind: "string",
  title: "string",
  description_markdown: "string",
  exposed_in_ui: "boolean",
  fields: map.array(),
  /** JSON Schema of the workload. */
  input_schema: map,
  generated_at: "string",
});

const changes = type({ added: "string[]", removed: "string[]", changed: "string[]" });

export const catalogMoreRoutes = {
  listAgents: route(
    "POST /api/catalog/agents/list",
    {
      summary: "Agents: entries of that kind, and playbooks whose metadata says `agent: true`",
      tag,
      access: "viewer",
    },
    { body: type(catalogFilter).or("undefined"), answer: catalogList },
  ),
  searchCatalog: route(
    "GET /api/catalog/search",
    {
      summary: "Entries by words of their path, name, description, tags and labels",
      tag,
      access: "viewer",
    },
    {
      query: type({
        q: type(`1 <= string <= ${searchCharsMax}`),
        "kind?": someName,
        "after?": name,
        "limit?": countText,
        "tenant?": tenantName,
      }),
      answer: catalogList,
    },
  ),
  catalogVersions: route(
    "GET /api/catalog/versions",
    { summary: "The versions of a path, newest first, also archived ones", tag, access: "viewer" },
    {
      query: type({
        path: someName,
        "before?": ordinalText,
        "limit?": countText,
        "tenant?": tenantName,
      }),
      answer: type({
        path: "string",
        versions: type({
          catalog_id: "string",
          version: "number",
          kind: "string",
          digest: "string",
          created_at: "string",
          "archived_at?": "string",
          "archived_by?": "string",
        }).array(),
        /** What to pass as `before` for older ones; null at the end. */
        next_before: "number | null",
      }),
    },
  ),
  catalogDiff: route(
    "GET /api/catalog/diff",
    {
      summary: "What has changed between two versions of a path",
      description:
        "As a unified diff, and by parts: steps, keys of the workload, other keys of the document. " +
        "Without `to` the newest version is meant, without `from` the one before `to`.",
      tag,
      access: "viewer",
    },
    {
      query: type({
        path: someName,
        "from?": ordinalText,
        "to?": ordinalText,
        "tenant?": tenantName,
      }),
      answer: type({
        path: "string",
        from: "number",
        to: "number",
        same: "boolean",
        lines_added: "number",
        lines_removed: "number",
        text: "string",
        /** The text has been cut, or shows more than what has changed. */
        "note?": "string",
        steps: changes,
        workload: changes,
        parts: changes,
      }),
    },
  ),
  deleteCatalog: route(
    "POST /api/catalog/delete",
    {
      summary: "Put away one version of a path, or all: nothing is started from them any more",
      description:
        "What runs goes on, and executions keep their playbook: nothing is erased, and restore brings it back.",
      tag,
      access: "editor",
    },
    { body: place, answer: placed.and({ deleted: versions }) },
  ),
  restoreCatalog: route(
    "POST /api/catalog/restore",
    { summary: "Bring back what was put away", tag, access: "editor" },
    { body: place, answer: placed.and({ restored: versions }) },
  ),
  validateCatalog: route(
    "POST /api/catalog/validate",
    { summary: "What is wrong with a document, without registering it", tag, access: "viewer" },
    {
      body: type({ content: "string", "resource_type?": "string" }),
      answer: type({
        ok: "boolean",
        kind: "string",
        problems: problem.array(),
        warnings: problem.array(),
      }),
    },
  ),
  uiSchema: route(
    "GET /api/catalog/ui_schema",
    { summary: "The form that a playbook is run with, from its workload", tag, access: "viewer" },
    { query: type({ path: someName }).and(formQuery), answer: form },
  ),
  uiSchemaOf: route(
    "GET /api/catalog/*",
    {
      summary: "The same form under its older address, /api/catalog/{path}/ui_schema",
      tag,
      access: "viewer",
    },
    { params: type({ "*": "string" }), query: formQuery, answer: form },
  ),
} as const;
