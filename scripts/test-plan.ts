// Owns the order of a test run: which files two processes share, which ones go on beside them, which
// come alone after them, and how long files take about, so that the longest begin first. Text in,
// text out; it starts nothing.

/** Processes that share the files; a third would have the tests of two cores wait for each other. */
export const testProcesses = 2;

/**
 * Folders whose tests mostly wait: for leases to run out, for servers to come back. One process goes
 * through them while others use the time. Never two of them at once: each has a house of processes.
 */
const waitingFolders: readonly string[] = ["tests/faults/"];

/** Tests of what a process needs, which holds only for one that nobody keeps from its work. */
const aloneFiles: readonly string[] = ["tests/tools/transfer-memory.test.ts"];

/**
 * Seconds of files that take long; any other takes about one. Only the order hangs on it: a figure
 * that is out of date costs seconds at the end of a run.
 */
const secondsOf: Readonly<Record<string, number>> = {
  "tests/binary/carried.test.ts": 12,
  "tests/binary/distributed.test.ts": 21,
  "tests/binary/embedded.test.ts": 17,
  "tests/cli/logs.test.ts": 26,
  "tests/cli/verify-all.test.ts": 16,
  "tests/cli/verify.test.ts": 9,
  "tests/contract/event-log.neon.test.ts": 34,
  "tests/contract/event-log.pglite.test.ts": 17,
  "tests/contract/stores.neon.test.ts": 16,
  "tests/control/data-directory.test.ts": 19,
  "tests/control/replicas.test.ts": 32,
  "tests/control/routes.test.ts": 31,
  "tests/control/store-trouble.postgres.test.ts": 12,
  "tests/deploy/commands.test.ts": 8,
  "tests/docs/commands.test.ts": 18,
  "tests/edge/control-deno.test.ts": 9,
  "tests/embedded/dev.test.ts": 45,
  "tests/embedded/run.test.ts": 20,
  "tests/embedded/yield.test.ts": 13,
  "tests/house/bench-command.test.ts": 11,
  "tests/house/virtual-time.test.ts": 15,
  "tests/interleaving/pairs.postgres.test.ts": 15,
  "tests/simulation/simulation.test.ts": 24,
  "tests/tools/javascript.test.ts": 10,
  "tests/tools/transfer.test.ts": 9,
  "tests/worker/process.test.ts": 14,
};
const secondsOfOthers = 1;

/** The parts of a run. */
export type TestPlan = {
  /** Files that two processes share. */
  readonly shared: readonly string[];
  /** Files for one process beside them. */
  readonly waiting: readonly string[];
  /** Files for one process when all others have ended. */
  readonly alone: readonly string[];
};

/** Splits the files of a run; each is in one part. */
export function planned(files: readonly string[]): TestPlan {
  const partOf = (file: string): keyof TestPlan => {
    if (aloneFiles.includes(file)) return "alone";
    return waitingFolders.some((folder) => file.startsWith(folder)) ? "waiting" : "shared";
  };
  const part = (name: keyof TestPlan) => files.filter((file) => partOf(file) === name);
  return { shared: part("shared"), waiting: part("waiting"), alone: part("alone") };
}

/** What the plan names, for whoever checks that it exists. */
export const plannedPaths: readonly string[] = [
  ...waitingFolders,
  ...aloneFiles,
  ...Object.keys(secondsOf),
];

/** How long each file takes, in the form that `bun test --timings` reads. */
export function timings(files: readonly string[]): string {
  const entries = files.map((file) => [file, (secondsOf[file] ?? secondsOfOthers) * 1_000]);
  return JSON.stringify({ version: 1, files: Object.fromEntries(entries) });
}
