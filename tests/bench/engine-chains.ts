// How many events a second the engine decides and folds in chains of ten steps that do nothing.

import { encodedRecord, plainRecord, type Recorder } from "#core/engine/record";
import type { Measurement } from "#scripts/bench-figure";
import { planOf } from "#tests/support/engine";
import { chainText, runInEngine } from "./bench-plans.ts";

const chainSteps = 10;
const warmChains = 2_000;
const chains = 10_000;

function eventsPerSecond(record: Recorder, quick: boolean): number {
  const plan = planOf(chainText(chainSteps));
  for (let chain = 0; chain < (quick ? 1 : warmChains); chain++) runInEngine(plan, record);
  let events = 0;
  const startedAtMs = performance.now();
  for (let chain = 0; chain < (quick ? 10 : chains); chain++) events += runInEngine(plan, record);
  return (events / (performance.now() - startedAtMs)) * 1_000;
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "10-step chains, decide and evolve",
        unit: "events/s",
        target: 400_000,
        better: "higher",
      },
    ],
    runs: 5,
    take: (quick) => [eventsPerSecond(plainRecord, quick)],
  },
  {
    targets: [
      {
        metric: "10-step chains, with codec and digest",
        unit: "events/s",
        target: 200_000,
        better: "higher",
      },
    ],
    runs: 5,
    take: (quick) => [eventsPerSecond(encodedRecord, quick)],
  },
];
