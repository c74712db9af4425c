// How fast a compiled condition is evaluated, with few and with many names in its scope.

import { compileExpression } from "#core/playbook/template";
import type { Measurement } from "#scripts/bench-figure";

const condition = "output.status == 'error' and output.http.status in [429, 500]";
const rounds = 2_000_000;
const manyNames = 10_000;

function scopeOf(names: number): ReadonlyMap<string, unknown> {
  const scope = new Map<string, unknown>();
  for (let index = 0; index < names; index++) scope.set(`name_${index}`, index);
  return scope.set("output", { status: "error", data: null, http: { status: 429 } });
}

function evaluationsPerSecond(scope: ReadonlyMap<string, unknown>, quick: boolean): number {
  const template = compileExpression(condition);
  const environment = { nowMs: 0 };
  const count = quick ? 1_000 : rounds;
  let matched = 0;
  const startedAtMs = performance.now();
  for (let round = 0; round < count; round++) {
    if (template.evaluate(scope, environment) === true) matched++;
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  if (matched !== count) throw new Error(`expected ${count} matches, found ${matched}`);
  return count / seconds;
}

function take(quick: boolean): readonly number[] {
  const few = scopeOf(0);
  evaluationsPerSecond(few, quick);
  const withFew = evaluationsPerSecond(few, quick);
  return [withFew, withFew / evaluationsPerSecond(scopeOf(manyNames), quick)];
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "condition of a policy",
        unit: "evaluations/s",
        target: 5_000_000,
        better: "higher",
      },
      {
        metric: `the same with ${manyNames} names in scope, times slower`,
        unit: "×",
        target: 3,
        better: "lower",
      },
    ],
    runs: 5,
    take,
  },
];
