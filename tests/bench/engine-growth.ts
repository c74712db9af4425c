// Whether an iteration of a long loop, or a turn of a long cycle, costs more than one of a short
// one: a fold that copies, or a pass over everything, shows here as a ratio.

import { encodedRecord } from "#core/engine/record";
import type { Plan } from "#core/playbook/plan";
import type { Measurement } from "#scripts/bench-figure";
import { planOf } from "#tests/support/engine";
import { playbookText, runInEngine } from "./bench-plans.ts";

const short = 100;
const longLoop = 10_000;
const longCycle = 5_000;
const ratioMax = 1.5;
/** Short runs that are timed together, so that the clock has something to measure. */
const shortRuns = 50;

function loopPlan(iterations: number): Plan {
  const loop = `{in: "{{ range(${iterations}) }}", iterator: x, spec: {mode: sequential}}`;
  return planOf(
    playbookText("loop", `- {step: start, loop: ${loop}, tool: {kind: noop, m: "{{ iter.x }}"}}`),
  );
}

/** One step that leads back to itself until it has been entered so often. */
function cyclePlan(turns: number): Plan {
  const next = `{arcs: [{step: turn, when: "{{ ctx.n < ${turns} }}"}]}`;
  const turn = `- {step: turn, tool: {kind: noop}, set: {ctx.n: "{{ ctx.n + 1 }}"}, next: ${next}}`;
  const start =
    '- {step: start, tool: {kind: noop}, set: {ctx.n: "{{ 0 }}"}, next: {arcs: [{step: turn}]}}';
  return planOf(playbookText("cycle", `${start}\n${turn}`));
}

/** A ring of so many steps that is gone round once. */
function ringPlan(steps: number): Plan {
  const lines = Array.from({ length: steps }, (_, index) => {
    const name = index === 0 ? "start" : `step_${index}`;
    const isLast = index === steps - 1;
    const arc = isLast
      ? '{step: start, when: "{{ workload.again }}"}'
      : `{step: step_${index + 1}}`;
    return `- {step: ${name}, tool: {kind: noop}, next: {arcs: [${arc}]}}`;
  });
  return planOf(playbookText("ring", lines.join("\n")));
}

function msPerIteration(plan: Plan, iterations: number, runs: number): number {
  const startedAtMs = performance.now();
  for (let run = 0; run < runs; run++) runInEngine(plan, encodedRecord);
  return (performance.now() - startedAtMs) / (iterations * runs);
}

function growth(planOfSize: (size: number) => Plan, size: number, quick: boolean): number {
  const long = quick ? 2 * short : size;
  const [shortPlan, longPlan] = [planOfSize(short), planOfSize(long)];
  msPerIteration(shortPlan, short, quick ? 1 : shortRuns);
  const shortMs = msPerIteration(shortPlan, short, quick ? 1 : shortRuns);
  return msPerIteration(longPlan, long, 1) / shortMs;
}

function ratio(metric: string, planOfSize: (size: number) => Plan, size: number): Measurement {
  return {
    targets: [{ metric, unit: "×", target: ratioMax, better: "lower" }],
    runs: 5,
    take: (quick) => [growth(planOfSize, size, quick)],
  };
}

export const measurements: readonly Measurement[] = [
  ratio(`iteration of a loop of ${longLoop}, to one of ${short}`, loopPlan, longLoop),
  ratio(`turn of a cycle that turns ${longCycle} times, to ${short}`, cyclePlan, longCycle),
  ratio(`step of a cycle of ${longCycle} steps, to one of ${short}`, ringPlan, longCycle),
];
