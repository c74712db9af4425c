// Routes about executions, their variables and their context.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import type { Executions } from "#control/services/executions";
import { endExecution } from "#control/services/lifecycle";
import { checkParent, startAsked } from "#control/services/start-asked";
import { startInput } from "#control/services/start-input";
import {
  eventView,
  executionDetail,
  executionStatus,
  renderContext,
  summaryOf,
} from "#control/services/views";
import { listFilter, nextCursor } from "#control/services/wire/list-input";
import { Fault } from "#core/model/fault";
import { type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { skippedExecutionsMax } from "#core/model/limits";
import { api, pageSize } from "#core/wire/api";
import { answerWith } from "./answer-with.ts";
import { endRoutes } from "./ends.ts";
import { mount } from "./mount.ts";
import { subjectOf } from "./subject-of.ts";
import { variableRoutes } from "./variables.ts";

/** Where the next page of a list goes on; absent on the last page. */
const nextCursorHeader = "x-noetl-next-cursor";

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
    const input = startInput(body, {
      tenant: tenantFor(http, body.tenant),
      key: http.headers.get("idempotency-key") ?? undefined,
      subject: subjectOf(http),
    });
    await checkParent(executions, input.request);
    const started = await startAsked(executions, input);
    return {
      execution_id: started.executionId,
      status: started.existed ? ("duplicate" as const) : ("started" as const),
      commands_generated: started.commandsGenerated,
      path: started.entry.path,
      version: started.entry.version,
    };
  });
  readRoutes(app, executions);
  eventRoutes(app, executions);
  cancelRoute(app, executions);
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
      ...listFilter(query),
      limit: skipped + shown,
      tenant: tenantFor(http, query.tenant),
    });
    const chosen = rows.slice(skipped);
    const last = chosen.length < shown ? undefined : chosen.at(-1);
    const summaries = chosen.map(summaryOf);
    if (last === undefined) return summaries;
    return answerWith(summaries, {
      headers: { [nextCursorHeader]: nextCursor(last.executionId) },
    });
  });
  mount(app, api.getExecution, ({ params }) =>
    executionDetail(executions, parseExecutionId(params.id)),
  );
  mount(app, api.executionStatus, ({ params }) =>
    executionStatus(executions, parseExecutionId(params.id)),
  );
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

function cancelRoute(app: Elysia, executions: Executions): void {
  mount(app, api.cancelExecution, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    const { reason, cascade } = body ?? {};
    const verdict = await endExecution(executions, id, {
      by: principalOf(http).subject,
      ...(reason === undefined ? {} : { reason }),
      ...(cascade === undefined ? {} : { cascade }),
    });
    if (verdict === "unknown") throw new Fault("not_found", `execution ${id} does not exist`);
    if (verdict === "ended") {
      const entry = { action: "execution.cancel", object: `execution/${id}` };
      await audited(executions.context, principalOf(http), entry);
    }
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
