// What the API shows of executions: rows, states and events in the words of the wire contract.

import type { Facts } from "#core/engine/facts";
import { ExecutionScope, type Locals, locals } from "#core/engine/scope";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import { StoredValue } from "#core/engine/variables";
import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { compileValue, renderValue } from "#core/playbook/value";
import type { ExecutionRow, StoredEvent } from "#core/ports/event-log";
import type { Api } from "#core/wire/api";
import type { RouteAnswer } from "#core/wire/route";
import type { Executions } from "./executions.ts";
import { fetchResults } from "./results.ts";

type Summary = RouteAnswer<Api["listExecutions"]["parts"]>[number];
type Detail = RouteAnswer<Api["getExecution"]["parts"]>;
type Status = RouteAnswer<Api["executionStatus"]["parts"]>;
type EventView = RouteAnswer<Api["executionEvents"]["parts"]>["events"][number];

const rfc3339 = (timeMs: number): string => new Date(timeMs).toISOString();

export function summaryOf(row: ExecutionRow): Summary {
  const { endedAtMs, currentStep, parentId, error } = row;
  return {
    execution_id: row.executionId,
    catalog_id: row.catalogId,
    path: row.path,
    version: row.version,
    status: row.status.toUpperCase(),
    start_time: rfc3339(row.startedAtMs),
    ...(endedAtMs === undefined
      ? {}
      : {
          end_time: rfc3339(endedAtMs),
          duration_seconds: (endedAtMs - row.startedAtMs) / 1000,
          duration_human: humanDuration(endedAtMs - row.startedAtMs),
        }),
    ...(currentStep === undefined ? {} : { current_step: currentStep }),
    ...(parentId === undefined ? {} : { parent_execution_id: parentId }),
    ...(error === undefined ? {} : { error }),
    ...(row.status === "completed" ? { progress: 100 } : {}),
  };
}

/** `1h 02m 03s`, `4m 05s`, `6.7s`. */
function humanDuration(durationMs: number): string {
  const wholeSeconds = Math.floor(durationMs / 1000);
  if (wholeSeconds < 60) return `${(durationMs / 1000).toFixed(1)}s`;
  const two = (part: number): string => String(part).padStart(2, "0");
  const minutes = Math.floor(wholeSeconds / 60) % 60;
  const seconds = `${two(wholeSeconds % 60)}s`;
  if (wholeSeconds < 3600) return `${minutes}m ${seconds}`;
  return `${Math.floor(wholeSeconds / 3600)}h ${two(minutes)}m ${seconds}`;
}

/** The state as the log has it; ended executions are rebuilt for the look. */
async function stateOf(executions: Executions, id: ExecutionId): Promise<ExecutionState> {
  const state = await executions.states.replay(id);
  if (state.started === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  return state;
}

export async function executionDetail(executions: Executions, id: ExecutionId): Promise<Detail> {
  const head = await executions.context.log.head(id);
  if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  const state = await stateOf(executions, id);
  return {
    ...summaryOf(head.row),
    ...resultOf(state),
    failed_steps: [...state.failed.keys()],
    steps: [...state.steps].map(([step, { status, visits }]) => ({ step, status, visits })),
  };
}

function resultOf(state: ExecutionState): { result?: unknown; result_ref?: JsonObject } {
  const { result } = state;
  if (result === undefined) return {};
  if (result instanceof StoredValue)
    return { result_ref: { ...result.ref } as unknown as JsonObject };
  return { result };
}

export async function executionStatus(executions: Executions, id: ExecutionId): Promise<Status> {
  const state = await stateOf(executions, id);
  const named = (status: string): string[] =>
    [...state.steps].filter(([, step]) => step.status === status).map(([name]) => name);
  const [running] = state.active.keys();
  const endMs = isTerminal(state) ? state.timeMs : executions.context.clock.nowMs();
  return {
    execution_id: id,
    status: state.status.toUpperCase(),
    current_step: running ?? state.lastExit ?? null,
    completed_steps: named("completed"),
    running_steps: [...state.active.keys()],
    failed_steps: [...state.failed.keys()],
    completed: state.status === "completed",
    failed: state.status === "failed",
    is_cancelled: state.status === "cancelled",
    completion_inferred: false,
    variables: plainVariables(state),
    jobs: { asked: state.jobs, open: openJobs(state) },
    start_time: rfc3339(state.startedAtMs),
    end_time: isTerminal(state) ? rfc3339(state.timeMs) : null,
    duration_seconds: (endMs - state.startedAtMs) / 1000,
    duration_human: humanDuration(endMs - state.startedAtMs),
  };
}

/** Commands of jobs that have not ended, by id. */
function openJobs({ commands }: ExecutionState): string[] {
  return [...commands.values()].flatMap(({ job, commandId }) =>
    job === undefined ? [] : [commandId],
  );
}

/** Variables by name; one that is stored shows as its reference. */
export function plainVariables(state: ExecutionState): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state.variables).map(([name, value]) => [
      name,
      value instanceof StoredValue ? value.ref : value,
    ]),
  );
}

export async function variablesOf(
  executions: Executions,
  id: ExecutionId,
): Promise<Record<string, unknown>> {
  return plainVariables(await stateOf(executions, id));
}

const envelopeFields: ReadonlySet<string> = new Set([
  "execution_id",
  "seq",
  "event_id",
  "time",
  "schema_version",
  "type",
  "step",
  "command_id",
  "attempt",
  "worker",
  "duration_ms",
  "output",
]);

/** An event in the reconciled envelope of the wire contract. */
export function eventView(
  { event, digest }: Pick<StoredEvent, "event" | "digest">,
  row: Pick<ExecutionRow, "catalogId" | "parentId">,
): EventView {
  const context = Object.fromEntries(
    Object.entries(event).filter(([key]) => !envelopeFields.has(key)),
  );
  const output = "output" in event ? event.output : undefined;
  const step = stepOf(event);
  return {
    event_id: event.event_id,
    execution_id: event.execution_id,
    catalog_id: row.catalogId,
    ...(row.parentId === undefined ? {} : { parent_execution_id: row.parentId }),
    seq: event.seq,
    event_type: event.type,
    status: statusOfEvent(event),
    event_time: rfc3339(event.time),
    created_at: rfc3339(event.time),
    schema_version: event.schema_version,
    digest,
    ...(step === undefined ? {} : { step, node_name: step }),
    ...("command_id" in event && event.command_id !== undefined
      ? { command_id: event.command_id }
      : {}),
    ...("attempt" in event ? { attempt: event.attempt } : {}),
    ...("worker" in event && event.worker !== undefined ? { worker_id: event.worker } : {}),
    ...("duration_ms" in event ? { duration: event.duration_ms / 1000 } : {}),
    ...errorOf(event, output),
    context,
    ...(output === undefined ? {} : { result: resultView(output) }),
  };
}

/** Events about a command name its step in the command's id: `<execution>:<step>:<visit>`. */
export function stepOf(event: Event): string | undefined {
  if ("step" in event && event.step !== undefined) return event.step;
  if (!("command_id" in event) || event.command_id === undefined) return undefined;
  return /^\d+:(.*):(?:\d+(?::[if]\d+)?|q\d+)$/s.exec(event.command_id)?.[1];
}

function errorOf(event: Event, output: Output | undefined): { error?: string } {
  const failure = "error" in event ? event.error : output?.error;
  return failure === undefined ? {} : { error: failure.message };
}

/** `{status, reference?, context?}`, the only keys that a result may have on the wire. */
function resultView(output: Output): Record<string, unknown> {
  const { status, ref, ...context } = output;
  return { status, ...(ref === undefined ? {} : { reference: ref }), context };
}

export function statusOfEvent(event: Event): string {
  switch (event.type) {
    case "playbook.started":
    case "child.started":
      return "STARTED";
    case "step.enter":
      return "ENTERED";
    case "command.issued":
    case "command.reissued":
      return "PENDING";
    case "call.error":
    case "playbook.failed":
      return "FAILED";
    case "step.exit":
      return event.status.toUpperCase();
    case "step.skipped":
      return "SKIPPED";
    case "wait.done":
      return event.output.status === "error" ? "FAILED" : "COMPLETED";
    case "playbook.cancelled":
      return "CANCELLED";
    case "command.yielded":
    case "wait.parked":
      return "WAITING";
    default:
      return "COMPLETED";
  }
}

export interface RenderRequest {
  readonly template: Json;
  readonly extra: JsonObject;
  readonly strict: boolean;
}

/**
 * Renders a value's templates against an execution as it stands.
 * @throws Fault `invalid` for a template that doesn't parse or, when strict, doesn't evaluate.
 */
export async function renderContext(
  executions: Executions,
  id: ExecutionId,
  request: RenderRequest,
): Promise<{ readonly rendered: unknown; readonly keys: readonly string[] }> {
  const state = await stateOf(executions, id);
  const { results, facts } = await storedValues(executions, state);
  const { workload } = state;
  const work = workload instanceof StoredValue ? results.get(workload.ref.ref) : workload;
  // `work` is what older clients call the workload.
  const bound: Locals = locals({ ...(work === undefined ? {} : { work }), ...request.extra });
  const scope = new ExecutionScope(state, facts, { bound });
  try {
    const compiled = compileValue(request.template);
    const rendered = renderValue(compiled, scope, { nowMs: facts.nowMs }) ?? null;
    return { rendered, keys: contextKeys(state, request.extra, results) };
  } catch (thrown) {
    if (!request.strict) return { rendered: request.template, keys: [] };
    throw new Fault("invalid", `the template can't be rendered: ${messageOf(thrown)}`);
  }
}

function contextKeys(
  state: ExecutionState,
  extra: JsonObject,
  results: ReadonlyMap<string, Json>,
): readonly string[] {
  const workload =
    state.workload instanceof StoredValue ? results.get(state.workload.ref.ref) : state.workload;
  return [
    ...new Set([
      ...(isJsonObject(workload) ? Object.keys(workload) : []),
      ...[...state.steps].filter(([, step]) => step.output !== undefined).map(([name]) => name),
      ...Object.keys(state.variables),
      ...Object.keys(extra),
      "workload",
      "ctx",
      "steps",
      "execution_id",
    ]),
  ];
}

/** A look at an execution may read any stored value: they are fetched ahead. */
async function storedValues(
  executions: Executions,
  state: ExecutionState,
): Promise<{ readonly results: ReadonlyMap<string, Json>; readonly facts: Facts }> {
  const refs = new Set<string>();
  const note = (value: unknown): void => {
    if (value instanceof StoredValue) refs.add(value.ref.ref);
  };
  note(state.workload);
  for (const value of Object.values(state.variables)) note(value);
  for (const step of state.steps.values()) {
    note(step.results);
    if (step.output?.ref !== undefined) refs.add(step.output.ref.ref);
    if (step.output?.tasks_ref !== undefined) refs.add(step.output.tasks_ref.ref);
  }
  const results = await fetchResults(executions.context, [...refs]);
  const { clock, ids, sha256 } = executions.context;
  const facts: Facts = {
    nowMs: clock.nowMs(),
    sha256,
    eventId: (after) => ids.eventId(after),
    childId: () => ids.executionId(),
    results,
    catalog: new Map(),
  };
  return { results, facts };
}
