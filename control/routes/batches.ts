// Routes that start many executions at once.

import type { Elysia } from "elysia";
import { tenantFor } from "#control/access/admission";
import type { Executions } from "#control/services/executions";
import { checkParent, startEach } from "#control/services/start-asked";
import { type ExecuteBody, type StartInput, startInput } from "#control/services/start-input";
import { batchExecutionsMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";
import { subjectOf } from "./subject-of.ts";

export function batchesRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.executeBatch, async ({ body }, http) => {
    const { executions: list } = body;
    if (list.length === 0 || list.length > batchExecutionsMax) {
      throw new Fault(
        "invalid",
        `expected 1 to ${batchExecutionsMax} executions, found ${list.length}`,
      );
    }
    const inputs = await Promise.all(list.map((item) => inputOf(executions, item, http)));
    const tried = await startEach(executions, inputs);
    const results = tried.map((one, index) => resultOf(one, index));
    const having = (status: string): number =>
      results.filter((result) => result.status === status).length;
    return {
      count: results.length,
      started: having("started"),
      duplicates: having("duplicate"),
      failed: having("failed"),
      results,
    };
  });
}

/** What is asked for, or why it is refused: one bad request of a list is told beside the others. */
async function inputOf(
  executions: Executions,
  item: ExecuteBody,
  http: Request,
): Promise<StartInput | Fault> {
  try {
    const input = startInput(item, {
      tenant: tenantFor(http, item.tenant),
      subject: subjectOf(http),
    });
    await checkParent(executions, input.request);
    return input;
  } catch (thrown) {
    if (thrown instanceof Fault && !thrown.retryable) return thrown;
    throw thrown;
  }
}

function resultOf(one: Awaited<ReturnType<typeof startEach>>[number], index: number) {
  if ("error" in one) {
    return { index, status: "failed" as const, commands_generated: 0, error: one.error };
  }
  return {
    index,
    status: one.existed ? ("duplicate" as const) : ("started" as const),
    execution_id: one.executionId,
    commands_generated: one.commandsGenerated,
  };
}
