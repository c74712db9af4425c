// Compares the write side of one execution with what its log comes to: the execution's row, the
// rows of its open commands, what other executions are still to be told, and whether a decision
// is owed that nothing will take.

import { decide } from "#core/engine/decide";
import type { ExecutionState, OpenCommand } from "#core/engine/state";
import { canonicalJson } from "#core/model/canonical-json";
import { Fault, messageOf } from "#core/model/fault";
import { type CommandId, type ExecutionId, eventId, executionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { verifyPayloadsMax } from "#core/model/limits";
import { storableText } from "#core/model/storable-text";
import type { Plan } from "#core/playbook/plan";
import type { Head } from "#core/ports/event-log";
import type { HeldRow } from "#core/ports/log-repair";
import type { ControlContext } from "./context.ts";
import { expectedRow, rowShapes } from "./expected-rows.ts";
import type { LogPass } from "./log-pass.ts";
import { executionRow, isResumeRow, resumeRow } from "./rows.ts";

/** What the row of the execution says otherwise than its log. */
export function rowProblems(state: ExecutionState, head: Head): readonly string[] {
  const problems: string[] = [];
  if (head.seq !== state.seq) {
    problems.push(`the row's head is ${head.seq}, the log ends with event ${state.seq}`);
  } else if (head.digest !== state.digest) {
    problems.push(`the row's digest is ${head.digest}, the log's is ${state.digest}`);
  }
  if (state.started === undefined) return problems;
  const expected: Readonly<Record<string, unknown>> = { ...executionRow(state) };
  const found: Readonly<Record<string, unknown>> = { ...head.row };
  for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const wanted = expected[name];
    const stored = typeof wanted === "string" ? storableText(wanted) : wanted;
    if (stored === found[name]) continue;
    problems.push(`the row's ${name} is ${shown(found[name])}, the log says ${shown(stored)}`);
  }
  return problems;
}

/** Texts of failures may quote anything: they are compared and not told. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = String(value);
  return text.length > 80 ? `a text of ${text.length} characters` : text;
}

export interface RowsRequest {
  readonly context: ControlContext;
  readonly pass: LogPass;
  readonly rows: readonly HeldRow[];
}

/** What is wrong with the rows of open commands. */
export async function commandProblems(request: RowsRequest): Promise<readonly string[]> {
  const { pass, rows } = request;
  const { state } = pass.check;
  const shapes = rowShapes(state);
  const byId = new Map(rows.map((row) => [row.commandId, row]));
  const problems: string[] = [];
  for (const [{ commandId }, { kind, attempt }] of shapes) {
    const row = byId.get(commandId);
    if (row === undefined) problems.push(`command ${commandId} is open and has no row`);
    else if (row.kind !== kind || row.attempt !== attempt || row.executionId !== pass.id) {
      const found = `${row.kind} at attempt ${row.attempt} of execution ${row.executionId}`;
      problems.push(`the row of command ${commandId} is ${found}, expected ${kind} ${attempt}`);
    }
  }
  const open = new Set([...shapes.keys()].map(({ commandId }) => commandId));
  for (const row of rows) {
    if ((row.kind === "tool" || row.kind === "timer") && !open.has(row.commandId)) {
      if (isResumeRow(row) && state.status === "running") continue;
      problems.push(`row ${row.commandId} (${row.kind}) belongs to no open command`);
    }
  }
  if (problems.length > 0) return problems;
  return payloadProblems(request, byId);
}

/** What workers would be given, against what the log says; of some commands, for the effort. */
async function payloadProblems(
  { context, pass }: RowsRequest,
  rows: ReadonlyMap<CommandId, HeldRow>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const open = [...rowShapes(pass.check.state).keys()].slice(0, verifyPayloadsMax);
  const plan = open.length === 0 ? undefined : await planOf(context, pass);
  if (typeof plan === "string") return [plan];
  if (plan === undefined) return [];
  for (const command of open) {
    const row = rows.get(command.commandId);
    if (row === undefined) continue;
    const expected = await expectedRow({ context, pass, plan }, command).catch(asProblem);
    if (typeof expected === "string") {
      problems.push(`command ${command.commandId} can't be put together: ${expected}`);
    } else if (canonicalJson(expected.payload) !== canonicalJson(row.payload)) {
      problems.push(`the row of command ${command.commandId} has another payload than the log`);
    } else if (expected.pool !== row.pool) {
      problems.push(`the row of command ${command.commandId} is in pool ${row.pool}`);
    }
  }
  return problems;
}

/** A value that isn't there, or a playbook, is a finding; a store that is away is not. */
function asProblem(thrown: unknown): string {
  if (thrown instanceof Fault && thrown.retryable) throw thrown;
  return messageOf(thrown);
}

/** The plan that the execution is pinned to, or why there is none. */
export async function planOf(
  context: ControlContext,
  { check: { state } }: LogPass,
): Promise<Plan | string | undefined> {
  if (state.started === undefined) return undefined;
  return context.plans.byCatalogId(state.started.catalogId).catch(asProblem);
}

/**
 * Sub-playbooks that would never start, and parents that would never hear of their child's end.
 * Each row is looked for in the order that makes its absence mean something: a start is acted on
 * before its row goes, an end is told before its row goes.
 */
export async function childProblems({
  context,
  pass,
  rows,
}: RowsRequest): Promise<readonly string[]> {
  const { state } = pass.check;
  const problems: string[] = [];
  const ids = new Set<string>(rows.map(({ commandId }) => commandId));
  for (const { child, commandId } of awaitedChildren(state)) {
    const head = await context.log.head(child.id);
    if (head === undefined) {
      if (ids.has(`${pass.id}:start:${child.id}`)) continue;
      problems.push(`child ${child.id} of command ${commandId} never starts: no row asks for it`);
    } else if (head.row.status !== "running") {
      const told = await context.repair.rowsOf(child.id);
      if (told.some(({ kind }) => kind === "child.done")) continue;
      problems.push(`the end of child ${child.id} is told by no row, ${commandId} waits for it`);
    }
  }
  return problems;
}

export type ChildCommand = OpenCommand & {
  readonly child: NonNullable<OpenCommand["child"]>;
};

export function awaitedChildren(state: ExecutionState): readonly ChildCommand[] {
  if (state.status !== "running") return [];
  return [...state.commands.values()].filter(
    (command): command is ChildCommand => command.child !== undefined,
  );
}

/**
 * Whether the log waits for a decision of the engine: what follows from it was not appended with
 * it. A row that resumes it makes that good. The state is worthless afterwards.
 */
export async function isOwedDecision(context: ControlContext, pass: LogPass): Promise<boolean> {
  const { state } = pass.check;
  const plan = await planOf(context, pass);
  if (plan === undefined || typeof plan === "string" || state.status !== "running") return false;
  const { sha256 } = context;
  const facts = {
    nowMs: state.timeMs,
    sha256,
    eventId: () => eventId(String(BigInt(state.eventId ?? 0) + 1n)),
    childId: (): ExecutionId => executionId("1"),
    results: new Map<string, Json>(),
    catalog: new Map(),
  };
  const { events, needs } = decide(plan, state, facts, []);
  return events.length > 0 || needs.length > 0;
}

export function hasResumeRow(state: ExecutionState, rows: readonly HeldRow[]): boolean {
  const { commandId } = resumeRow(state);
  return rows.some((row) => row.commandId === commandId);
}
