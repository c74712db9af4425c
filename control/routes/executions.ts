// Routes about executions, their variables and their context.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import type { Executions } from "#control/services/executions";
import { changeVariables, endExecution, startExecution } from "#control/services/lifecycle";
import {
  eventView,
  executionDetail,
  executionStatus,
  renderContext,
  summaryOf,
  variablesOf,
} from "#control/services/views";
import { Fault } from "#core/model/fault";
import { type CatalogId, type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { skippedExecutionsMax } from "#core/model/limits";
import type { ExecutionFilter } from "#core/ports/event-log";
import { api, pageSize } from "#core/wire/api";
import { mount } from "./mount.ts";

/** @throws Fault `invalid` for text that can't be an execution's id. */
export function parseExecutionId(text: string): ExecutionId {
  if (isSnowflake(text)) return executionId(text);
  throw new Fault(
    "invalid",
    `expected an execution id, found ${JSON.stringify(text.slice(0, 40))}`,
  );
}

export function executionRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.execute, async ({ body }, http) => {
    const { path, catalog_id: catalogId, version, payload, workload, ...rest } = body;
    const { origin, trace, priority, tenant } = rest;
    if (path === undefined && catalogId === undefined) {
      throw new Fault("invalid", "expected path or catalog_id, found neither");
    }
    const started = await startExecution(executions, {
      workload: (payload ?? workload ?? {}) as JsonObject,
      ...(path === undefined ? {} : { path }),
      ...(catalogId === undefined ? {} : { catalogId: catalogId as CatalogId }),
      ...(version === undefined ? {} : { version }),
      ...(origin === undefined ? {} : { origin }),
      ...(trace === undefined ? {} : { trace: trace as JsonObject }),
      ...(priority === undefined ? {} : { priority }),
      tenant: tenantFor(http, tenant),
    });
    return {
      execution_id: started.executionId,
      status: "started" as const,
      commands_generated: started.commandsGenerated,
      path: started.entry.path,
      version: started.entry.version,
    };
  });
  readRoutes(app, executions);
  eventRoutes(app, executions);
  endRoutes(app, executions);
  variableRoutes(app, executions);
  contextRoutes(app, executions);
}

function readRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.listExecutions, async ({ query }, http) => {
    const { limit, page_size: size, page = 1 } = query;
    const shown = pageSize(limit ?? size);
    const skipped = (page - 1) * shown;
    if (skipped > skippedExecutionsMax) {
      throw new Fault(
        "invalid",
        `expected pages up to execution ${skippedExecutionsMax}, go on from there with before`,
      );
    }
    const rows = await executions.context.log.executions({
      ...filterOf(query, skipped + shown),
      tenant: tenantFor(http),
    });
    return rows.slice(skipped).map(summaryOf);
  });
  mount(app, api.getExecution, ({ params }) =>
    executionDetail(executions, parseExecutionId(params.id)),
  );
  mount(app, api.executionStatus, ({ params }) =>
    executionStatus(executions, parseExecutionId(params.id)),
  );
}

interface ListQuery {
  readonly status?: string;
  readonly path?: string;
  readonly parent_execution_id?: string;
  readonly before?: string;
}

function filterOf(query: ListQuery, limit: number): ExecutionFilter {
  const { status, path, parent_execution_id: parent, before } = query;
  return {
    limit,
    ...(status === undefined ? {} : { status: parseStatus(status) }),
    ...(path === undefined ? {} : { path }),
    ...(parent === undefined ? {} : { parentId: parseExecutionId(parent) }),
    ...(before === undefined ? {} : { before: parseExecutionId(before) }),
  };
}

function parseStatus(text: string): NonNullable<ExecutionFilter["status"]> {
  const status = text.toLowerCase();
  switch (status) {
    case "running":
    case "completed":
    case "failed":
    case "cancelled":
      return status;
    default:
      throw new Fault(
        "invalid",
        `expected status running, completed, failed or cancelled, found ${JSON.stringify(text.slice(0, 40))}`,
      );
  }
}

function eventRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.executionEvents, async ({ params, query }) => {
    const id = parseExecutionId(params.id);
    const { log } = executions.context;
    const head = await log.head(id);
    if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
    const { limit, page_size: size, page: number = 1 } = query;
    const shown = pageSize(limit ?? size);
    // Numbers of events are dense: a page by its number starts at a known one.
    const after = query.after ?? Math.min((number - 1) * shown, head.seq);
    const page = await log.events(id, after, shown);
    const last = page.at(-1)?.event.seq;
    const more = last !== undefined && last < head.seq;
    return {
      execution_id: id,
      path: head.row.path,
      status: head.row.status.toUpperCase(),
      events: page
        .map((stored) => eventView(stored, head.row))
        .filter((event) => query.event_type === undefined || event.event_type === query.event_type),
      pagination: {
        total_events: head.seq,
        next_after: more ? last : null,
        has_next: more,
        page_size: shown,
      },
    };
  });
}

function endRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.cancelExecution, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    const { reason, cascade } = body ?? {};
    const verdict = await endExecution(executions, id, {
      by: principalOf(http).subject,
      ...(reason === undefined ? {} : { reason }),
      ...(cascade === undefined ? {} : { cascade }),
    });
    if (verdict === "unknown") throw new Fault("not_found", `execution ${id} does not exist`);
    return verdict === "ended"
      ? {
          status: "cancelled" as const,
          execution_id: id,
          cancelled_executions: [id],
          message: "the execution was cancelled",
        }
      : {
          status: "already_completed" as const,
          execution_id: id,
          cancelled_executions: [],
          message: "the execution had ended",
        };
  });
}

function variableRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.listVariables, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const variables = await variablesOf(executions, id);
    const described = Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, { value, type: "ctx" }]),
    );
    return { execution_id: id, variables: described, count: Object.keys(described).length };
  });
  mount(app, api.getVariable, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const variables = await variablesOf(executions, id);
    if (!Object.hasOwn(variables, params.name)) {
      throw new Fault("not_found", `execution ${id} has no variable ${params.name}`);
    }
    return { execution_id: id, name: params.name, value: variables[params.name], type: "ctx" };
  });
  mount(app, api.setVariables, async ({ params, body }) => {
    const id = parseExecutionId(params.id);
    const { variables, source_step: sourceStep } = body;
    if (!isJsonObject(variables)) throw new Fault("invalid", "expected variables to be a map");
    await changeVariables(executions, id, {
      set: variables,
      ...(sourceStep === undefined ? {} : { sourceStep }),
    });
    const names = Object.keys(variables);
    return { execution_id: id, variables_set: names.length, var_names: names };
  });
  mount(app, api.deleteVariable, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const known = Object.hasOwn(await variablesOf(executions, id), params.name);
    if (known) await changeVariables(executions, id, { removed: [params.name] });
    return { execution_id: id, var_name: params.name, deleted: known };
  });
}

function contextRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.renderContext, async ({ body }) => {
    const id = parseExecutionId(body.execution_id);
    const { rendered, keys } = await renderContext(executions, id, {
      template: body.template as Json,
      extra: (body.extra_context ?? {}) as JsonObject,
      strict: body.strict ?? true,
    });
    return { status: "ok" as const, rendered, context_keys: [...keys] };
  });
}
