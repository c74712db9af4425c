// Cases of the routes of the group `search`: these control planes have none to ask.

import type { searchRoutes } from "#core/wire/api-search";
import type { RouteCase } from "./refused-cases.ts";

const queries = ["", "?q=", "?q=x&limit=0", "?q=x&limit=101", "?q=x&limit=y", "?q=x&status=odd"];

export const searchCases: { readonly [Name in keyof typeof searchRoutes]: RouteCase } = {
  searchExecutions: {
    path: "/api/search/executions?q=card%20declined&limit=5",
    status: 503,
    answer: { error: { code: "unavailable" } },
    refused: queries.map((query) => ({
      path: `/api/search/executions${query}`,
      status: 422,
      code: "invalid",
    })),
  },
};
