// Tools of the endpoint: playbooks that say so. A call starts the playbook and waits a while for its
// end; one that takes longer goes on, and is told of as a resource.

import { McpError } from "@modelcontextprotocol/sdk/types.js";
import type { Executions } from "#control/services/executions";
import { startExecution } from "#control/services/lifecycle";
import { fetchResult } from "#control/services/results";
import { executionDetail } from "#control/services/views";
import { atLeast } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { mcpPageMax, mcpTextCharsMax } from "#core/model/mcp-limits";
import type { McpCaller } from "./answer.ts";
import { endOf } from "./ended.ts";
import { type ExposedPlaybook, exposedPlaybooks, inputSchemasOf } from "./exposed.ts";

/** Codes of the protocol, and those that earlier servers answered with. */
const codes = { invalidParams: -32602, denied: -32020 } as const;

/** By name. @param cursor the last name of the page before. */
export async function listTools(executions: Executions, caller: McpCaller, cursor = "") {
  const all = await exposedPlaybooks(executions.context, caller.tenant, caller.only);
  const rest = all.filter(({ name }) => name > cursor).sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = rest.slice(0, mcpPageMax);
  const last = page.at(-1);
  const hasMore = last !== undefined && page.length < rest.length;
  const schemas = await inputSchemasOf(executions.context, page);
  const tools = page.map((each) => toolOf(each, schemas.get(each.entry.catalogId)));
  return { tools, ...(hasMore ? { nextCursor: last.name } : {}) };
}

function toolOf({ name, description, entry }: ExposedPlaybook, schema: JsonObject = {}) {
  return {
    name,
    title: entry.path,
    description,
    // Always a schema of a map: that is what workloads are.
    inputSchema: { ...schema, type: "object" as const },
    _meta: { "noetl/path": entry.path, "noetl/version": entry.version },
  };
}

export interface ToolCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Aborted when nobody waits for the answer any more; the execution goes on. */
  readonly signal: AbortSignal;
  readonly onStep: () => void;
}

/** @throws McpError for a tool that there isn't, or that the caller may not call. */
export async function callTool(
  executions: Executions,
  caller: McpCaller,
  { name, input, signal, onStep }: ToolCall,
): Promise<JsonObject> {
  const { context } = executions;
  const { principal, tenant, only } = caller;
  const all = await exposedPlaybooks(context, tenant, only);
  const exposed = all.find((each) => each.name === name);
  if (exposed === undefined) {
    throw new McpError(codes.invalidParams, `no tool ${JSON.stringify(name.slice(0, 80))}`);
  }
  if (principal.platform !== true && !atLeast(principal.role, "operator")) {
    throw new McpError(codes.denied, "calling a tool needs the role operator");
  }
  let id: ExecutionId;
  try {
    const { executionId } = await startExecution(executions, {
      catalogId: exposed.entry.catalogId,
      tenant,
      // Parsed from JSON by the protocol's library.
      workload: input as JsonObject,
      origin: { client_id: "mcp", subject: principal.subject },
    });
    id = executionId;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code === "internal") throw thrown;
    return textResult(thrown.message, { isError: true });
  }
  const status = await endOf(context, id, { waitMs: exposed.waitMs, signal, onStep });
  return status === undefined ? stillRunning(id) : ended(executions, id);
}

function textResult(text: string, more: JsonObject = {}): JsonObject {
  const shown =
    text.length <= mcpTextCharsMax
      ? text
      : `${text.slice(0, mcpTextCharsMax)}… (${text.length} characters)`;
  return { content: [{ type: "text", text: shown }], ...more };
}

function stillRunning(id: ExecutionId): JsonObject {
  const link = { type: "resource_link", uri: `noetl://executions/${id}`, name: `execution ${id}` };
  const text = JSON.stringify({ execution_id: id, status: "running" });
  return {
    content: [{ type: "text", text }, link],
    structuredContent: { execution_id: id, status: "running" },
    _meta: { "noetl/execution_id": id },
  };
}

async function ended(executions: Executions, id: ExecutionId): Promise<JsonObject> {
  const detail = await executionDetail(executions, id);
  const about = { _meta: { "noetl/execution_id": id, "noetl/status": detail.status } };
  if (detail.status !== "COMPLETED") {
    const { error = `the execution was ${detail.status.toLowerCase()}`, failed_steps } = detail;
    const text = JSON.stringify({ execution_id: id, status: detail.status, error, failed_steps });
    return textResult(text, { isError: true, ...about });
  }
  const result = await resultOf(executions, detail);
  const text = JSON.stringify(result);
  const isShown = isJsonObject(result) && text.length <= mcpTextCharsMax;
  return textResult(text, { ...(isShown ? { structuredContent: result } : {}), ...about });
}

type Detail = Awaited<ReturnType<typeof executionDetail>>;

async function resultOf(
  { context }: Executions,
  { result, result_ref: ref }: Detail,
): Promise<Json> {
  if (ref === undefined) return (result ?? null) as Json;
  return fetchResult(context, String((ref as JsonObject)["ref"]));
}
