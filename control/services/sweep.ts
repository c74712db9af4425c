// The sweep (DESIGN §6): level-triggered repair. It looks at what is, not at messages, so that a
// lost hint, a dead worker or a dead process costs time and never work.

import { childOutput } from "#core/engine/children";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import { childTrace } from "#core/engine/trace";
import type { EventBody } from "#core/model/event";
import { Fault, messageOf, unreachable } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { dueLookMs, leaseExpiriesMax, leaseMs, sweepGapMs, sweepMs } from "#core/model/limits";
import type { CommandRow, NewCommandRow } from "#core/ports/event-log";
import type { Executions, Ruling } from "./executions.ts";
import { endExecution, startExecution } from "./lifecycle.ts";
import { wakeCommand } from "./parking.ts";
import { fetchResult } from "./results.ts";
import { type ChildDonePayload, type ChildStartPayload, isResumeRow } from "./rows.ts";
import { endWait } from "./waits.ts";

const rowsPerSweep = 200;
/** A row taken by a sweep that died is taken again after this long. */
const holdMs = 10_000;

export interface Sweeper {
  /** Looks now instead of at the next tick. */
  kick(): void;
  /** One full look, for tests and for runtimes where a cron call is the clock. */
  sweepOnce(): Promise<void>;
  stop(): Promise<void>;
}

export interface SweeperOptions {
  /** Told of what a sweep could not do; the next one tries again. */
  readonly report: (message: string) => void;
  /** No worker outlived the start of this process: leases may expire from the first sweep on. */
  readonly workersAreNew: boolean;
}

export function sweeper(executions: () => Executions, options: SweeperOptions): Sweeper {
  const { report, workersAreNew } = options;
  const stopped = new AbortController();
  let wake = new AbortController();
  let kicked = false;

  /** Only what ran before this process did is known to be dead. */
  let isFirst = workersAreNew;
  let leasesAtMs = Number.NEGATIVE_INFINITY;
  const nowMs = (): number => executions().context.clock.nowMs();
  const lookAfterLeases = async (): Promise<void> => {
    const service = executions();
    leasesAtMs = nowMs();
    await sweepLeases(service, { report, workersAreNew: isFirst });
    isFirst = false;
    service.lines.refresh(await service.context.log.queues());
  };
  /** However much there is to tell others, leases are looked after in between. */
  const sweep = async (alwaysLeases: boolean): Promise<void> => {
    const isDue = (): boolean => Math.abs(nowMs() - leasesAtMs) >= sweepMs;
    while (await sweepCross(executions(), report)) {
      kicked = false;
      if (isDue()) await lookAfterLeases();
    }
    if (alwaysLeases || isDue()) await lookAfterLeases();
  };
  const run = async (): Promise<void> => {
    const { clock } = executions().context;
    while (!stopped.signal.aborted) {
      kicked = false;
      const pauseMs = await sweep(false).then(
        () => dueLookMs,
        (thrown: unknown) => {
          report(`sweep: ${messageOf(thrown)}`);
          return sweepMs;
        },
      );
      if (kicked || stopped.signal.aborted) continue;
      wake = new AbortController();
      await clock.sleep(pauseMs, wake.signal);
    }
  };
  let running: Promise<void> | undefined;
  return {
    kick: () => {
      kicked = true;
      running ??= run();
      wake.abort();
    },
    sweepOnce: () => sweep(true),
    stop: async () => {
      stopped.abort();
      wake.abort();
      await running;
    },
  };
}

/** Acts on rows that concern another execution; true if there may be more. */
async function sweepCross(
  executions: Executions,
  report: (message: string) => void,
): Promise<boolean> {
  const { log } = executions.context;
  const rows = await log.due(rowsPerSweep, holdMs);
  const acted = await Promise.all(
    rows.map(async (row): Promise<CommandId | undefined> => {
      try {
        await act(executions, row);
        return row.commandId;
      } catch (thrown) {
        report(`${row.kind} ${row.commandId}: ${messageOf(thrown)}`);
        return undefined;
      }
    }),
  );
  // Before the rows are gone: whoever dies here leaves them to the next sweep.
  await cancelLateChildren(executions, rows);
  await log.done(acted.filter((id) => id !== undefined));
  return rows.length > 0;
}

async function act(executions: Executions, row: CommandRow): Promise<void> {
  switch (row.kind) {
    case "child.start":
      return startChild(executions, row);
    case "child.done":
      return tellParent(executions, row);
    case "child.cancel":
      return cancelChildren(executions, row);
    case "timer":
      return actOnTime(executions, row);
    case "tool":
      return;
    default:
      unreachable(row.kind);
  }
}

/** What a row of a time was kept for: the log says which. */
async function actOnTime(executions: Executions, row: CommandRow): Promise<void> {
  if (isResumeRow(row)) return executions.resume(row.executionId);
  if (await endWait(executions, row)) return;
  await wakeCommand(executions, row);
}

async function startChild(executions: Executions, row: CommandRow): Promise<void> {
  const { child, depth, priority, tenant, trace } = row.payload as unknown as ChildStartPayload;
  const { command_id, child_id, result_step } = child;
  const named = result_step === undefined ? {} : { result_step };
  const parent = { execution_id: row.executionId, command_id, depth, ...named };
  const above = { id: row.executionId, ...(trace === undefined ? {} : { trace }) };
  try {
    await startExecution(executions, {
      catalogId: child.catalog_id,
      executionId: child_id,
      workload: await workloadOf(executions, child),
      parent,
      trace: childTrace(above, command_id, executions.context.sha256),
      ...(priority === undefined ? {} : { priority }),
      ...(tenant === undefined ? {} : { tenant }),
    });
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.retryable) throw thrown;
    const error = { kind: "playbook", message: thrown.message, retryable: false };
    await settleChild(executions, { parent, child_id, status: "failed", error });
    return;
  }
}

/** A child made after its parent's cancellation starts cancelled. */
async function cancelLateChildren(
  executions: Executions,
  rows: readonly CommandRow[],
): Promise<void> {
  const starts = rows.filter(({ kind }) => kind === "child.start");
  const parents = new Set(starts.map(({ executionId }) => executionId));
  for (const parent of parents) {
    const head = await executions.context.log.head(parent);
    if (head?.row.status !== "cancelled") continue;
    for (const { executionId, payload } of starts) {
      if (executionId !== parent) continue;
      const { child } = payload as unknown as ChildStartPayload;
      await endExecution(executions, child.child_id, { reason: `parent ${parent} cancelled` });
    }
  }
}

async function workloadOf(
  executions: Executions,
  child: ChildStartPayload["child"],
): Promise<JsonObject> {
  if (child.workload_ref === undefined) return child.workload ?? {};
  const value = await fetchResult(executions.context, child.workload_ref.ref);
  return isJsonObject(value) ? value : {};
}

async function tellParent(executions: Executions, row: CommandRow): Promise<void> {
  await settleChild(executions, row.payload as unknown as ChildDonePayload);
}

/** Idempotent by the fold: a parent that knows already records nothing. */
async function settleChild(executions: Executions, done: ChildDonePayload): Promise<void> {
  const { parent, ...child } = done;
  const { clock } = executions.context;
  await executions.submit(parent.execution_id, {
    rule: (state): Ruling<undefined> => {
      const command = state.commands.get(parent.command_id);
      if (command?.child?.id !== child.child_id) return { answer: undefined };
      const event = { type: "child.done" as const, command_id: parent.command_id, ...child };
      const endedMs = Math.max(clock.nowMs(), state.timeMs);
      const { startedMs = endedMs } = command.child;
      const output = childOutput(event, command.child, endedMs);
      const settled: EventBody = {
        type: output.status === "error" ? "call.error" : "call.done",
        command_id: parent.command_id,
        attempt: command.attempt,
        output,
        duration_ms: Math.max(0, endedMs - startedMs),
      };
      return { answer: undefined, events: [event, settled] };
    },
  });
}

async function cancelChildren(executions: Executions, row: CommandRow): Promise<void> {
  const children = await executions.context.log.children(row.executionId);
  for (const child of children) {
    if (child.status !== "running") continue;
    await endExecution(executions, child.executionId, {
      reason: `parent ${row.executionId} cancelled`,
      // One that is only listed as a child goes on.
      ofParent: row.executionId,
    });
  }
}

/** Leases that ran out: the command is issued again, or fails when that has happened too often. */
async function sweepLeases(
  executions: Executions,
  { report, workersAreNew }: SweeperOptions,
): Promise<void> {
  const bounds = { limit: rowsPerSweep, againMs: holdMs, leaseMs, gapMs: sweepGapMs };
  const rows = await executions.context.log.expire({ ...bounds, workersAreNew });
  await Promise.all(
    rows.map((row) =>
      executions
        .submit(row.executionId, { rule: (state) => ruleExpiry(state, row) })
        .catch((thrown: unknown) => report(`lease ${row.commandId}: ${messageOf(thrown)}`)),
    ),
  );
}

/**
 * A lease that ran out means that its worker is lost. The command may be what killed it: it runs
 * again as a suspect, alone on a worker, and only a worker lost in that way counts against it.
 */
function ruleExpiry(state: ExecutionState, row: CommandRow): Ruling<undefined> {
  const command = state.commands.get(row.commandId);
  const stale = isTerminal(state) || command?.attempt !== row.attempt;
  // What waits has no worker to lose: the lease ran out as its last one reported.
  const waits = command?.waiting === true || command?.wait !== undefined;
  if (command === undefined || stale || waits) return { answer: undefined };
  if (row.suspect && command.unclean + 1 >= leaseExpiriesMax) {
    return { answer: undefined, events: [poisoned(row)] };
  }
  const { commandId, executionId, pool, terms, payload } = row;
  const attempt = row.attempt + 1;
  const reason = row.suspect ? "worker_died" : "lease_expired";
  const next: NewCommandRow = {
    ...{ commandId, executionId, kind: "tool", pool, attempt, terms, payload },
    suspect: true,
  };
  return {
    answer: undefined,
    events: [{ type: "command.reissued", command_id: commandId, attempt, reason }],
    extend: (builder) => builder.reissue(next),
  };
}

function poisoned({ commandId, attempt, worker = "unknown" }: CommandRow): EventBody {
  const last = `with nothing else on its worker, last on worker ${worker}`;
  const message = `the lease ran out ${leaseExpiriesMax} times ${last}`;
  return {
    type: "call.error",
    command_id: commandId,
    attempt,
    output: {
      status: "error",
      error: { kind: "lease_expired", code: "poisoned", message, retryable: false },
    },
    duration_ms: 0,
    worker,
  };
}
