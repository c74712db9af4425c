// Single disasters over real processes: each takes one thing away under load, and everything has to
// end as it would have without.

import { expect, test } from "bun:test";
import { runStorm, type StormReport } from "#scripts/storm-run";
import type { ScenarioName } from "#scripts/storm-scenarios";

const limitMs = 180_000;

/** Plays a scenario to its verdict, which must be clean; its report, to look at further. */
async function survived(scenario: ScenarioName, seconds?: number): Promise<StormReport> {
  const asked = { scenario, seed: 1, ...(seconds === undefined ? {} : { seconds }) };
  const { report, output } = await runStorm(asked);
  if (!report.ok) process.stderr.write(`${output}\n`);
  expect(report.problems).toEqual([]);
  return report;
}

test(
  "without faults every playbook of the load ends as it is expected to",
  async () => {
    const { kills, reissued } = await survived("calm");

    expect(kills).toEqual({});
    expect(reissued).toEqual({ lease_expired: 0, worker_died: 0 });
  },
  limitMs,
);

test(
  "a NATS server that was never there costs no execution",
  async () => {
    const { executions, reissued } = await survived("nats-absent", 4);

    expect(executions).toBeGreaterThan(10);
    expect(reissued).toEqual({ lease_expired: 0, worker_died: 0 });
  },
  limitMs,
);

test(
  "a database killed under load loses nothing, and nothing that goes on is done again",
  async () => {
    const { kills } = await survived("postgres-killed", 4);

    expect(kills.postgres_killed).toBeGreaterThan(0);
  },
  limitMs,
);

test(
  "all workers killed at once: their commands run again, and each outcome is recorded once",
  async () => {
    const { reissued } = await survived("workers-killed", 4);

    expect(reissued.lease_expired).toBeGreaterThan(0);
  },
  limitMs,
);
