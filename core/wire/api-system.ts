// Routes of the database, the dashboard and the state of the process.

import { type } from "arktype";
import { route } from "./route.ts";
import { json, map, name, strings, tenantName } from "./shapes.ts";

const tag = "system";

export const systemRoutes = {
  executeSql: route(
    "POST /api/postgres/execute",
    {
      summary: "Run one statement on a database that a credential names",
      description:
        "One of `query`, `query_base64` and `procedure`; values only as `parameters` for " +
        "`$1` to `$n`. Without a credential, for administrators of the installation " +
        "alone. A refusal by the database is the answer `error`. Always audited.",
      tag,
      access: "admin",
    },
    {
      body: type({
        "query?": name.or("null"),
        "query_base64?": name.or("null"),
        /** `call name(value, …)`, or a name alone. */
        "procedure?": name.or("null"),
        "parameters?": type("unknown[] | null"),
        "schema?": name.or("null"),
        "db_schema?": name.or("null"),
        "database?": name.or("null"),
        "credential?": name.or("null"),
        "connection_string?": name.or("null"),
        "tenant?": tenantName,
      }),
      answer: type({ status: "'ok' | 'error'", "result?": map.array(), "error?": "string" }),
    },
  ),
  initDatabase: route(
    "POST /api/db/init",
    {
      summary: "Bring the schema of the database up to date",
      description:
        "A process does so when it starts: there is nothing left to do, and this says so.",
      tag,
      access: "platform",
    },
    { answer: type({ status: "'ok'", message: "string" }) },
  ),
  validateDatabase: route(
    "GET /api/db/validate",
    {
      summary: "Whether the database can be read and which log it holds",
      description: "Reads a little of everything that is kept.",
      tag,
      access: "platform",
    },
    {
      answer: type({
        status: "'ok' | 'error'",
        message: "string",
        valid: "boolean",
        cluster_id: "string | null",
        /** What could be read, and what could not. */
        tables: strings,
        missing: strings,
      }),
    },
  ),
  poolStatus: route(
    "GET /api/pool/status",
    {
      summary: "How much room the workers have, in the shape older workers ask for",
      description: "Counts slots of the workers that are there, not connections of a database.",
      tag,
      access: ["machine", "viewer"],
    },
    {
      answer: type({
        pool_min: "number",
        pool_max: "number",
        pool_size: "number",
        pool_available: "number",
        requests_waiting: "number",
        utilization: "number",
        slots_available: "number",
        status: "'ok' | 'full' | 'empty'",
      }),
    },
  ),
  systemStatus: route(
    "GET /api/status",
    {
      summary: "How the process is: version, uptime, replicas and workers",
      description: "Counts of the installation, without anybody's data.",
      tag,
      access: "viewer",
    },
    {
      answer: type({
        status: "'ok'",
        version: "string",
        uptime_seconds: "number",
        replicas: "number",
        workers: "number",
        feed_lag_ms: "number",
      }),
    },
  ),
  dashboardStats: route(
    "GET /api/dashboard/stats",
    {
      summary: "Counts of the tenant's executions and playbooks",
      description: "Each count ends at 10,000; `capped` says whether one has.",
      tag,
      access: "viewer",
    },
    {
      query: type({ "tenant?": tenantName }),
      answer: type({
        status: "'ok'",
        stats: map,
        total_executions: "number",
        successful_executions: "number",
        failed_executions: "number",
        total_playbooks: "number",
        active_workflows: "number",
        capped: "boolean",
      }),
    },
  ),
  dashboardWidgets: route(
    "GET /api/dashboard/widgets",
    {
      summary: "The same counts as widgets, and the executions started last",
      description: "For dashboards that draw what they are given.",
      tag,
      access: "viewer",
    },
    {
      query: type({ "tenant?": tenantName }),
      answer: type({
        widgets: type({
          id: "string",
          type: "string",
          title: "string",
          config: map,
          data: json,
        }).array(),
      }),
    },
  ),
  healthAlias: route(
    "GET /health",
    {
      summary: "Whether the process answers",
      description: "What balancers ask; the database is not looked at.",
      tag: "health",
      access: "public",
    },
    { answer: type({ status: "'ok'" }) },
  ),
} as const;
