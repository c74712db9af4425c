// Routes of the queue of older workers.

import type { Elysia } from "elysia";
import { executionOf } from "#control/services/dispatch";
import type { Executions } from "#control/services/executions";
import { failureOf } from "#control/services/wire/event-input";
import {
  endJob,
  enqueueJob,
  extendJob,
  jobsOf,
  jobView,
  leaseJob,
} from "#control/services/wire/queue";
import { jobInput } from "#control/services/wire/queue-input";
import { poolDefault } from "#core/model/dispatch";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { leaseMs } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { api, pageSize } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

const rfc3339 = (timeMs: number): string => new Date(timeMs).toISOString();

export function queueRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.enqueueJob, async ({ body }) => {
    const id = parseExecutionId(body.execution_id);
    const { job, commandId } = await enqueueJob(executions, id, jobInput(body));
    return { status: "queued" as const, id: commandId, execution_id: id, job };
  });
  mount(app, api.leaseJob, async ({ body }) => {
    const { worker_id: worker, pools = [poolDefault], lease_seconds: seconds } = body;
    const heldMs = seconds === undefined ? {} : { heldMs: seconds * 1_000 };
    const leased = await leaseJob(executions, { worker, pools, ...heldMs });
    if (leased === undefined) return { status: "empty" as const };
    return {
      status: "ok" as const,
      job: { ...jobView(leased.command, leased), worker_id: worker },
    };
  });
  endRoutes(app, executions);
  const extend = async (commandId: string, worker: string, seconds = leaseMs / 1_000) => ({
    status: "ok" as const,
    id: commandId,
    lease_until: rfc3339(
      await extendJob(executions, { commandId, worker, heldMs: seconds * 1_000 }),
    ),
  });
  mount(app, api.extendJob, ({ params, body }) =>
    extend(params.id, body.worker_id, body.extend_seconds),
  );
  mount(app, api.heartbeatJob, ({ params, body }) =>
    extend(params.id, body.worker_id, body.extend_seconds),
  );
  lookRoutes(app, executions);
}

function endRoutes(app: Elysia, executions: Executions): void {
  const end = async (commandId: string, worker: string | undefined, output: Output) => {
    const id = executionNamed(commandId);
    const { eventId } = await endJob(executions, id, { commandId, worker, output });
    return { id: commandId, event_id: eventId };
  };
  mount(app, api.completeJob, async ({ params, body }) => {
    // It came as JSON.
    const data = body?.result as Json | undefined;
    const output: Output = { status: "ok", ...(data === undefined ? {} : { data }) };
    return { status: "done", ...(await end(params.id, body?.worker_id, output)) };
  });
  mount(app, api.failJob, async ({ params, body }) => {
    if (body?.retry === true) {
      throw new Fault(
        "invalid",
        "retry: expected false; the playbook's policy says what is retried",
      );
    }
    const output: Output = { status: "error", error: failureOf(body?.error) };
    return { status: "failed", ...(await end(params.id, body?.worker_id, output)) };
  });
}

/** @throws Fault `not_found` for text that names no execution. */
function executionNamed(commandId: string): ExecutionId {
  const id = executionOf(commandId);
  if (id !== undefined) return id;
  throw new Fault("not_found", `job ${commandId.slice(0, 100)} does not exist`);
}

function lookRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.listJobs, async ({ query }) => {
    const id = parseExecutionId(query.execution_id);
    const items = await jobsOf(executions, id, {
      status: query.status,
      limit: pageSize(query.limit),
    });
    return { items, count: items.length };
  });
  mount(app, api.queueSize, async () => {
    const pools = (await executions.context.log.backlog()).map(({ pool, ready, leased }) => ({
      pool,
      queued: ready,
      leased,
    }));
    const sum = (name: "queued" | "leased"): number =>
      pools.reduce((total, pool) => total + pool[name], 0);
    return { queued: sum("queued"), leased: sum("leased"), pools };
  });
}
