// Routes that start executions over.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import type { Started } from "#control/services/lifecycle";
import { rerunFrom } from "#control/services/rerun-from";
import { rerun } from "#control/services/reruns";
import { checkKind, dedupOf } from "#control/services/start-input";
import type { ExecutionId } from "#core/model/ids";
import type { JsonObject } from "#core/model/json";
import { api } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";
import { subjectOf } from "./subject-of.ts";

export function rerunsRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.rerunExecution, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    checkKind(body?.resource_kind);
    const dedup = dedupOf(body?.dedup, http.headers.get("idempotency-key") ?? undefined);
    const started = await rerun(executions, id, {
      // Checked by the schema to be a map, which came as JSON.
      workload: (body?.workload ?? body?.payload ?? {}) as JsonObject,
      version: body?.version ?? "same",
      subject: subjectOf(http),
      ...(dedup === undefined ? {} : { dedup: { ...dedup, scope: `rerun/${id}` } }),
    });
    return startedView(started, id);
  });
  mount(app, api.rerunFrom, async ({ params, body }, http) => {
    const id = parseExecutionId(params.id);
    // As above.
    const workload = (body?.workload ?? {}) as JsonObject;
    const asked = { step: params.step, workload, subject: subjectOf(http) };
    return startedView(await rerunFrom(executions, id, asked), id);
  });
}

function startedView({ executionId, entry, commandsGenerated, existed }: Started, of: ExecutionId) {
  return {
    execution_id: executionId,
    status: existed ? ("duplicate" as const) : ("started" as const),
    commands_generated: commandsGenerated,
    path: entry.path,
    version: entry.version,
    rerun_of: of,
  };
}
