// From what the engine decided to what the write side stores: the execution's row and the rows
// of commands that were issued, settled, or concern another execution.

import type { CommandPayload } from "#core/engine/assemble";
import { framePayload } from "#core/engine/cursor";
import type { IssuedCommand } from "#core/engine/journal";
import type { ExecutionState, StepState } from "#core/engine/state";
import { traceIdOf } from "#core/engine/trace";
import { type Held, StoredValue } from "#core/engine/variables";
import { type DispatchTerms, tenantDefault } from "#core/model/dispatch";
import {
  type ChildStarted,
  type CommandIssued,
  type Event,
  type ParentLink,
  type Progress,
  terminalStatus,
} from "#core/model/event";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Failure, ResultRef } from "#core/model/outcome";
import type { CommandRow, ExecutionRow, NewCommandRow } from "#core/ports/event-log";

/** Whose an execution is: it says so in its first event, or is of the default tenant. */
export function tenantOf({ started }: Pick<ExecutionState, "started">): string {
  return started?.tenant ?? tenantDefault;
}

export function executionRow(state: ExecutionState): ExecutionRow {
  const { started } = state;
  const parentId = started?.parent?.execution_id ?? started?.origin?.parent;
  if (started === undefined) throw new Error(`execution ${state.executionId} has not started`);
  const terminal = state.status !== "running" && state.status !== "created";
  return {
    executionId: state.executionId,
    tenant: tenantOf(state),
    catalogId: started.catalogId,
    path: started.path,
    version: started.version,
    status: state.status === "created" ? "running" : state.status,
    startedAtMs: state.startedAtMs,
    ...(parentId === undefined ? {} : { parentId }),
    ...(terminal ? { endedAtMs: state.timeMs } : {}),
    ...(currentStep(state) === undefined ? {} : { currentStep: currentStep(state) ?? "" }),
    ...(state.error === undefined ? {} : { error: state.error.message }),
  };
}

function currentStep(state: ExecutionState): string | undefined {
  for (const name of state.active.keys()) return name;
  return state.lastExit;
}

/** What a command's row keeps for its worker. */
export function commandPayload(state: ExecutionState, command: IssuedCommand): CommandPayload {
  const { event, iteration } = command;
  const frame = framePayload(state, event);
  const issuedBy = state.commands.get(event.command_id)?.eventId;
  const trace = traceIdOf(state.started, state.executionId);
  return {
    catalog_id: state.started?.catalogId as CommandPayload["catalog_id"],
    path: state.started?.path ?? "",
    step: event.step,
    visit: event.visit,
    kind: event.kind,
    ...(event.input === undefined ? {} : { input: event.input }),
    ...(event.timeout_ms === undefined ? {} : { timeout_ms: event.timeout_ms }),
    ...(iteration === undefined ? {} : { iteration }),
    ...(frame === undefined ? {} : { frame }),
    ...(trace === undefined ? {} : { trace }),
    ...(event.job === undefined ? {} : { job: event.job }),
    ...(issuedBy === undefined ? {} : { event_id: issuedBy }),
  };
}

/** What a command brings into the queue. */
export function termsOf(
  { started }: Pick<ExecutionState, "started">,
  { priority = 0, kind, labels = [] }: CommandIssued,
): DispatchTerms {
  const playbook = started?.path ?? "";
  return { priority, tenant: tenantOf({ started }), playbook, tool: kind, labels };
}

/** The row that a worker will be leased. */
export function toolRow(
  state: ExecutionState,
  command: IssuedCommand,
  attempt: number,
): NewCommandRow {
  const { event } = command;
  const payload = commandPayload(state, command);
  return {
    commandId: event.command_id,
    executionId: state.executionId,
    kind: "tool",
    pool: event.pool,
    attempt,
    terms: termsOf(state, event),
    payload: payload as unknown as Json,
  };
}

export interface ChildStartPayload {
  readonly child: ChildStarted;
  readonly depth: number;
  /** The parent's own, which its children inherit. */
  readonly priority?: number;
  readonly tenant?: string;
  readonly trace?: JsonObject;
}

export interface ChildDonePayload {
  readonly parent: ParentLink;
  readonly child_id: ExecutionId;
  readonly status: "completed" | "failed" | "cancelled";
  readonly result?: Json;
  readonly result_ref?: ResultRef;
  readonly error?: Failure;
  readonly current_step?: string;
  readonly progress?: Progress;
}

/** Rows that tell other executions of these events. */
export function crossRows(
  state: ExecutionState,
  events: readonly Event[],
): readonly NewCommandRow[] {
  return events.flatMap((event) => {
    if (event.type === "child.started") return [childStartRow(state, event)];
    if (terminalStatus(event) === undefined) return [];
    const parent = state.started?.parent;
    const rows = parent === undefined ? [] : [childDoneRow(state, event, parent)];
    return event.type === "playbook.cancelled" ? [...rows, cancelRow(state, event.reason)] : rows;
  });
}

/** By this row the sweep goes on with an execution whose process died between two transitions. */
export function resumeRow(state: ExecutionState): NewCommandRow {
  return crossRow(state, "timer", "resume", {});
}

export function isResumeRow(row: Pick<CommandRow, "kind" | "commandId" | "executionId">): boolean {
  return row.kind === "timer" && row.commandId === `${row.executionId}:resume`;
}

function crossRow(
  state: ExecutionState,
  kind: NewCommandRow["kind"],
  suffix: string,
  payload: unknown,
): NewCommandRow {
  return {
    commandId: `${state.executionId}:${suffix}` as CommandId,
    executionId: state.executionId,
    kind,
    pool: "",
    attempt: 1,
    payload: payload as JsonObject,
  };
}

function childStartRow(state: ExecutionState, child: ChildStarted): NewCommandRow {
  const depth = (state.started?.parent?.depth ?? 0) + 1;
  const { priority, tenant, trace } = state.started ?? {};
  const payload: ChildStartPayload = {
    child,
    depth,
    ...(priority === undefined ? {} : { priority }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(trace === undefined ? {} : { trace }),
  };
  return crossRow(state, "child.start", `start:${child.child_id}`, payload);
}

function childDoneRow(state: ExecutionState, event: Event, parent: ParentLink): NewCommandRow {
  const status = terminalStatus(event) ?? "failed";
  const payload: ChildDonePayload = {
    parent,
    child_id: state.executionId,
    status,
    ...resultOf(stepResult(state, parent.result_step) ?? state.result),
    ...(state.error === undefined ? {} : { error: state.error }),
    ...(state.lastExit === undefined ? {} : { current_step: state.lastExit }),
    progress: progressOf(state),
  };
  return crossRow(state, "child.done", "done", payload);
}

function resultOf(held: Held | undefined): Pick<ChildDonePayload, "result" | "result_ref"> {
  if (held === undefined) return {};
  return held instanceof StoredValue ? { result_ref: held.ref } : { result: held };
}

/** What the step came to last; undefined for one that never ran, or is none. */
function stepResult({ steps }: ExecutionState, name: string | undefined): Held | undefined {
  const step: StepState | undefined = name === undefined ? undefined : steps.get(name);
  const output = step?.output;
  if (step === undefined || output === undefined) return undefined;
  const { results, stats } = step;
  if (results !== undefined && stats !== undefined) {
    return results instanceof StoredValue ? results : { results, stats: { ...stats } };
  }
  return output.ref === undefined ? (output.data ?? null) : new StoredValue(output.ref);
}

/** Of the steps that the execution came to; those that it ended in the midst of were running. */
function progressOf({ steps, failed }: ExecutionState): Progress {
  const having = (status: StepState["status"]): number =>
    [...steps.values()].filter((step) => step.status === status).length;
  return {
    total_steps: steps.size,
    completed_steps: having("completed"),
    running_steps: having("entered"),
    failed_steps: failed.size,
  };
}

function cancelRow(state: ExecutionState, reason: string | undefined): NewCommandRow {
  return crossRow(state, "child.cancel", "cancel", reason === undefined ? {} : { reason });
}
