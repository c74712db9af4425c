// Jobs: single tool calls that somebody puts into a running execution. Each becomes a command of no
// step: it takes no arcs, and keeps the execution from ending. What it does is taken as data, so that
// nothing in it is ever rendered.

import type { TaskSpec } from "#core/model/command";
import { isSystemPath, poolDefault, systemPool } from "#core/model/dispatch";
import type { CommandIssued, RequestEnqueued } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { jobCommandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { CommandPayload } from "./assemble.ts";
import { ReplayError } from "./replay-error.ts";
import type { ExecutionState } from "./state.ts";
import type { Turn } from "./turn.ts";

/** Where a job's action stands among the rendered fields of its command. */
const actionField = "/job";

/** Folds that a job was asked for. @throws ReplayError for one that isn't the next. */
export function jobAsked(state: ExecutionState, event: RequestEnqueued): void {
  if (event.job !== state.jobs + 1) {
    throw new ReplayError(`job ${event.job} follows job ${state.jobs}`);
  }
  const { node_id: nodeId, action, input, pool, priority } = event;
  state.jobs = event.job;
  state.awaitedJobs.set(event.job, {
    ...{ nodeId, action, input },
    ...(pool === undefined ? {} : { pool }),
    ...(priority === undefined ? {} : { priority }),
  });
}

/** Issues the command of the next job that waits for one. */
export function issueJob(turn: Turn, job: number): true {
  const { state, journal } = turn;
  const asked = state.awaitedJobs.get(job);
  invariant(asked !== undefined, `job ${job} was not asked for`);
  const { nodeId, action, input } = asked;
  const priority = asked.priority ?? state.started?.priority ?? 0;
  const isSystem = isSystemPath(state.started?.path ?? "");
  const event: CommandIssued = {
    type: "command.issued",
    step: nodeId,
    visit: 1,
    command_id: jobCommandId(state.executionId, nodeId, job),
    kind: kindOf(action),
    pool: isSystem ? systemPool : (asked.pool ?? poolDefault),
    ...(priority === 0 ? {} : { priority }),
    job,
    input: { fields: { [actionField]: action }, scope: input },
  };
  journal.emit(event);
  journal.issued.push({ event });
  return true;
}

const kindOf = ({ kind }: JsonObject): string => (typeof kind === "string" ? kind : "");

/** Whether a job keeps the execution from ending. */
export function hasOpenJob({ jobs, awaitedJobs, commands }: ExecutionState): boolean {
  if (jobs === 0) return false;
  if (awaitedJobs.size > 0) return true;
  for (const { job } of commands.values()) if (job !== undefined) return true;
  return false;
}

/** How many of an execution's jobs have not ended. */
export function openJobCount({ awaitedJobs, commands }: ExecutionState): number {
  let open = awaitedJobs.size;
  for (const { job } of commands.values()) if (job !== undefined) open++;
  return open;
}

/** The action that a command's row holds, where it is one of a job. */
function actionOf({ input }: CommandPayload): JsonObject {
  const action: Json | undefined = input?.fields[actionField];
  return action !== undefined && isJsonObject(action) ? action : {};
}

/** What a job's command does: one task, with nothing left to be filled in. */
export function jobTasks(payload: CommandPayload): readonly TaskSpec[] {
  const { kind = "", name: _, ...config } = actionOf(payload);
  return [{ label: payload.step, kind: String(kind), config, holes: [], set: [] }];
}
