// Cases of the endpoint that speaks the Model Context Protocol. Its own refusals are messages of the
// protocol, told in tests/mcp.

import type { mcpRoutes } from "#core/wire/api-mcp";
import type { RouteCase } from "./refused-cases.ts";

const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

export const mcpCases: { readonly [Name in keyof typeof mcpRoutes]: RouteCase } = {
  mcp: {
    path: "/mcp",
    body: list,
    // The protocol wants to be told what is accepted.
    status: 406,
    answer: { jsonrpc: "2.0", error: { code: -32000 } },
    refused: [],
  },
  mcpStream: { path: "/mcp", status: 405, answer: { error: { code: -32000 } }, refused: [] },
  mcpJsonRpc: {
    path: "/api/mcp/playbook/t/routes/jsonrpc",
    body: list,
    answer: { jsonrpc: "2.0", id: 1, result: { tools: [] } },
    refused: [{ path: "/api/mcp/playbook/t/routes", body: list, status: 404, code: "not_found" }],
  },
};
