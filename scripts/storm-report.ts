// Judges what a storm has left behind: what is missing, what was recorded twice, what is stuck, and
// how long it took to go on after each fault.

import { isDeepStrictEqual } from "node:util";
import { type ReissueReason, terminalStatus } from "#core/model/event";
import type { FaultDone } from "./storm-faults.ts";
import type { StormHouse } from "./storm-house.ts";
import { type Run, runKeyOf } from "./storm-load.ts";
import { excerpt, outcomesTwice, type ReadLog } from "./storm-logs.ts";
import type { RecoverySample } from "./storm-recovery.ts";
import type { FaultKind } from "./storm-schedule.ts";
import type { StormTarget } from "./storm-target.ts";

export interface StormProblem {
  readonly kind: "lost" | "recorded_twice" | "stuck" | "log" | "verify" | "attempt" | "crash";
  readonly run?: string;
  readonly execution_id?: string;
  readonly what: string;
  /** The end of the execution's log. */
  readonly log?: readonly string[];
}

export interface Recovery {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
}

export interface StormCounts {
  /** Runs that were to end; sub-playbooks and doubled starts are not counted. */
  readonly executions: number;
  readonly lost: number;
  readonly recorded_twice: number;
  readonly stuck: number;
  readonly recovery_ms_p50: number | null;
  readonly recovery_ms_p99: number | null;
  readonly kills: Readonly<Partial<Record<FaultKind, number>>>;
  readonly recovery_ms: Readonly<Partial<Record<FaultKind, Recovery>>>;
  /** Commands that were issued again because a lease had run out. */
  readonly reissued: Readonly<Record<"lease_expired" | "worker_died", number>>;
  /** Starts whose answer was not heard, and executions that came of one run beside its first. */
  readonly starts: { readonly unknown: number; readonly doubled: number };
}

export interface Judged {
  readonly counts: StormCounts;
  readonly problems: readonly StormProblem[];
}

export interface Evidence {
  readonly runs: readonly Run[];
  /** All executions with their logs. */
  readonly logs: ReadonlyMap<string, ReadLog>;
  readonly effects: readonly EffectRow[];
  readonly faults: readonly FaultDone[];
  readonly samples: readonly RecoverySample[];
}

export interface EffectRow {
  readonly run: string;
  readonly item: number;
  readonly keys: number;
}

export function effectRows({ effects }: StormHouse): Promise<readonly EffectRow[]> {
  return effects.query<EffectRow>(
    "select run, item, count(*)::integer as keys from effect group by run, item",
  );
}

export function judge(evidence: Evidence): Judged {
  const { runs, logs } = evidence;
  const byRun = executionsByRun(logs);
  const problems = [
    ...runs.flatMap((run) => problemsOf(run, byRun.get(run.key) ?? [], evidence)),
    ...[...logs.values()].flatMap(logProblems),
  ];
  const of = (kind: StormProblem["kind"]): number => {
    const found = problems.filter((one) => one.kind === kind);
    return new Set(found.map((one) => one.run ?? one.execution_id)).size;
  };
  const started = [...byRun.values()].reduce((sum, { length }) => sum + length, 0);
  return {
    problems,
    counts: {
      executions: runs.length,
      lost: of("lost"),
      recorded_twice: of("recorded_twice"),
      stuck: of("stuck"),
      ...recovery(evidence),
      reissued: {
        lease_expired: reissues(logs, "lease_expired"),
        worker_died: reissues(logs, "worker_died"),
      },
      starts: {
        unknown: runs.reduce((sum, { unknown }) => sum + unknown, 0),
        doubled: started - byRun.size,
      },
    },
  };
}

type RecoveryCounts = Pick<
  StormCounts,
  "recovery_ms_p50" | "recovery_ms_p99" | "kills" | "recovery_ms"
>;

function recovery({ faults, samples }: Evidence): RecoveryCounts {
  const all = summary(samples.map(({ ms }) => ms));
  const kills: Partial<Record<FaultKind, number>> = {};
  const byKind: Partial<Record<FaultKind, Recovery>> = {};
  for (const { kind } of faults) {
    kills[kind] = (kills[kind] ?? 0) + 1;
    const own = summary(samples.flatMap((sample) => (sample.kind === kind ? sample.ms : [])));
    if (own !== undefined) byKind[kind] = own;
  }
  return {
    recovery_ms_p50: all?.p50 ?? null,
    recovery_ms_p99: all?.p99 ?? null,
    kills,
    recovery_ms: byKind,
  };
}

/** The executions of each run's key; a start that was not heard of may have made a second one. */
function executionsByRun(logs: Evidence["logs"]): ReadonlyMap<string, readonly ReadLog[]> {
  const byRun = new Map<string, ReadLog[]>();
  for (const log of logs.values()) {
    const key = runKeyOf(log.events[0]);
    if (key !== undefined) byRun.set(key, [...(byRun.get(key) ?? []), log]);
  }
  return byRun;
}

function problemsOf(
  run: Run,
  started: readonly ReadLog[],
  { logs, effects }: Evidence,
): readonly StormProblem[] {
  const { key, id, shape } = run;
  if (id !== undefined && !logs.has(id)) {
    const what = `the start was answered with execution ${id}, which is not there`;
    return [{ kind: "lost", run: key, execution_id: id, what }];
  }
  if (started.length === 0) {
    return [{ kind: "lost", run: key, what: `${shape.path} could not be started in time` }];
  }
  const ends = started.flatMap((log) => endProblem(run, log) ?? []);
  return ends.length > 0 ? ends : effectProblems(run, started.length, effects);
}

/** How the execution's end differs from what it is without faults. */
function endProblem({ key, n, shape }: Run, log: ReadLog): StormProblem | undefined {
  const about = { run: key, execution_id: log.id, log: excerpt(log) };
  const last = log.events.at(-1);
  const isEnd = last?.type === "playbook.completed" || last?.type === "playbook.failed";
  if (!isEnd) {
    return { kind: "stuck", ...about, what: `${shape.path} has not ended: ${last?.type}` };
  }
  const found = {
    status: last.type === "playbook.completed" ? "COMPLETED" : "FAILED",
    result: last.result ?? null,
    failedSteps: last.type === "playbook.failed" ? last.failed_steps : [],
  };
  const expected = shape.ending(n);
  if (isDeepStrictEqual(found, expected)) return undefined;
  const what = `${shape.path} ended as ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
  return { kind: "lost", ...about, what };
}

function effectProblems(
  { key, shape }: Run,
  executions: number,
  effects: readonly EffectRow[],
): readonly StormProblem[] {
  const own = effects.filter(({ run }) => run === key);
  const twice = own.filter(({ keys }) => keys > executions);
  const missing = shape.effects - own.filter(({ keys }) => keys >= executions).length;
  return [
    ...twice.map(({ item, keys }): StormProblem => {
      const what = `item ${item} has effects under ${keys} keys, expected ${executions}`;
      return { kind: "recorded_twice", run: key, what };
    }),
    ...(missing > 0
      ? [{ kind: "lost" as const, run: key, what: `${missing} effects are not there` }]
      : []),
  ];
}

/** An outage of the database or of the bus is no reason to do again what goes on. */
export function attemptProblems(target: Pick<StormTarget, "repeated">): readonly StormProblem[] {
  return target.repeated().map((caller) => {
    return { kind: "attempt", what: `${caller}: a call was made again though no worker was lost` };
  });
}

/** What is wrong with logs whatever they are of, and sub-playbooks that go on for ever. */
function logProblems(log: ReadLog): readonly StormProblem[] {
  const { id, events, problems } = log;
  const [first] = events;
  const isChild = first?.type === "playbook.started" && first.parent !== undefined;
  const last = events.at(-1);
  const about = { execution_id: id, log: excerpt(log) };
  return [
    ...outcomesTwice(log).map((command): StormProblem => {
      return { kind: "recorded_twice", ...about, what: `${command} has two outcomes` };
    }),
    ...problems.map((what): StormProblem => ({ kind: "log", ...about, what })),
    ...(isChild && (last === undefined || terminalStatus(last) === undefined)
      ? [{ kind: "stuck" as const, ...about, what: "a sub-playbook has not ended" }]
      : []),
  ];
}

function summary(values: readonly number[]): Recovery | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return sorted.length === 0 ? undefined : { samples: sorted.length, p50: at(0.5), p99: at(0.99) };
}

function reissues(logs: Evidence["logs"], reason: ReissueReason): number {
  return [...logs.values()].reduce(
    (sum, { events }) =>
      sum +
      events.filter((event) => event.type === "command.reissued" && event.reason === reason).length,
    0,
  );
}
