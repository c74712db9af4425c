// The endpoint that speaks the Model Context Protocol.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import type { McpCaller } from "#control/mcp/answer";
import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

export function mcpRoutes(app: Elysia, executions: Executions): void {
  const answer = async (http: Request, more: Partial<McpCaller>): Promise<Response> => {
    refuseForeignPages(http);
    const { answerMcp } = await import("#control/mcp/answer");
    const caller = { principal: principalOf(http), tenant: tenantFor(http), ...more };
    return answerMcp(executions, http, caller);
  };
  mount(app, api.mcp, (_request, http) => answer(http, {}));
  mount(app, api.mcpStream, () => noSessions());
  mount(app, api.mcpJsonRpc, (_request, http) =>
    answer(http, { only: playbookIn(http), plain: true }),
  );
}

/** What a client takes to mean that all is said in answers to its messages. */
function noSessions(): Response {
  const error = { code: -32000, message: "this endpoint keeps no sessions: post each message" };
  return Response.json(
    { jsonrpc: "2.0", error, id: null },
    { status: 405, headers: { allow: "POST" } },
  );
}

const jsonRpcPath = /^\/api\/mcp\/playbook\/(.+)\/jsonrpc$/;

function playbookIn(http: Request): string {
  const [, path] = jsonRpcPath.exec(new URL(http.url).pathname) ?? [];
  if (path === undefined) {
    throw new Fault(
      "not_found",
      "expected /api/mcp/playbook/<path>/jsonrpc, found another address",
    );
  }
  return decodeURIComponent(path);
}

/** A page of another host must not speak through somebody's browser. */
function refuseForeignPages(http: Request): void {
  const origin = http.headers.get("origin");
  if (origin === null) return;
  const host = http.headers.get("host");
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new Fault("forbidden", "expected a request that comes from no other host's page");
}
