// A server of the Model Context Protocol for one test file: the protocol's own package behind a
// port of this machine, with sessions, answering as JSON or as a stream.

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import * as web from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

type Session = web.WebStandardStreamableHTTPServerTransport;

export interface SeenRequest {
  readonly method: string;
  /** Of the JSON-RPC message; undefined where there is none. */
  readonly rpc: string | undefined;
  readonly headers: Headers;
}

export interface TestMcpServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Sessions that were begun and not ended. */
  open(): number;
  stop(): Promise<void>;
}

export interface TestMcpOptions {
  /** Answers in one piece, instead of as a stream. */
  readonly json?: boolean;
  /** Whoever does not send it is answered with 401. */
  readonly token?: string;
}

export const hugeChars = 17 * 1_048_576;

function called(name: string, given: Readonly<Record<string, unknown>>): CallToolResult {
  switch (name) {
    case "add":
      return {
        content: [
          { type: "text", text: String(Number(given["a"]) + Number(given["b"])) },
          { type: "text", text: "is the sum" },
        ],
        structuredContent: { sum: Number(given["a"]) + Number(given["b"]) },
      };
    case "fails":
      return { content: [{ type: "text", text: "out of stock" }], isError: true };
    case "huge":
      return { content: [{ type: "text", text: "x".repeat(hugeChars) }] };
    default:
      throw Object.assign(new Error(`no tool ${name}`), { code: -32_602, data: { name } });
  }
}

function newServer(): Server {
  const server = new Server({ name: "shop", version: "1.2.3" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: "add", inputSchema: { type: "object" as const } }],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    if (params.name === "hangs") return new Promise<CallToolResult>(() => undefined);
    return called(params.name, params.arguments ?? {});
  });
  return server;
}

export function startMcpServer({ json = false, token }: TestMcpOptions = {}): TestMcpServer {
  const sessions = new Map<string, Session>();
  const seen: SeenRequest[] = [];
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { method, headers } = request;
      const body: unknown = method === "POST" ? await request.clone().json() : undefined;
      const rpc = typeof body === "object" && body !== null && "method" in body ? body.method : "";
      seen.push({ method, rpc: rpc === "" ? undefined : String(rpc), headers });
      if (token !== undefined && headers.get("authorization") !== `Bearer ${token}`) {
        return new Response("who are you?", { status: 401 });
      }
      const known = sessions.get(headers.get("mcp-session-id") ?? "");
      const transport = known ?? (await begun(sessions, json));
      return transport.handleRequest(request);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    seen,
    open: () => sessions.size,
    stop: () => server.stop(true),
  };
}

async function begun(sessions: Map<string, Session>, json: boolean): Promise<Session> {
  const transport = new web.WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    enableJsonResponse: json,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  // The package's own types don't agree with each other about optional properties.
  await newServer().connect(transport as Parameters<Server["connect"]>[0]);
  return transport;
}
