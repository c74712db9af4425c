// Makes anew what the log says and something else says otherwise: projections are dropped and
// folded again, rows are written over under the head that they were compared at. The log itself is
// never touched: damage there is told, and left.

import type { Event } from "#core/model/event";
import { terminalStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";
import { leaseMs, verifyTriesMax } from "#core/model/limits";
import type { NewCommandRow } from "#core/ports/event-log";
import type { HeldRow } from "#core/ports/log-repair";
import type { ControlContext } from "./context.ts";
import { childStarted, expectedRow, rowShapes } from "./expected-rows.ts";
import { LogPass } from "./log-pass.ts";
import { catchUp } from "./projections.ts";
import { crossRows, executionRow, resumeRow } from "./rows.ts";
import { verifyExecution } from "./verify.ts";
import {
  awaitedChildren,
  childProblems,
  commandProblems,
  hasResumeRow,
  isOwedDecision,
  planOf,
  rowProblems,
} from "./verify-rows.ts";

export interface RebuildWork {
  readonly projections: boolean;
  readonly repair: boolean;
}

export interface Rebuilt {
  readonly executionId: ExecutionId;
  readonly events: number;
  /** What was otherwise than the log, and isn't any more. */
  readonly repaired: readonly string[];
  /** What is still wrong. */
  readonly problems: readonly string[];
}

/** @throws Fault `not_found` for an id that has neither a row nor an event. */
export async function rebuildExecution(
  context: ControlContext,
  id: ExecutionId,
  { projections, repair }: RebuildWork,
): Promise<Rebuilt> {
  const repaired = repair ? await repairExecution(context, id) : [];
  if (projections) {
    await context.projections.remove([id]);
    await catchUp(context, id);
  }
  const verdict = await verifyExecution(context, id);
  return { executionId: id, events: verdict.events, repaired, problems: verdict.problems };
}

/** Puts rows, quarantine and snapshot right; gives what was wrong with them. */
async function repairExecution(
  context: ControlContext,
  id: ExecutionId,
): Promise<readonly string[]> {
  const repaired: string[] = [];
  for (let tries = 0; tries <= verifyTriesMax; tries++) {
    const tried = await tryRepair(context, id);
    if (tried === "moved") continue;
    repaired.push(...tried);
    break;
  }
  const { problems } = await verifyExecution(context, id);
  if (problems.some((problem) => problem.startsWith("the snapshot "))) {
    await context.snapshots.remove([id]);
    repaired.push("the snapshot was removed");
  }
  return repaired;
}

async function tryRepair(
  context: ControlContext,
  id: ExecutionId,
): Promise<readonly string[] | "moved"> {
  const head = await context.log.head(id);
  const pass = new LogPass(context, id);
  await pass.readTo(Number.MAX_SAFE_INTEGER);
  const { state } = pass.check;
  if (pass.problems.length > 0 || state.started === undefined) return [];
  const rows = await context.repair.rowsOf(id);
  const repaired =
    head === undefined
      ? ["the execution has no row"]
      : [...rowProblems(state, head), ...(await commandProblems({ context, pass, rows }))];
  const untold = await childProblems({ context, pass, rows });
  const wanted = await wantedRows(context, pass, rows);
  if (typeof wanted === "string") return [];
  const row = executionRow(state);
  const { seq, digest } = state;
  const found = head === undefined ? undefined : { seq: head.seq, digest: head.digest };
  const resume = resumeRow(state);
  const owed = !hasResumeRow(state, rows) && (await isOwedDecision(context, pass));
  if (owed) repaired.push("the log waits for a decision, and no row resumes it");
  if (repaired.length + untold.length > 0) {
    const all = owed ? [...wanted, resume] : wanted;
    const verdict = await context.repair.repair({
      ...{ row, head: seq, digest, found, leaseMs },
      rows: all,
    });
    if (verdict === "moved") return "moved";
  }
  const lifted = await context.log.liftQuarantine(id);
  return [...repaired, ...untold, ...(lifted ? ["the quarantine was lifted"] : [])];
}

/**
 * The rows that the log asks for; a text where they can't be put together. Rows that tell other
 * executions are left as they are, and added where nothing would be told.
 */
async function wantedRows(
  context: ControlContext,
  pass: LogPass,
  rows: readonly HeldRow[],
): Promise<readonly NewCommandRow[] | string> {
  const { state } = pass.check;
  const plan = await planOf(context, pass);
  if (plan === undefined || typeof plan === "string") return plan ?? "the execution has no start";
  const wanted: NewCommandRow[] = [];
  for (const command of rowShapes(state).keys()) {
    wanted.push(await expectedRow({ context, pass, plan }, command));
  }
  const held = new Set<string>(rows.map(({ commandId }) => commandId));
  for (const command of awaitedChildren(state)) {
    const child = await context.log.head(command.child.id);
    if (child === undefined && !held.has(`${pass.id}:start:${command.child.id}`)) {
      const started = await childStarted(pass, command);
      const events = started === undefined ? [] : [started as Event];
      wanted.push(...crossRows(state, events));
    } else if (child !== undefined && child.row.status !== "running") {
      await tellAgain(context, command.child.id);
    }
  }
  return hasResumeRow(state, rows) ? [...wanted, resumeRow(state)] : wanted;
}

/** An ended child whose end no row tells: the row is written again, by the child's last event. */
async function tellAgain(context: ControlContext, childId: ExecutionId): Promise<void> {
  const told = await context.repair.rowsOf(childId);
  if (told.some(({ kind }) => kind === "child.done")) return;
  const head = await context.log.head(childId);
  const pass = new LogPass(context, childId);
  await pass.readTo(Number.MAX_SAFE_INTEGER);
  const { state } = pass.check;
  const [last] = await context.log.events(childId, state.seq - 1, 1);
  if (head === undefined || pass.problems.length > 0 || last === undefined) return;
  if (terminalStatus(last.event) === undefined) return;
  await context.repair.repair({
    row: executionRow(state),
    head: state.seq,
    digest: state.digest,
    found: { seq: head.seq, digest: head.digest },
    rows: crossRows(state, [last.event]).filter(({ kind }) => kind === "child.done"),
    leaseMs,
  });
}
