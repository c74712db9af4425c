// The mcp tool: one request to a server of the Model Context Protocol, mostly a call of one of its
// tools. What the server calls an error is an outcome with its content, so that rules see both.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { errorMessageCharsMax, resultBytesMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import { mcpTimeoutMsDefault } from "#core/model/run-tool-limits";
import { httpAuth } from "./auth.ts";
import { configFailure, field, objectField, textField, withDeadline } from "./call-config.ts";
import { callInput, outputOf, resultTooLarge } from "./code-call.ts";
import { httpRequest, setHeader } from "./http-request.ts";
import { type McpAnswer, type McpInitialize, type McpTarget, mcpAnswer } from "./mcp-client.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export interface McpToolOptions {
  /** Addresses of servers by the names that steps know them by. */
  readonly servers?: Readonly<Record<string, string>>;
  /** Where a server goes that has no address of its own. */
  readonly url?: string;
  readonly version?: string;
}

interface McpCall {
  readonly target: McpTarget;
  readonly method: string;
  readonly params: JsonObject | undefined;
  /** What the envelope repeats of the call. */
  readonly about: JsonObject;
}

/** Data: `{status, server, endpoint, method, tool, arguments, text, result, initialize}`. */
export function mcpTool(options: McpToolOptions = {}): Tool {
  const run = (config: JsonObject, context: ToolContext): Promise<Output> =>
    withDeadline(timed(config), context, async (deadline) => {
      const call = await mcpCall(config, context, options);
      const { method, params, target } = call;
      const effect = method === "tools/call" ? { idempotencyKey: context.idempotencyKey } : {};
      const asked = method === "health" ? "ping" : method;
      return output(call, await mcpAnswer(target, { method: asked, params, ...effect }, deadline));
    });
  return { kind: "mcp", run: (config, context) => outputOf(() => run(config, context)) };
}

function timed(config: JsonObject): JsonObject {
  const own = field(config, "timeout_seconds", "timeout");
  return own === undefined ? { timeout_seconds: mcpTimeoutMsDefault / 1_000 } : config;
}

async function mcpCall(
  config: JsonObject,
  context: ToolContext,
  options: McpToolOptions,
): Promise<McpCall> {
  const server = textField(config, "server")?.value;
  const address = addressOf(config, server, options);
  const headers = objectField(config, "headers")?.value ?? {};
  // Whatever stands in the address to authenticate with becomes a header, as for http.
  const { url, headers: sent } = httpRequest({ url: address, headers });
  const auth = await httpAuth(config, context);
  if (auth !== undefined && !sent.has(auth.header)) setHeader(sent, auth.header, auth.value);
  const method = textField(config, "method", "action")?.value ?? "tools/call";
  const { tool, given, params } = request(config, method);
  const version = options.version ?? "0";
  return {
    target: { url, headers: sent, egress: context.policy.egress ?? (() => true), version },
    method,
    params,
    about: {
      server: server ?? null,
      endpoint: url.origin + url.pathname,
      method,
      tool: tool ?? null,
      arguments: given,
    },
  };
}

function addressOf(
  config: JsonObject,
  server: string | undefined,
  { servers = {}, url }: McpToolOptions,
): string {
  const given = textField(config, "endpoint", "url", "server_url", "base_url")?.value;
  if (given !== undefined) return given;
  if (server === undefined) {
    throw configFailure("endpoint: expected the URL of an MCP server, or the name of a server");
  }
  const known = Object.hasOwn(servers, server) ? servers[server] : url;
  if (known !== undefined) return known;
  throw configFailure(
    `server: expected a name in NOETL_MCP_SERVERS of this worker, or NOETL_MCP_URL, found ${server}`,
  );
}

/** The name and the arguments of a tool's call, and the parameters that are sent. */
function request(config: JsonObject, method: string) {
  const params = objectField(config, "params")?.value;
  if (method === "health") return { tool: undefined, given: {}, params: undefined };
  if (method !== "tools/call") return { tool: undefined, given: {}, params };
  const tool = textField(config, "tool")?.value ?? textField(params ?? {}, "name")?.value;
  if (tool === undefined) throw configFailure("tool: expected the name of a tool, found none");
  const named = objectField(config, "arguments") ?? objectField(params ?? {}, "arguments");
  const given = named?.value ?? callInput(config);
  return { tool, given, params: { ...params, name: tool, arguments: given } };
}

function output({ about }: McpCall, answer: McpAnswer): Output {
  const { initialize } = answer;
  const error = failureOf(answer);
  const result = answer.kind === "result" ? answer.result : errorResult(answer);
  const text = answer.kind === "result" ? textOf(answer.result) : answer.message;
  const status = error === undefined ? "success" : "error";
  const data = { status, ...about, text, result, initialize: shown(initialize) };
  const bytes = Buffer.byteLength(JSON.stringify(data));
  if (bytes > resultBytesMax) throw new ToolFailure(resultTooLarge(bytes, resultBytesMax));
  return error === undefined ? { status: "ok", data } : { status: "error", error, data };
}

function shown({ protocolVersion, serverInfo, capabilities }: McpInitialize): JsonObject {
  return { protocolVersion, serverInfo, capabilities };
}

function failureOf(answer: McpAnswer): Failure | undefined {
  switch (answer.kind) {
    case "error": {
      const { code, message } = answer;
      return failure(code, message === "" ? `error ${code}` : message);
    }
    case "result": {
      if (answer.result.isError !== true) return undefined;
      const text = textOf(answer.result);
      return failure("tool_error", text === "" ? "the tool said that it failed" : text);
    }
    default:
      return answer satisfies never;
  }
}

function failure(code: number | string, text: string): Failure {
  return { kind: "mcp", code, message: text.slice(0, errorMessageCharsMax), retryable: false };
}

function errorResult(answer: Extract<McpAnswer, { readonly kind: "error" }>): JsonObject {
  const { code, message, data } = answer;
  return { error: { code, message, ...(data === null ? {} : { data }) } };
}

/** The text parts of a result, one below the other. */
function textOf({ content }: JsonObject): string {
  if (!Array.isArray(content)) return "";
  const parts: readonly Json[] = content;
  return parts
    .flatMap((part) =>
      isJsonObject(part) && part.type === "text" && typeof part.text === "string"
        ? [part.text]
        : [],
    )
    .join("\n");
}
