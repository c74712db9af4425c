// Routes by which others answer what an execution waits for.

import type { Elysia } from "elysia";
import { answerContainer, containerKey } from "#control/services/container-answer";
import type { Executions } from "#control/services/executions";
import { answerWait } from "#control/services/waits";
import { admitCallback } from "#control/waits/callback-access";
import { answerStatus } from "#control/waits/verdicts";
import type { Json, JsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import type { Failure, Output } from "#core/model/outcome";
import { api } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

const what = "a callback";

export function waitRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.callback, async ({ params, query, body }, http) => {
    const id = parseExecutionId(params.id);
    const { key } = params;
    const isFor = (claim: { readonly key: string }): boolean => claim.key === key;
    await admitCallback(context, http, { executionId: id, token: query.token, isFor });
    const verdict = await answerWait(executions, id, { key, output: outputOf(body) });
    return { status: answerStatus(verdict, id, what), execution_id: id, key };
  });
  mount(app, api.containerCallback, async ({ params, query, body }, http) => {
    const id = parseExecutionId(params.id);
    const commandId = query.command_id;
    // A token is that of one command: without its id it could be used for another of the step.
    const isFor = (claim: { readonly key: string }): boolean =>
      commandId !== undefined && claim.key === containerKey(commandId);
    await admitCallback(context, http, { executionId: id, token: query.token, isFor });
    const { key, verdict } = await answerContainer(executions, id, {
      step: params.step,
      commandId,
      // The body came as JSON.
      report: body as JsonObject & typeof body,
    });
    return { status: answerStatus(verdict, id, what), execution_id: id, key };
  });
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
