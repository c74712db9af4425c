// One storm from its beginning to its verdict: a house, a load, faults, an end that is waited for,
// and what the logs then say.

import { join } from "node:path";
import { repositoryRoot } from "./install.ts";
import { type FaultDone, stormFaults } from "./storm-faults.ts";
import { type StormHouse, startHouse } from "./storm-house.ts";
import { type Run, startLoad } from "./storm-load.ts";
import { executionIds, readLogs } from "./storm-logs.ts";
import { stormMembers } from "./storm-members.ts";
import { type RecoverySample, recoveryWatch } from "./storm-recovery.ts";
import {
  attemptProblems,
  effectRows,
  type Judged,
  judge,
  type StormCounts,
  type StormProblem,
} from "./storm-report.ts";
import { type Scenario, type ScenarioName, scenarios } from "./storm-scenarios.ts";

export interface StormOptions {
  readonly scenario: ScenarioName;
  readonly seed: number;
  /** How long the load goes on; the scenario's own time without it. */
  readonly seconds?: number;
  readonly tell?: (text: string) => void;
  /** Once the house is there: how to end it early. */
  readonly onHouse?: (close: () => Promise<void>) => void;
}

export interface StormReport extends StormCounts {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly seconds: number;
  /** Slow calls that were made again: what a lost worker had under way. */
  readonly repeated_calls: number;
  readonly problems: readonly StormProblem[];
  readonly ok: boolean;
}

export interface StormResult {
  readonly report: StormReport;
  /** What the members wrote. */
  readonly output: string;
}

const [controls, workers, slots] = [2, 3, 16];
const startEveryMs = 180;
const startPatienceMs = 120_000;
/** Leases, suspects one by one, retries: after the last fault everything has ended by then. */
const settleMs = 150_000;
const lookMs = 500;
const readMs = 60_000;
const shownChars = 3_000;

/** @throws Error when the house can't be built, or the storm itself is at fault. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { scenario: name, seed, tell = () => {} } = options;
  const scenario: Scenario = scenarios[name];
  const { seconds = scenario.seconds } = options;
  const { natsStartsLater = false, firstCalls } = scenario;
  const house = await startHouse({ controls, workers, slots, natsStartsLater, firstCalls });
  const leaving: (() => void)[] = [];
  options.onHouse?.(house.close);
  try {
    tell(`${controls} control planes, ${workers} workers, seed ${seed}, ${seconds} s of load`);
    const members = stormMembers(house.cluster, tell);
    leaving.push(members.release);
    const watch = recoveryWatch(house.sql);
    const faults = stormFaults({ house, members, watch, tell });
    const load = startLoad({ house, everyMs: startEveryMs, patienceMs: startPatienceMs });
    leaving.push(load.stop);
    const enough = Bun.sleep(seconds * 1_000);
    await scenario.play({ house, members, faults, seed, seconds });
    await enough;
    await load.end();
    tell(`the load has ended with ${load.runs.length} runs; waiting for their ends`);
    const untilMs = Date.now() + settleMs;
    await ended(house, load.runs, untilMs);
    await watch.stop();
    const { samples } = watch;
    const found = await verdict({ house, runs: load.runs, faults: faults.done, samples });
    const verify = await verifyProblems(house);
    const own = [...found.problems, ...verify, ...members.crashes.map(crashProblem)];
    const burnt = scenario.burnsNoAttempt === true ? attemptProblems(house.target) : [];
    const problems = [...own, ...burnt];
    const { counts } = found;
    const repeated_calls = house.target.repeated().length;
    const report = { scenario: name, seed, seconds, ...counts, repeated_calls, problems };
    return { report: { ...report, ok: problems.length === 0 }, output: house.output() };
  } finally {
    for (const leave of leaving) leave();
    await house.close();
  }
}

/** Waits until nothing runs any more, or the time is over: what runs then is stuck. */
async function ended(house: StormHouse, runs: readonly Run[], untilMs: number): Promise<void> {
  const query = { status: "RUNNING", limit: 1 };
  while (Date.now() < untilMs) {
    const running = await house.answered(
      (client, signal) => client.listExecutions({ query }, signal),
      untilMs,
    );
    if (running.length === 0 && runs.every(({ id }) => id !== undefined)) return;
    await Bun.sleep(lookMs);
  }
}

interface Left {
  readonly house: StormHouse;
  readonly runs: readonly Run[];
  readonly faults: readonly FaultDone[];
  readonly samples: readonly RecoverySample[];
}

async function verdict({ house, ...left }: Left): Promise<Judged> {
  const untilMs = Date.now() + readMs;
  const logs = await readLogs(house, await executionIds(house, untilMs), untilMs);
  return judge({ ...left, logs, effects: await effectRows(house) });
}

/** `noetl verify --all`, as anyone would type it. */
async function verifyProblems({ cluster }: StormHouse): Promise<readonly StormProblem[]> {
  const [url = ""] = cluster.urls;
  const program = join(repositoryRoot, "cli/main.ts");
  const child = Bun.spawn(
    [process.execPath, program, "verify", "--all", "--json", "--server", url],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return [];
  const what = `noetl verify --all ended with ${code}: ${out.slice(0, shownChars)}${errors.slice(0, shownChars)}`;
  return [{ kind: "verify", what }];
}

function crashProblem(what: string): StormProblem {
  return { kind: "crash", what };
}
