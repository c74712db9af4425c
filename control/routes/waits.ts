// Routes by which others answer what an execution waits for.

import type { Elysia } from "elysia";
import { answerContainer } from "#control/services/container-answer";
import type { Executions } from "#control/services/executions";
import { type AnswerVerdict, answerWait } from "#control/services/waits";
import { Fault } from "#core/model/fault";
import { earlyAnswersMax } from "#core/model/flow-limits";
import type { ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import { api } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function waitRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.callback, async ({ params, body }) => {
    const id = parseExecutionId(params.id);
    const { key } = params;
    const verdict = await answerWait(executions, id, { key, output: outputOf(body) });
    return { status: statusOf(verdict, id), execution_id: id, key };
  });
  mount(app, api.containerCallback, async ({ params, query, body }) => {
    const id = parseExecutionId(params.id);
    const { key, verdict } = await answerContainer(executions, id, {
      step: params.step,
      commandId: query.command_id,
      // The body came as JSON.
      report: body as JsonObject & typeof body,
    });
    return { status: statusOf(verdict, id), execution_id: id, key };
  });
}

/**
 * @throws Fault `not_found` for an unknown execution, `limited` where no answer is kept any more,
 *   `conflict` for a key under which something else is waited for.
 */
function statusOf(verdict: AnswerVerdict, id: ExecutionId) {
  switch (verdict) {
    case "accepted":
    case "duplicate":
      return verdict;
    case "ended":
      return "accepted_stale" as const;
    case "unknown":
      throw new Fault("not_found", `execution ${id} does not exist`);
    case "full": {
      const kept = `execution ${id} keeps ${earlyAnswersMax} answers that nobody waits for yet`;
      throw new Fault("limited", `${kept}, expected one that is waited for`);
    }
    case "other":
      throw new Fault("conflict", "what waits under the key is not a callback");
    default:
      return verdict satisfies never;
  }
}

function outputOf(body: RouteRequest<typeof api.callback.parts>["body"]): Output {
  const { status = "ok", data, error } = body;
  const given = data === undefined ? {} : { data: data as Json };
  if (status === "ok" || status === "success") return { status: "ok", ...given };
  const failure: Failure = {
    kind: "callback",
    message: (error?.message ?? "the callback told of a failure").slice(0, errorMessageCharsMax),
    retryable: false,
    ...(error?.code === undefined ? {} : { code: error.code }),
  };
  return { status: "error", ...given, error: failure };
}
