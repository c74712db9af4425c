// Cases of the routes of the group `catalog-more`.

import type { catalogMoreRoutes } from "#core/wire/api-catalog-more";
import { badBodies, invalid, type RouteCase } from "./refused-cases.ts";

const nowhere = { status: 404, code: "not_found" } as const;
const badQuery = (path: string) => ({ path, status: 422, code: "invalid" }) as const;

export const catalogMoreCases: { readonly [Name in keyof typeof catalogMoreRoutes]: RouteCase } = {
  listAgents: {
    path: "/api/catalog/agents/list",
    body: { capability: "chat" },
    answer: { entries: [], next_after: null },
    refused: [{ limit: 1.5 }, { capabilities: "chat" }, { path: "a\0" }].map(invalid),
  },
  searchCatalog: {
    path: "/api/catalog/search?q=T/ROUTES",
    answer: { entries: [{ path: "t/routes", version: 1 }], next_after: null },
    refused: [
      badQuery("/api/catalog/search"),
      badQuery("/api/catalog/search?q="),
      badQuery(`/api/catalog/search?q=${"x".repeat(201)}`),
      badQuery("/api/catalog/search?q=x&kind=Nothing"),
      badQuery("/api/catalog/search?q=x&limit=x"),
    ],
  },
  catalogVersions: {
    path: "/api/catalog/versions?path=t/routes",
    answer: { path: "t/routes", versions: [{ version: 1, kind: "Playbook" }], next_before: null },
    refused: [
      badQuery("/api/catalog/versions"),
      badQuery("/api/catalog/versions?path=t/routes&before=0"),
      { path: "/api/catalog/versions?path=t/nowhere", ...nowhere },
    ],
  },
  catalogDiff: {
    path: "/api/catalog/diff?path=t/routes",
    answer: { path: "t/routes", from: 1, to: 1, same: true, text: "" },
    refused: [
      badQuery("/api/catalog/diff"),
      badQuery("/api/catalog/diff?path=t/routes&from=0"),
      { path: "/api/catalog/diff?path=t/nowhere", ...nowhere },
      { path: "/api/catalog/diff?path=t/routes&to=2", ...nowhere },
    ],
  },
  deleteCatalog: {
    path: "/api/catalog/delete",
    body: { path: "t/routes" },
    answer: { status: "success", count: 1, deleted: [{ version: 1 }] },
    refused: [
      ...badBodies,
      invalid({ path: "" }),
      invalid({ path: "t/routes", version: 0 }),
      { body: { path: "t/nowhere" }, ...nowhere },
      { body: { path: "t/routes", version: 2 }, ...nowhere },
    ],
  },
  restoreCatalog: {
    path: "/api/catalog/restore",
    body: { path: "t/routes" },
    answer: { status: "success", count: 0, restored: [] },
    refused: [...badBodies, { body: { path: "t/nowhere" }, ...nowhere }],
  },
  validateCatalog: {
    path: "/api/catalog/validate",
    body: { content: "kind: Playbook" },
    answer: { ok: false, kind: "Playbook", problems: [{ line: 1 }, {}, {}] },
    refused: [
      ...badBodies,
      invalid({ content: 1 }),
      invalid({ content: "kind: Tool", resource_type: 1 }),
    ],
  },
  uiSchema: {
    path: "/api/catalog/ui_schema?path=t/routes",
    answer: { path: "t/routes", version: 1, kind: "Playbook", fields: [{ name: "who" }, {}] },
    refused: [
      badQuery("/api/catalog/ui_schema"),
      { path: "/api/catalog/ui_schema?path=t/nowhere", ...nowhere },
    ],
  },
  uiSchemaOf: {
    path: "/api/catalog/t/routes/ui_schema?version=1",
    answer: { path: "t/routes", version: 1, kind: "Playbook", fields: [{ name: "who" }, {}] },
    refused: [
      badQuery("/api/catalog/t/routes/ui_schema?version=x"),
      { path: "/api/catalog/t/routes", ...nowhere },
      { path: "/api/catalog/t/nowhere/ui_schema", ...nowhere },
      badQuery("/api/catalog/%E0%A4%A/ui_schema"),
    ],
  },
};
