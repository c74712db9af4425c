// The HTTP contract of the control plane: every route, once. Ids are strings on the way out and
// strings or numbers on the way in; names follow the wire reference, aliases included.

import { type } from "arktype";
import { pageSizeDefault, pageSizeMax } from "#core/model/limits";
import { route } from "./route.ts";

/** Digits beyond 2^53 come as text: see `parseJsonExactly`. */
const id = type("string | number.integer").pipe((value) => String(value));
const json = type("unknown");
const map = type({ "[string]": "unknown" }).narrow(
  (value, context) => !Array.isArray(value) || context.mustBe("a map"),
);
/** Text that is looked up or compared: no store takes a NUL in it. */
const name = type("string").narrow(
  (value, context) => !value.includes("\0") || context.mustBe("text without NUL"),
);
const someName = name.and("string >= 1");
/** What the stores count with. */
const count = type("0 <= number.integer <= 2147483647");
const ordinal = type("1 <= number.integer <= 2147483647");
const countText = type("string.integer.parse | number.integer").to(count);
const ordinalText = type("string.integer.parse | number.integer").to(ordinal);
const strings = type("string[]");

const executionParams = type({ id: "string" });
const variableParams = type({ id: "string", name: "string" });

const origin = type({ "request_id?": "string", "client_id?": "string", "subject?": "string" });

const executeBody = type({
  "path?": name,
  "catalog_id?": id,
  "version?": ordinal,
  "payload?": map,
  "workload?": map,
  "origin?": origin,
  "trace?": map,
});

const executeAnswer = type({
  execution_id: "string",
  status: "'started'",
  commands_generated: "number",
  path: "string",
  version: "number",
});

const executionSummary = type({
  execution_id: "string",
  catalog_id: "string",
  path: "string",
  version: "number",
  status: "string",
  start_time: "string",
  "end_time?": "string",
  "duration_seconds?": "number",
  "duration_human?": "string",
  "current_step?": "string",
  "parent_execution_id?": "string",
  "error?": "string",
});

const event = type({
  event_id: "string",
  execution_id: "string",
  catalog_id: "string",
  "parent_execution_id?": "string",
  seq: "number",
  event_type: "string",
  status: "string",
  event_time: "string",
  /** The same moment, by its older name. */
  created_at: "string",
  schema_version: "number",
  digest: "string",
  "step?": "string",
  /** The step, by its older name. */
  "node_name?": "string",
  "command_id?": "string",
  "attempt?": "number",
  "worker_id?": "string",
  "duration?": "number",
  "error?": "string",
  context: map,
  "result?": map,
});

const eventPage = type({
  execution_id: "string",
  path: "string",
  status: "string",
  events: event.array(),
  pagination: type({
    total_events: "number",
    next_after: "number | null",
    has_next: "boolean",
    page_size: "number",
  }),
});

const executionDetail = executionSummary.and({
  "result?": json,
  "result_ref?": map,
  failed_steps: strings,
  steps: type({
    step: "string",
    status: "string",
    visits: "number",
  }).array(),
});

const executionStatus = type({
  execution_id: "string",
  status: "string",
  current_step: "string | null",
  completed_steps: strings,
  running_steps: strings,
  failed_steps: strings,
  completed: "boolean",
  failed: "boolean",
  is_cancelled: "boolean",
  /** Always false: the log says how an execution ended, nothing is guessed. */
  completion_inferred: "boolean",
  variables: map,
  start_time: "string",
  end_time: "string | null",
  duration_seconds: "number",
  duration_human: "string",
});

const catalogEntry = type({
  catalog_id: "string",
  path: "string",
  version: "number",
  kind: "string",
  digest: "string",
  "content?": "string",
  meta: map,
  created_at: "string",
});

const pools = someName.array().atLeastLength(1);
const lease = type({ command_id: name, attempt: ordinal });

const claimBody = type({ worker: someName, pools, want: "number.integer >= 0" });

const outcome = type({
  command_id: "string",
  attempt: ordinal,
  output: type({ status: "'ok' | 'error'", "[string]": "unknown" }),
  "set?": map,
  "settled_as?": "'done' | 'error'",
  "yielded?": type({ checkpoint: map, delay_ms: "number >= 0" }),
  duration_ms: "number >= 0",
});

const commands = type("object[]");

/** Every route by the name that clients call it by. */
export const api = {
  health: route(
    "GET /api/health",
    { summary: "Whether this process and its store answer", tag: "health" },
    { answer: type({ status: "'ok' | 'degraded'", version: "string", uptime_seconds: "number" }) },
  ),
  execute: route(
    "POST /api/execute",
    { summary: "Start a playbook from the catalog", tag: "executions" },
    { body: executeBody, answer: executeAnswer },
  ),
  listExecutions: route(
    "GET /api/executions",
    { summary: "Executions, newest first", tag: "executions" },
    {
      query: type({
        "status?": "string",
        "path?": name,
        "parent_execution_id?": id,
        "before?": id,
        "limit?": countText,
        "page_size?": countText,
        "page?": ordinalText,
      }),
      answer: executionSummary.array(),
    },
  ),
  getExecution: route(
    "GET /api/executions/:id",
    { summary: "One execution with its steps and result", tag: "executions" },
    { params: executionParams, answer: executionDetail },
  ),
  executionStatus: route(
    "GET /api/executions/:id/status",
    { summary: "Where an execution stands", tag: "executions" },
    { params: executionParams, answer: executionStatus },
  ),
  executionEvents: route(
    "GET /api/executions/:id/events",
    { summary: "The log of an execution, in order", tag: "executions" },
    {
      params: executionParams,
      query: type({
        "after?": countText,
        "limit?": countText,
        "page_size?": countText,
        "page?": ordinalText,
        "event_type?": "string",
      }),
      answer: eventPage,
    },
  ),
  executionLog: route(
    "GET /api/executions/:id/log",
    {
      summary: "The log as it was hashed: exact texts and digests, to be verified",
      tag: "executions",
    },
    {
      params: executionParams,
      query: type({
        "after?": countText,
        "limit?": countText,
      }),
      answer: type({
        execution_id: "string",
        head: "number",
        lines: type({ seq: "number", digest: "string", text: "string" }).array(),
      }),
    },
  ),
  cancelExecution: route(
    "POST /api/executions/:id/cancel",
    { summary: "Cancel an execution and its children", tag: "executions" },
    {
      params: executionParams,
      body: type({ "reason?": "string", "cascade?": "boolean" }).or("undefined"),
      answer: type({
        status: "'cancelled' | 'already_completed'",
        execution_id: "string",
        /** What this request ended; children follow on their own. */
        cancelled_executions: strings,
        message: "string",
      }),
    },
  ),
  registerCatalog: route(
    "POST /api/catalog/register",
    { summary: "Register a playbook as the next version of its path", tag: "catalog" },
    {
      body: type({ content: "string", "resource_type?": "string", "path?": someName }),
      answer: type({
        status: "'success'",
        message: "string",
        path: "string",
        version: "number",
        catalog_id: "string",
        kind: "string",
        created: "boolean",
      }),
    },
  ),
  listCatalog: route(
    "POST /api/catalog/list",
    { summary: "The newest version of each path", tag: "catalog" },
    {
      body: type({ "resource_type?": someName, "path?": name, "limit?": count }).or("undefined"),
      answer: type({ entries: catalogEntry.array() }),
    },
  ),
  catalogResource: route(
    "POST /api/catalog/resource",
    { summary: "One version with its content", tag: "catalog" },
    {
      body: type({
        "catalog_id?": id,
        "path?": name,
        "version?": ordinal.or("'latest'"),
      }),
      answer: catalogEntry,
    },
  ),
  claim: route(
    "POST /api/commands/claim",
    { summary: "Lease commands to a worker", tag: "commands" },
    { body: claimBody, answer: type({ commands }) },
  ),
  settle: route(
    "POST /api/commands/settle",
    { summary: "Report outcomes and take the next commands", tag: "commands" },
    {
      body: claimBody.and({ outcomes: outcome.array() }),
      answer: type({ verdicts: strings, commands }),
    },
  ),
  renew: route(
    "POST /api/commands/renew",
    { summary: "Extend the leases of running commands", tag: "commands" },
    {
      body: type({ worker: someName, leases: lease.array() }),
      answer: type({ verdicts: strings }),
    },
  ),
  release: route(
    "POST /api/commands/release",
    { summary: "Give unused leases back", tag: "commands" },
    {
      body: type({ worker: someName, leases: lease.array() }),
      answer: type({ released: "number" }),
    },
  ),
  commandCredential: route(
    "POST /api/commands/credential",
    { summary: "A credential for a command that the worker has leased", tag: "commands" },
    {
      body: type({ worker: someName, command_id: name, alias: "string" }),
      answer: type({ name: "string", type: "string", data: map }),
    },
  ),
  putResult: route(
    "PUT /api/result/:id",
    { summary: "Store a value and get its reference", tag: "results" },
    {
      params: executionParams,
      body: type({ name: someName, data: "unknown", "source_step?": "string" }),
      answer: type({
        ref: "string",
        store: "string",
        scope: "string",
        bytes: "number",
        sha256: "string",
        result_ref: map,
      }),
    },
  ),
  resolveResult: route(
    "GET /api/result/resolve",
    { summary: "The value behind a reference", tag: "results" },
    { query: type({ ref: name }), answer: json },
  ),
  listVariables: route(
    "GET /api/vars/:id",
    { summary: "Variables of an execution", tag: "variables" },
    {
      params: executionParams,
      answer: type({ execution_id: "string", variables: map, count: "number" }),
    },
  ),
  getVariable: route(
    "GET /api/vars/:id/:name",
    { summary: "One variable", tag: "variables" },
    {
      params: variableParams,
      answer: type({ execution_id: "string", name: "string", value: json, type: "string" }),
    },
  ),
  setVariables: route(
    "POST /api/vars/:id",
    { summary: "Set variables from outside", tag: "variables" },
    {
      params: executionParams,
      body: type({ variables: map, "var_type?": "string", "source_step?": "string" }),
      answer: type({ execution_id: "string", variables_set: "number", var_names: strings }),
    },
  ),
  deleteVariable: route(
    "DELETE /api/vars/:id/:name",
    { summary: "Remove a variable", tag: "variables" },
    {
      params: variableParams,
      answer: type({ execution_id: "string", var_name: "string", deleted: "boolean" }),
    },
  ),
  renderContext: route(
    "POST /api/context/render",
    { summary: "Render templates against an execution as it stands", tag: "context" },
    {
      body: type({
        execution_id: id,
        template: "unknown",
        "extra_context?": map,
        "strict?": "boolean",
      }),
      answer: type({ status: "'ok'", rendered: json, context_keys: strings }),
    },
  ),
} as const;

export type Api = typeof api;

/** A page size within its bounds. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(limit ?? pageSizeDefault, 1), pageSizeMax);
}
