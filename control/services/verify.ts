// Proves of executions that their log is whole and that everything beside it says the same: rows,
// commands, snapshots, projections. The system runs on meanwhile: an execution is compared at one
// head, and again if it moved while its rows were read.

import { encodeState } from "#core/engine/snapshot";
import { cutProblems } from "#core/engine/verify";
import type { ExecutionStatus } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { snapshotPartsMax, verifyProblemsMax, verifyTriesMax } from "#core/model/limits";
import type { Head } from "#core/ports/event-log";
import type { Snapshot } from "#core/ports/snapshot-store";
import type { ControlContext } from "./context.ts";
import { LogPass } from "./log-pass.ts";
import { isOwnSnapshot } from "./snapshots.ts";
import { ProjectionCheck } from "./verify-projection.ts";
import {
  childProblems,
  commandProblems,
  hasResumeRow,
  isOwedDecision,
  rowProblems,
} from "./verify-rows.ts";

export interface ExecutionVerdict {
  readonly executionId: ExecutionId;
  /** Events that were checked, and the digest of the last of them. */
  readonly events: number;
  readonly digest: string;
  readonly status: ExecutionStatus | "created";
  readonly problems: readonly string[];
}

/** @throws Fault `not_found` for an id that has neither a row nor an event. */
export async function verifyExecution(
  context: ControlContext,
  id: ExecutionId,
): Promise<ExecutionVerdict> {
  const pass = new LogPass(context, id);
  const projection = new ProjectionCheck(context, id);
  const snapshot = new SnapshotCheck(context, await context.snapshots.latest(id));
  let head = await context.log.head(id);
  for (let tries = 0; ; tries++) {
    const to = head?.seq ?? Number.MAX_SAFE_INTEGER;
    await readTo(pass, to, { snapshot, projection });
    if (pass.check.events === 0 && head === undefined) {
      throw new Fault("not_found", `execution ${id} does not exist`);
    }
    const problems = pass.stopped ? [] : await besideProblems(context, pass, head);
    const cut = pass.stopped ? [] : cutProblems(pass.check.state);
    const folded = pass.stopped ? [] : await projection.problems(pass.check.state.seq);
    const now = await context.log.head(id);
    const isSame = now?.seq === head?.seq && now?.digest === head?.digest;
    if (isSame || pass.stopped || tries >= verifyTriesMax) {
      const all = [
        ...pass.problems,
        ...cut,
        ...snapshot.problems,
        ...(isSame ? problems : []),
        ...folded,
      ];
      const verdict = verdictOf(pass, all);
      if (!isSame || all.length > 0) return verdict;
      return { ...verdict, problems: await owedProblems(context, pass) };
    }
    head = now;
  }
}

interface Beside {
  readonly snapshot: SnapshotCheck;
  readonly projection: ProjectionCheck;
}

/** Reads on, and stops at the snapshot's event, where the two states can be compared. */
async function readTo(pass: LogPass, seq: number, { snapshot, projection }: Beside): Promise<void> {
  const at = snapshot.seq;
  if (at !== undefined && pass.check.events < at && at <= seq) {
    await pass.readTo(at, (events) => projection.read(events));
    snapshot.compare(pass);
  }
  await pass.readTo(seq, (events) => projection.read(events));
}

/** What the rows say otherwise than the log, which was read to this head. */
async function besideProblems(
  context: ControlContext,
  pass: LogPass,
  head: Head | undefined,
): Promise<readonly string[]> {
  const { id, check } = pass;
  if (head === undefined) return ["the log has events and the execution has no row"];
  const [beyond] = await context.log.events(id, head.seq, 1);
  // What is compared with a head that is wrong differs in everything.
  if (beyond !== undefined) return [`event ${beyond.event.seq} stands after the head, ${head.seq}`];
  const rows = await context.repair.rowsOf(id);
  const request = { context, pass, rows };
  const quarantined = await context.log.quarantined(id);
  return [
    ...rowProblems(check.state, head),
    ...(await commandProblems(request)),
    ...(await childProblems(request)),
    ...(quarantined === undefined ? [] : [`it is quarantined: ${quarantined}`]),
  ];
}

/** A decision that was never taken, where everything else is well. */
async function owedProblems(context: ControlContext, pass: LogPass): Promise<readonly string[]> {
  const { id, check } = pass;
  // Looking for the decision takes it, in this state: nothing else may ask it any more.
  const { seq, status } = check.state;
  if (status !== "running") return [];
  const resumes = hasResumeRow(check.state, await context.repair.rowsOf(id));
  if (!(await isOwedDecision(context, pass))) return [];
  if (resumes) return [];
  const head = await context.log.head(id);
  // Whoever has moved on meanwhile has taken it.
  return head?.seq === seq ? ["the log waits for a decision, and no row resumes it"] : [];
}

function verdictOf({ id, check }: LogPass, problems: readonly string[]): ExecutionVerdict {
  const { state, events } = check;
  const { digest, status } = state;
  const told = problems.slice(0, verifyProblemsMax);
  return { executionId: id, events, digest, status, problems: told };
}

/** Compares a snapshot that this build has made with the state at its event. */
class SnapshotCheck {
  readonly problems: string[] = [];
  readonly #snapshot: Snapshot | undefined;

  constructor(
    readonly context: ControlContext,
    snapshot: Snapshot | undefined,
  ) {
    const { engineVersion } = context;
    const isOwn = snapshot !== undefined && isOwnSnapshot(snapshot, engineVersion);
    this.#snapshot = isOwn ? snapshot : undefined;
  }

  get seq(): number | undefined {
    return this.#snapshot?.seq;
  }

  compare({ check, stopped }: LogPass): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined || stopped || check.state.seq !== snapshot.seq) return;
    const text = encodeState(check.state, snapshotPartsMax);
    const same = text === snapshot.text && snapshot.digest === check.state.digest;
    if (!same) this.problems.push(`the snapshot of event ${snapshot.seq} is not what the log says`);
  }
}
