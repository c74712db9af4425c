// A short storm over real processes, a real PostgreSQL and a real NATS: every kind of fault at least
// once, and everything ends as if nothing had happened.

import { expect, test } from "bun:test";
import { runStorm } from "#scripts/storm-run";
import { faultKinds } from "#scripts/storm-schedule";

const seed = 26;
const seconds = 10;

test("a storm of kills and cuts loses nothing, records nothing twice and leaves nothing stuck", async () => {
  const { report, output } = await runStorm({ scenario: "storm", seed, seconds });

  const { lost, recorded_twice, stuck, problems, kills } = report;
  if (!report.ok) process.stderr.write(`${output}\n`);
  expect({ problems, lost, recorded_twice, stuck }).toEqual({
    problems: [],
    lost: 0,
    recorded_twice: 0,
    stuck: 0,
  });
  expect(Object.keys(kills).sort()).toEqual([...faultKinds].sort());
  // What a killed worker had under way was done again, by somebody else.
  expect(report.repeated_calls).toBeGreaterThan(0);
}, 240_000);
