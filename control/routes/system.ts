// Routes of the database, the dashboard and the state of the process.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import type { ControlContext } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { type Dashboard, dashboards } from "#control/system/dashboard";
import { executeSql, type SqlRequest } from "#control/system/execute-sql";
import { Fault, messageOf } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { api } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { mount } from "./mount.ts";

type SqlBody = RouteRequest<typeof api.executeSql.parts>["body"];

export function systemRoutes(app: Elysia, { context }: Executions): void {
  sqlRoutes(app, context);
  databaseRoutes(app, context);
  processRoutes(app, context);
  dashboardRoutes(app, context);
}

function sqlRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.executeSql, async ({ body }, http) => {
    const request = { ...sqlRequest(body), tenant: tenantFor(http, body.tenant) };
    const answer = await executeSql(context, principalOf(http), request);
    return "refused" in answer
      ? { status: "error" as const, error: answer.refused }
      : { status: "ok" as const, result: answer.rows.map((row) => ({ ...row })) };
  });
}

/** What older clients send is null where there is nothing. */
function sqlRequest(body: SqlBody): Omit<SqlRequest, "tenant"> {
  const { schema, db_schema: older } = body;
  const fields = {
    query: body.query,
    queryBase64: body.query_base64,
    procedure: body.procedure,
    schema: schema ?? older,
    database: body.database,
    credential: body.credential,
    connectionString: body.connection_string,
  };
  const given = Object.entries(fields).filter(
    (field): field is [string, string] => typeof field[1] === "string" && field[1] !== "",
  );
  // The body was read as JSON.
  return { ...Object.fromEntries(given), parameters: (body.parameters ?? []) as readonly Json[] };
}

function databaseRoutes(app: Elysia, context: ControlContext): void {
  mount(app, api.initDatabase, async () => {
    const { clusterId } = await context.feed.identity();
    const message = `the schema of cluster ${clusterId} was brought up to date when this process started`;
    return { status: "ok" as const, message };
  });
  mount(app, api.validateDatabase, async () => {
    const [tables, missing]: [string[], string[]] = [[], []];
    for (const [name, read] of Object.entries(looks(context))) {
      await read().then(
        () => tables.push(name),
        (thrown: unknown) => {
          if (thrown instanceof Fault && thrown.code === "unavailable") throw thrown;
          context.report(`${name} can't be read: ${messageOf(thrown)}`);
          missing.push(name);
        },
      );
    }
    const valid = missing.length === 0;
    const identity = missing.includes("event") ? undefined : await context.feed.identity();
    return {
      status: valid ? ("ok" as const) : ("error" as const),
      message: valid ? "everything that is kept can be read" : "some of what is kept can't be read",
      ...{ valid, tables, missing, cluster_id: identity?.clusterId ?? null },
    };
  });
}

/** One look at each table that somebody would miss. */
function looks(context: ControlContext): Readonly<Record<string, () => Promise<unknown>>> {
  const { log, feed, catalog, runtime, people, audit, vault, keychain, cursors } = context;
  return {
    event: () => feed.end(),
    execution: () => log.executions({ limit: 1 }),
    command: () => log.nextDueMs(),
    catalog: () => catalog.list({ limit: 1 }),
    runtime: () => runtime.list("worker_pool", 1),
    cursor: () => cursors.list(),
    user: () => people.users({ limit: 1 }),
    audit: () => audit.list({ limit: 1 }),
    credential: () => vault.countsByKey(),
    keychain: () => keychain.get("none"),
  };
}

function processRoutes(app: Elysia, { runtime, feed, clock, engineVersion }: ControlContext): void {
  const startedMs = clock.nowMs();
  mount(app, api.healthAlias, () => ({ status: "ok" as const }));
  mount(app, api.systemStatus, async () => {
    const [replicas, workers, { lagMs }] = await Promise.all([
      runtime.live("server_api"),
      runtime.live("worker_pool"),
      feed.lag(),
    ]);
    return {
      status: "ok" as const,
      version: engineVersion,
      uptime_seconds: Math.max(0, clock.nowMs() - startedMs) / 1_000,
      replicas: replicas.length,
      workers: workers.length,
      feed_lag_ms: lagMs,
    };
  });
  mount(app, api.poolStatus, async () => {
    const workers = await runtime.live("worker_pool");
    const sum = (of: (load: { running: number; free: number; waiting: number }) => number) =>
      workers.reduce((total, { load }) => total + (load === undefined ? 0 : of(load)), 0);
    const size = workers.reduce((total, { capacity }) => total + capacity, 0);
    const free = sum((load) => load.free);
    return {
      ...{ pool_min: 0, pool_max: size, pool_size: size, pool_available: free },
      requests_waiting: sum((load) => load.waiting),
      utilization: size === 0 ? 0 : Math.min(1, sum((load) => load.running) / size),
      slots_available: free,
      status:
        workers.length === 0 ? ("empty" as const) : free > 0 ? ("ok" as const) : ("full" as const),
    };
  });
}

function dashboardRoutes(app: Elysia, context: ControlContext): void {
  const dashboardOf = dashboards(context);
  mount(app, api.dashboardStats, async ({ query }, http) => {
    const told = await dashboardOf(tenantFor(http, query.tenant));
    return {
      status: "ok" as const,
      stats: { ...told.byStatus },
      total_executions: told.total,
      successful_executions: told.byStatus.completed,
      failed_executions: told.byStatus.failed,
      total_playbooks: told.playbooks,
      active_workflows: told.byStatus.running,
      capped: told.isCapped,
    };
  });
  mount(app, api.dashboardWidgets, async ({ query }, http) => ({
    widgets: widgetsOf(await dashboardOf(tenantFor(http, query.tenant))),
  }));
}

function widgetsOf({ total, byStatus, playbooks, newest }: Dashboard) {
  const number = (id: string, title: string, value: number) => ({
    ...{ id, title, type: "number", config: {}, data: { value } },
  });
  const rows = newest.map(({ executionId, path, status, startedAtMs }) => ({
    execution_id: executionId,
    ...{ path, status: status.toUpperCase(), started_at: new Date(startedAtMs).toISOString() },
  }));
  return [
    number("total_executions", "Executions", total),
    number("active_workflows", "Running", byStatus.running),
    number("total_playbooks", "Playbooks", playbooks),
    {
      ...{ id: "by_status", type: "bars", title: "Executions by status", config: {} },
      data: { ...byStatus },
    },
    {
      ...{ id: "newest", type: "table", title: "Started last", data: rows },
      config: { columns: ["execution_id", "path", "status", "started_at"] },
    },
  ];
}
