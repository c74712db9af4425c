// Resources of the endpoint: executions, their logs and events, and versions of the catalog. What is
// of another tenant is not there.

import { McpError } from "@modelcontextprotocol/sdk/types.js";
import type { Executions } from "#control/services/executions";
import { shownLine } from "#control/services/step-logs";
import { eventView, executionDetail, summaryOf } from "#control/services/views";
import { executionId, isSnowflake } from "#core/model/ids";
import { mcpPageMax, mcpRowsMax, mcpTextCharsMax } from "#core/model/mcp-limits";
import type { ExecutionRow } from "#core/ports/event-log";
import type { McpCaller } from "./answer.ts";

const json = "application/json";

export const resourceTemplates = [
  {
    uriTemplate: "noetl://executions/{execution_id}",
    name: "execution",
    description: "One execution with its steps and its result.",
    mimeType: json,
  },
  {
    uriTemplate: "noetl://executions/{execution_id}/events",
    name: "events",
    description: `The first ${mcpRowsMax} events of an execution's log.`,
    mimeType: json,
  },
  {
    uriTemplate: "noetl://executions/{execution_id}/logs",
    name: "logs",
    description: `The first ${mcpRowsMax} lines that the tools of an execution printed.`,
    mimeType: "text/plain",
  },
  {
    uriTemplate: "noetl://catalog/{+path}@{version}",
    name: "catalog",
    description: "A version of a playbook; without @version the newest.",
    mimeType: "application/yaml",
  },
] as const;

/** The newest executions; the catalog is reached by its template. */
export async function listResources(
  { context }: Executions,
  { tenant }: McpCaller,
  cursor: string | undefined,
) {
  if (cursor !== undefined && !isSnowflake(cursor)) throw unknown(`the cursor ${shown(cursor)}`);
  const rows = await context.log.executions({
    tenant,
    limit: mcpPageMax,
    ...(cursor === undefined ? {} : { before: executionId(cursor) }),
  });
  const last = rows.at(-1);
  return {
    resources: rows.map((row) => ({
      uri: `noetl://executions/${row.executionId}`,
      name: `${row.path} ${row.executionId}`,
      description: `${row.status}, version ${row.version}`,
      mimeType: json,
    })),
    ...(last !== undefined && rows.length === mcpPageMax ? { nextCursor: last.executionId } : {}),
  };
}

export interface ReadResource {
  readonly uri: string;
  readonly mimeType: string;
  readonly text: string;
  readonly [key: string]: unknown;
}

const executionUri = /^noetl:\/\/executions\/([0-9]{1,19})(?:\/(events|logs))?$/;
const catalogUri = /^noetl:\/\/catalog\/([^@]+)(?:@([1-9][0-9]{0,8}))?$/;

/** @throws McpError for what there isn't. */
export async function readResource(
  executions: Executions,
  { tenant }: McpCaller,
  uri: string,
): Promise<ReadResource> {
  const ofExecution = executionUri.exec(uri);
  if (ofExecution !== null) {
    const [, id = "", part] = ofExecution;
    return { uri, ...(await readExecution(executions, tenant, { id, part, uri })) };
  }
  const [, path, version] = catalogUri.exec(uri) ?? [];
  if (path === undefined) throw unknown(`the resource ${shown(uri)}`);
  const { catalog } = executions.context;
  const number = version === undefined ? undefined : Number(version);
  const entry = await catalog.byPath(tenant, decoded(path), number);
  if (entry === undefined) throw unknown(`the resource ${shown(uri)}`);
  return { uri, mimeType: "application/yaml", text: cut(entry.content) };
}

interface Asked {
  readonly id: string;
  readonly part: string | undefined;
  readonly uri: string;
}

async function readExecution(executions: Executions, tenant: string, { id, part, uri }: Asked) {
  const { log, stepLogs } = executions.context;
  const row = isSnowflake(id) ? (await log.head(executionId(id)))?.row : undefined;
  if (row === undefined || row.tenant !== tenant) throw unknown(`the resource ${shown(uri)}`);
  if (part === "events") return asJson(await eventsOf(executions, row));
  if (part === "logs") {
    const lines = await stepLogs.read(row.executionId, { afterPosition: 0, limit: mcpRowsMax });
    const texts = lines.map(shownLine).map(({ time, step, text }) => `${time} ${step}: ${text}`);
    return { mimeType: "text/plain", text: cut(texts.join("\n")) };
  }
  return asJson({ ...summaryOf(row), ...(await executionDetail(executions, row.executionId)) });
}

async function eventsOf({ context }: Executions, row: ExecutionRow): Promise<unknown> {
  const events = await context.log.events(row.executionId, 0, mcpRowsMax);
  return events.map((stored) => eventView(stored, row));
}

function asJson(value: unknown) {
  return { mimeType: json, text: cut(JSON.stringify(value)) };
}

function cut(text: string): string {
  if (text.length <= mcpTextCharsMax) return text;
  return `${text.slice(0, mcpTextCharsMax)}\n… (${text.length} characters)`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 120));
}

/** The protocol's code for a resource that isn't there. */
const resourceNotFound = -32002;

function unknown(what: string): McpError {
  return new McpError(resourceNotFound, `${what} does not exist`);
}
