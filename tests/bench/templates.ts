// How fast a compiled condition is evaluated, with few and with many names in its scope.

import { compileExpression } from "#core/playbook/template";

export interface TemplateFigure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

const condition = "output.status == 'error' and output.http.status in [429, 500]";
const rounds = 2_000_000;
const manyNames = 10_000;

/** Evaluations a second of a policy condition, by the number of names in scope. */
export function templateFigures(): readonly TemplateFigure[] {
  const few = scopeOf(0);
  const many = scopeOf(manyNames);
  evaluationsPerSecond(few);
  return [
    {
      metric: "template condition, few names in scope",
      value: evaluationsPerSecond(few),
      unit: "evaluations/s",
    },
    {
      metric: `template condition, ${manyNames} names in scope`,
      value: evaluationsPerSecond(many),
      unit: "evaluations/s",
    },
  ];
}

function scopeOf(names: number): ReadonlyMap<string, unknown> {
  const scope = new Map<string, unknown>();
  for (let index = 0; index < names; index++) scope.set(`name_${index}`, index);
  return scope.set("output", { status: "error", data: null, http: { status: 429 } });
}

function evaluationsPerSecond(scope: ReadonlyMap<string, unknown>): number {
  const template = compileExpression(condition);
  const environment = { nowMs: 0 };
  let matched = 0;
  const startedAtMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (template.evaluate(scope, environment) === true) matched++;
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  if (matched !== rounds) throw new Error(`expected ${rounds} matches, found ${matched}`);
  return Math.round(rounds / seconds);
}
