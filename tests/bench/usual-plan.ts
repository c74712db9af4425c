// The playbook of ordinary size whose plan is measured, and one compilation of it; as a process of
// its own it compiles once and prints the milliseconds.

import { compilePlan } from "#core/playbook/compile";
import { parsed, playbookText } from "./bench-plans.ts";

export const usualSteps = 50;

/** Fifty steps with four templates each: two in the tool, one set, one condition. */
export function usualText(): string {
  const api = "{{ workload.api }}/items/{{ ctx.at }}";
  const tool = `{kind: http, url: "${api}", params: {page: "{{ ctx.page | default(1) }}"}}`;
  const set = '{ctx.at: "{{ output.data.next }}"}';
  const when = "{{ output.status == 'ok' and output.http.status in [200, 201] }}";
  const steps = Array.from({ length: usualSteps }, (_, index) => {
    const name = index === 0 ? "start" : `step_${index}`;
    const to = index === usualSteps - 1 ? "start" : `step_${index + 1}`;
    const next = `{arcs: [{step: ${to}, when: "${when}"}]}`;
    return `- {step: ${name}, tool: ${tool}, set: ${set}, next: ${next}}`;
  });
  return playbookText("usual", steps.join("\n"));
}

/** Milliseconds for a plan of the parsed document, over so many compilations in a row. */
export function usualPlanMs(compilations: number): number {
  const document = parsed(usualText());
  const startedAtMs = performance.now();
  for (let made = 0; made < compilations; made++) compilePlan(document, "usual");
  return (performance.now() - startedAtMs) / compilations;
}

if (import.meta.main) console.log(usualPlanMs(1));
