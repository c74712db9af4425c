// Routes that end executions by hand, ask whether they have ended, and sum one up.

import type { Elysia } from "elysia";
import { principalOf, tenantFor } from "#control/access/admission";
import { audited } from "#control/access/audit";
import { cleanUp } from "#control/services/clean-up";
import type { Executions } from "#control/services/executions";
import { endExecution } from "#control/services/lifecycle";
import { whyOf, whyText } from "#control/services/why";
import { failureOf } from "#control/services/wire/event-input";
import { cleanupExecutionsMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Head } from "#core/ports/event-log";
import { api } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function endRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.cancellationCheck, async ({ params }) => {
    const { row } = await headOf(executions, parseExecutionId(params.id));
    const { status } = row;
    return {
      execution_id: row.executionId,
      status: status.toUpperCase(),
      event_type: status === "running" ? null : `playbook.${status}`,
      cancelled: status === "cancelled",
      is_cancelled: status === "cancelled",
      completed: status === "completed",
      failed: status === "failed",
    };
  });
  finalizeRoute(app, executions);
  cleanupRoute(app, executions);
  analyzeRoute(app, executions);
}

function finalizeRoute(app: Elysia, executions: Executions): void {
  mount(app, api.finalizeExecution, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    const { reason, error } = body ?? {};
    const said = error === undefined || error === null ? reason : failureOf(error).message;
    const verdict = await endExecution(executions, id, {
      by: principalOf(http).subject,
      finalized: endNamed(body?.status, error),
      ...(said === undefined ? {} : { reason: said }),
    });
    if (verdict === "unknown") throw unknownExecution(id);
    if (verdict === "ended") {
      const entry = { action: "execution.finalize", object: `execution/${id}` };
      await audited(executions.context, principalOf(http), entry);
    }
    return verdict === "ended"
      ? { status: "finalized" as const, execution_id: id, message: "the execution was ended" }
      : { status: "already_completed" as const, execution_id: id, message: "it had ended" };
  });
}

function cleanupRoute(app: Elysia, executions: Executions): void {
  mount(app, api.cleanupExecutions, async ({ body }, http) => {
    const { older_than_minutes: minutes, dry_run: isDryRun = false, limit } = body;
    const ids = await cleanUp(executions, {
      tenant: tenantFor(http, body.tenant),
      olderThanMs: minutes * 60_000,
      limit: limit ?? cleanupExecutionsMax,
      isDryRun,
      by: principalOf(http).subject,
    });
    if (!isDryRun && ids.length > 0) {
      await audited(executions.context, principalOf(http), {
        action: "executions.cleanup",
        object: `tenant/${tenantFor(http, body.tenant)}`,
        about: { count: ids.length, older_than_minutes: minutes },
      });
    }
    return {
      cancelled_count: isDryRun ? 0 : ids.length,
      execution_ids: [...ids],
      dry_run: isDryRun,
      message: isDryRun
        ? `${ids.length} executions would be cancelled`
        : `${ids.length} executions were cancelled`,
    };
  });
}

const unknownExecution = (id: ExecutionId): Fault =>
  new Fault("not_found", `execution ${id} does not exist`);

async function headOf({ context }: Executions, id: ExecutionId): Promise<Head> {
  const head = await context.log.head(id);
  if (head === undefined) throw unknownExecution(id);
  return head;
}

/** An error without a status is a failure. @throws Fault `invalid` for another status. */
function endNamed(status: string | undefined, error: unknown): "completed" | "failed" {
  const isError = error !== undefined && error !== null;
  const named = status?.toLowerCase() ?? (isError ? "failed" : "completed");
  if (named === "completed" || named === "failed") return named;
  throw new Fault("invalid", "status: expected completed or failed");
}

function analyzeRoute(app: Elysia, executions: Executions): void {
  mount(app, api.analyzeExecution, async ({ params }) => {
    const id = parseExecutionId(params.id);
    const head = await headOf(executions, id);
    const [state, why] = await Promise.all([executions.states.replay(id), whyOf(executions, id)]);
    const { row } = head;
    const endMs = row.endedAtMs ?? executions.context.clock.nowMs();
    return {
      execution_id: id,
      path: row.path,
      version: row.version,
      status: row.status.toUpperCase(),
      events: head.seq,
      duration_seconds: Math.max(0, endMs - row.startedAtMs) / 1_000,
      failures: [...state.failed].map(([step, { kind, message }]) => ({ step, kind, message })),
      running_steps: [...state.active.keys()],
      open_commands: state.commands.size,
      holds: [...why.holds, ...why.waiting.flatMap(({ holds }) => holds)].map((hold) => ({
        ...hold,
      })),
      text: [...whyText(why)],
    };
  });
}
