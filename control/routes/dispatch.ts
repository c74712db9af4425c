// Routes about rules, about what holds an execution up, and about what was given up.

import type { Elysia } from "elysia";
import { dropGivenUp, givenUp, retryGivenUp } from "#control/services/dead-letters";
import type { Executions } from "#control/services/executions";
import { removeRule, setRule } from "#control/services/rules";
import { executionIn, type Waiting, whyOf, whyText } from "#control/services/why";
import type { RuleState } from "#core/ports/dispatch-rules";
import { api, pageSize } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";
import { tenantSeen } from "./tenant-seen.ts";

export function dispatchRoutes(app: Elysia, executions: Executions): void {
  ruleRoutes(app, executions);
  deadLetterRoutes(app, executions);
  mount(app, api.why, async ({ params, query }) => {
    const why = await whyOf(executions, parseExecutionId(params.id), query.step);
    return {
      execution_id: why.executionId,
      path: why.path,
      status: why.status.toUpperCase(),
      holds: why.holds.map((hold) => ({ ...hold })),
      waiting: why.waiting.map(waitingView),
      text: [...whyText(why)],
    };
  });
}

const waitingView = ({ commandId, holds, ...rest }: Waiting) => ({
  command_id: commandId,
  ...rest,
  holds: holds.map((hold) => ({ ...hold })),
});

function ruleRoutes(app: Elysia, { context }: Executions): void {
  mount(app, api.listRules, async () => ({ rules: (await context.log.rules()).map(ruleView) }));
  mount(app, api.putRule, async ({ params, body }) => {
    const { max_running: maxRunning, per_second: perSecond, burst } = body;
    const state = await setRule(context, {
      key: params.key,
      ...(isGiven(maxRunning) ? { maxRunning } : {}),
      ...(isGiven(perSecond) ? { perSecond } : {}),
      ...(isGiven(burst) ? { burst } : {}),
    });
    return ruleView(state);
  });
  mount(app, api.deleteRule, async ({ params }) => {
    await removeRule(context, params.key);
    return { deleted: true as const, key: params.key };
  });
}

function isGiven(value: number | null | undefined): value is number {
  return value !== undefined && value !== null;
}

function ruleView({ rule, running, holders, nextStartMs }: RuleState) {
  const { key, maxRunning, perSecond, burst } = rule;
  return {
    key,
    ...(maxRunning === undefined ? {} : { max_running: maxRunning }),
    ...(perSecond === undefined ? {} : { per_second: perSecond }),
    ...(burst === undefined ? {} : { burst }),
    running,
    ...(nextStartMs === undefined ? {} : { next_start_ms: nextStartMs }),
    holders: holders.map(({ commandId, worker, heldMs }) => ({
      execution_id: executionIn(commandId),
      command_id: commandId,
      worker,
      held_ms: Math.round(heldMs),
    })),
  };
}

function deadLetterRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.listDeadLetters, async ({ query }, http) => {
    const limit = pageSize(query.limit);
    const { letters, quarantined } = await givenUp(executions, limit, tenantSeen(http));
    const views = [
      ...letters.map(({ commandId, executionId, atMs, ...letter }) => ({
        atMs,
        view: { command_id: commandId, execution_id: executionId, ...letter },
      })),
      ...quarantined.map(({ executionId, reason, atMs }) => ({
        atMs,
        view: { execution_id: executionId, reason: "quarantined" as const, message: reason },
      })),
    ];
    const newest = views.sort((a, b) => b.atMs - a.atMs).slice(0, limit);
    return {
      dead_letters: newest.map(({ atMs, view }) => ({ ...view, at: new Date(atMs).toISOString() })),
    };
  });
  mount(app, api.retryDeadLetter, async ({ params }) => {
    const { executionId, status } = await retryGivenUp(executions, params.command_id);
    return { execution_id: executionId, status };
  });
  mount(app, api.dropDeadLetter, async ({ params }) => {
    await dropGivenUp(executions, params.command_id);
    return { dropped: true as const, command_id: params.command_id };
  });
}
