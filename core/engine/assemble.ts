// Puts a command together from the plan's static text and what rendering produced: the log keeps
// only the latter, since the former never changes under its pinned version.

import type { FrameBinding, IterationBinding, TaskSpec, WorkerCommand } from "#core/model/command";
import type { CommandInput } from "#core/model/event";
import { invariant } from "#core/model/fault";
import type { CatalogId, CommandId, EventId, ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Plan, PlanField, PlanStep } from "#core/playbook/plan";
import { jobTasks } from "./jobs.ts";

/** The tasks of a step with their rendered fields in place. */
export function assembleTasks(
  step: PlanStep,
  input: CommandInput | undefined,
): readonly TaskSpec[] {
  return step.tasks.map((task, index) => {
    const fields = step.fields.filter((field) => field.task === index);
    return fields.length === 0
      ? task
      : { ...task, config: filled(task.config, fields, input?.fields ?? {}) as JsonObject };
  });
}

function filled(config: Json, fields: readonly PlanField[], values: JsonObject): Json {
  let result = config;
  for (const field of fields) result = replaced(result, field.at, values[field.pointer] ?? null);
  return result;
}

/** A copy with the value at the path; what lies beside the path is shared, not copied. */
function replaced(whole: Json, at: readonly (string | number)[], value: Json): Json {
  const [key, ...rest] = at;
  if (key === undefined) return value;
  if (Array.isArray(whole)) {
    const list: Json[] = [...whole];
    list[Number(key)] = replaced(list[Number(key)] ?? null, rest, value);
    return list;
  }
  const map = isJsonObject(whole) ? whole : {};
  return { ...map, [key]: replaced(map[key] ?? null, rest, value) };
}

/** What a frame's row keeps, beside what the playbook says of its loop; rows only once recorded. */
export type FramePayload = Omit<FrameBinding, "iterator" | "driver" | "claim">;

/** What a command row keeps for its worker, beside the pinned playbook. */
export interface CommandPayload {
  readonly catalog_id: CatalogId;
  readonly path: string;
  readonly step: string;
  readonly visit: number;
  readonly kind: string;
  readonly input?: CommandInput;
  readonly iteration?: IterationBinding;
  readonly frame?: FramePayload;
  readonly timeout_ms?: number;
  readonly checkpoint?: JsonObject;
  /** The event that issued it. */
  readonly event_id?: EventId;
  /** Of a job: its number. Its action stands among the fields of `input`. */
  readonly job?: number;
  /** The id of the trace that the execution belongs to. */
  readonly trace?: string;
}

export interface LeasedCommand {
  readonly commandId: CommandId;
  readonly executionId: ExecutionId;
  readonly attempt: number;
  readonly pool: string;
  readonly leaseMs: number;
  readonly suspect?: boolean;
}

/** The command as a worker is given it. */
export function assembleCommand(
  step: PlanStep,
  payload: CommandPayload,
  leased: LeasedCommand,
): WorkerCommand {
  return {
    ...assembled(payload, leased, assembleTasks(step, payload.input)),
    ...(payload.iteration === undefined ? {} : { iteration: payload.iteration }),
    ...(payload.frame === undefined ? {} : { frame: frameBinding(step, payload.frame, payload) }),
  };
}

/** What every command has, whether it is of a step or of a job. */
function assembled(
  payload: CommandPayload,
  leased: LeasedCommand,
  tasks: readonly TaskSpec[],
): WorkerCommand {
  return {
    command_id: leased.commandId,
    execution_id: leased.executionId,
    catalog_id: payload.catalog_id,
    path: payload.path,
    step: payload.step,
    visit: payload.visit,
    attempt: leased.attempt,
    kind: payload.kind,
    pool: leased.pool,
    lease_ms: leased.leaseMs,
    ...(payload.timeout_ms === undefined ? {} : { timeout_ms: payload.timeout_ms }),
    tasks,
    scope: payload.input?.scope ?? {},
    ...(leased.suspect === true ? { alone: true } : {}),
    ...(payload.checkpoint === undefined ? {} : { checkpoint: payload.checkpoint }),
    ...(payload.trace === undefined ? {} : { trace: payload.trace }),
  };
}

/** The same, found in the plan; undefined for a step that the plan doesn't have. */
export function workerCommand(
  plan: Pick<Plan, "byName">,
  payload: CommandPayload,
  leased: LeasedCommand,
): WorkerCommand | undefined {
  if (payload.job !== undefined) return assembled(payload, leased, jobTasks(payload));
  const step = plan.byName.get(payload.step);
  return step === undefined ? undefined : assembleCommand(step, payload, leased);
}

function frameBinding(
  { name, loop }: PlanStep,
  frame: FramePayload,
  { input }: CommandPayload,
): FrameBinding {
  invariant(loop?.cursor !== undefined, `step ${name} has no cursor, and a frame was issued`);
  const { driver, claim, fields } = loop.cursor;
  const config = filled(claim.config, fields, input?.fields ?? {}) as JsonObject;
  return { ...frame, iterator: loop.iterator, driver, claim: { ...claim, config } };
}
