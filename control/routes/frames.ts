// Routes of frames of cursor loops for older workers.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import { failureOf } from "#control/services/wire/event-input";
import { claimFrames, commitFrame, keepFrame } from "#control/services/wire/frames";
import { frameLeaseSecondsDefault } from "#core/model/api-limits";
import type { Output } from "#core/model/outcome";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

export function framesRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.claimFrames, async ({ params, body }) => {
    const { worker_id: worker, requested_count: count = 1 } = body;
    const heldMs = (body.lease_seconds ?? frameLeaseSecondsDefault) * 1_000;
    const stageId = params.stage_id;
    return {
      status: "ok" as const,
      frames: await claimFrames(executions, { stageId, worker, count, heldMs }),
    };
  });
  mount(app, api.heartbeatFrame, async ({ params, body }) => {
    const { worker_id: worker, lease_seconds: seconds = frameLeaseSecondsDefault } = body;
    const asked = { frameId: params.frame_id, worker, heldMs: seconds * 1_000 };
    return { status: "ok" as const, frame: await keepFrame(executions, asked) };
  });
  mount(app, api.commitFrame, async ({ params, body }) => {
    const { worker_id: worker, status = "COMPLETED", row_count: rows, error } = body;
    const isError = status.toLowerCase() === "failed";
    const output: Output = isError
      ? { status: "error", error: failureOf(error) }
      : { status: "ok" };
    const commit = { frameId: params.frame_id, worker, rowCount: rows ?? 0, output };
    return { status: "ok" as const, frame: await commitFrame(executions, commit) };
  });
}
