// Small playbooks by chance: branches, joins, loops, failures and recoveries, without cycles, so
// that every order of outcomes comes to the same end.

import { playbookHead, type Script } from "./playbooks.ts";
import type { Random } from "./random.ts";

const stepsMax = 6;

/** Steps lead forward only; whatever leads nowhere leads to `end`, which says what was reached. */
export function randomPlaybook(chance: Random): Script {
  const count = 1 + chance.int(stepsMax);
  const names = Array.from({ length: count }, (_, index) => (index === 0 ? "start" : `s${index}`));
  const steps = names.map((name, index) => stepText(chance, name, names.slice(index + 1)));
  const seen = names.map((name) => `"{{ ${name} | default('-') }}"`).join(", ");
  const content = `${playbookHead("sim/random")}${steps.join("")}- step: end
  tool: {kind: python, code: none, input: {value: [${seen}]}}
`;
  return { path: "sim/random", content, workload: {}, needs: [], answers: [] };
}

function stepText(chance: Random, name: string, later: readonly string[]): string {
  const isLoop = chance.chance(0.3);
  const mode = chance.chance(0.5) ? "parallel" : "sequential";
  const items = Array.from({ length: chance.int(5) }, (_, index) => index);
  const loop = `  loop: {in: [${items}], iterator: x, spec: {mode: ${mode}, max_in_flight: 2}}\n`;
  const broken = chance.chance(0.15) ? ", broken: true" : "";
  const tool = chance.chance(0.3)
    ? `{kind: noop, result: ${name}}`
    : `{kind: python, code: none, input: {value: ${name}${broken}}}`;
  return `- step: ${name}\n${isLoop ? loop : ""}  tool: ${tool}\n${arcsText(chance, later)}`;
}

function arcsText(chance: Random, later: readonly string[]): string {
  const targets = [
    ...new Set(Array.from({ length: chance.int(3) }, () => chance.pick([...later, "end"]))),
  ];
  const arcs = (targets.length === 0 ? ["end"] : targets).map((step) => {
    const kind = chance.next();
    if (kind < 0.7) return `{step: ${step}}`;
    if (kind < 0.8) return `{step: ${step}, when: "{{ false }}"}`;
    return `{step: ${step}, when: "{{ event.name == 'call.error' or stats.failed > 0 }}"}`;
  });
  // Else the way might end here, and the result be that of whichever step happens to be the last.
  if (!arcs.some((arc) => !arc.includes("when"))) arcs.push("{step: end}");
  const mode = chance.chance(0.6) ? "inclusive" : "exclusive";
  return `  next: {spec: {mode: ${mode}}, arcs: [${arcs.join(", ")}]}\n`;
}
