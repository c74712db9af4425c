// Routes of step logs: in from workers, out by page or as a stream.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import { stepLogFrames } from "#control/services/step-log-stream";
import { keepLines, requireExecution, shownLine } from "#control/services/step-logs";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { StepLogFilter } from "#core/ports/step-logs";
import { api, pageSize } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";
import { eventStream, framedBody } from "./stream.ts";

export function stepLogRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.sendLogs, async ({ body }) => {
    const lines = body.lines.map(({ execution_id, command_id, time, ...line }) => ({
      ...line,
      // Texts of the wire: ids are checked where they are kept.
      executionId: execution_id as ExecutionId,
      commandId: command_id as CommandId,
      timeMs: time,
    }));
    return { kept: await keepLines(context, body.worker, lines) };
  });
  mount(app, api.executionLogs, async ({ params, query }) => {
    const id = parseExecutionId(params.id);
    await requireExecution(context, id);
    const wanted = wantedOf(query);
    if (query.follow === "true") {
      const closing = new AbortController();
      return eventStream(framedBody(stepLogFrames(context, { id, wanted, closing }), closing));
    }
    const limit = pageSize(query.limit);
    const page = await context.stepLogs.read(id, { ...wanted, limit });
    return {
      execution_id: id,
      lines: page.map(shownLine),
      next_after: page.length < limit ? null : (page.at(-1)?.position ?? null),
      refused: await context.stepLogs.refused(id),
    };
  });
}

interface LogQuery {
  readonly step?: string;
  readonly command_id?: string;
  readonly attempt?: number;
  readonly stream?: "stdout" | "stderr" | "log";
  readonly after?: number;
}

function wantedOf(query: LogQuery): Omit<StepLogFilter, "limit"> {
  const { step, command_id, attempt, stream, after = 0 } = query;
  return {
    afterPosition: after,
    ...(step === undefined ? {} : { step }),
    ...(command_id === undefined ? {} : { commandId: command_id as CommandId }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(stream === undefined ? {} : { stream }),
  };
}
