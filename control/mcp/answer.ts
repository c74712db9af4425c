// One request to the endpoint: a server and its transport of their own, and no session. Loaded only
// when somebody asks: the protocol's library costs time and memory.

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  WebStandardStreamableHTTPServerTransport,
  type WebStandardStreamableHTTPServerTransportOptions,
} from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Executions } from "#control/services/executions";
import type { Principal } from "#core/model/access";
import { mcpRequestBytesMax } from "#core/model/mcp-limits";
import { listResources, readResource, resourceTemplates } from "./resources.ts";
import { callTool, listTools } from "./tools.ts";

export interface McpCaller {
  readonly principal: Principal;
  /** The tenant whose playbooks and executions are shown. */
  readonly tenant: string;
  /** The path of the only playbook that is a tool here. */
  readonly only?: string;
  /** Answers as one JSON document, whatever the request accepts. */
  readonly plain?: boolean;
}

/** Answers one request of the protocol. */
export async function answerMcp(
  executions: Executions,
  request: Request,
  caller: McpCaller,
): Promise<Response> {
  const server = serverFor(executions, caller);
  const options: WebStandardStreamableHTTPServerTransportOptions = {
    enableJsonResponse: caller.plain === true,
    maxRequestBodySize: mcpRequestBytesMax,
  };
  const transport = new WebStandardStreamableHTTPServerTransport(options);
  // The library's own types are looser than our compiler's.
  await server.connect(transport as unknown as Parameters<typeof server.connect>[0]);
  return transport.handleRequest(caller.plain === true ? acceptingAll(request) : request);
}

/** The protocol wants to be told what is accepted; clients of plain JSON-RPC don't tell. */
function acceptingAll(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set("accept", "application/json, text/event-stream");
  headers.set("content-type", "application/json");
  return new Request(request, { headers });
}

function serverFor(executions: Executions, caller: McpCaller): Server {
  const { engineVersion: version } = executions.context;
  const server = new Server(
    { name: "noetl", title: "NoETL Edge", version },
    { capabilities: { tools: {}, resources: {} } },
  );
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) =>
    listTools(executions, caller, params?.cursor),
  );
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const token = params._meta?.progressToken;
    let progress = 0;
    const onStep = (): void => {
      if (token === undefined) return;
      progress += 1;
      const told = { progressToken: token, progress, message: `${progress} steps have ended` };
      // Whoever has gone away is told nothing.
      extra
        .sendNotification({ method: "notifications/progress", params: told })
        .catch(() => undefined);
    };
    const call = { name: params.name, input: params.arguments ?? {}, signal: extra.signal, onStep };
    // Of the shape that the protocol gives to results.
    return (await callTool(executions, caller, call)) as CallToolResult;
  });
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) =>
    listResources(executions, caller, params?.cursor),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => ({
    resourceTemplates: resourceTemplates.map((template) => ({ ...template })),
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }) => ({
    contents: [await readResource(executions, caller, params.uri)],
  }));
  return server;
}
