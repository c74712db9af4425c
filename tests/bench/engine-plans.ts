// What it takes to make a plan: of a very large graph from its text, of an ordinary playbook from
// its parsed text, and of one that the cache has already.

import { Plans } from "#control/services/plans";
import { memoryCatalog } from "#core/adapters/memory-catalog";
import { catalogId } from "#core/model/ids";
import { compilePlan } from "#core/playbook/compile";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { CatalogEntry } from "#core/ports/catalog-store";
import type { Measurement } from "#scripts/bench-figure";
import { chainText, playbookText, sha256 } from "./bench-plans.ts";

const largeSteps = 5_000;
const usualSteps = 50;
/** Reads of a plan that are timed together: one is far below what the clock shows. */
const cacheReads = 100_000;

function parsed(text: string): PlaybookDocument {
  const parsing = parsePlaybook(text);
  if (parsing.ok) return parsing.document;
  throw new Error(`expected a playbook, found ${parsing.problems[0]?.message ?? "problems"}`);
}

/** Fifty steps with four templates each: two in the tool, one set, one condition. */
function usualText(): string {
  const steps = Array.from({ length: usualSteps }, (_, index) => {
    const name = index === 0 ? "start" : `step_${index}`;
    const tool = `{kind: http, url: "{{ workload.api }}/items/{{ ctx.at }}", params: {page: "{{ ctx.page | default(1) }}"}}`;
    const when = `{{ output.status == 'ok' and output.http.status in [200, 201] }}`;
    const next =
      index === usualSteps - 1
        ? `{arcs: [{step: start, when: "${when}"}]}`
        : `{arcs: [{step: step_${index + 1}, when: "${when}"}]}`;
    return `- {step: ${name}, tool: ${tool}, set: {ctx.at: "{{ output.data.next }}"}, next: ${next}}`;
  });
  return playbookText("usual", steps.join("\n"));
}

function largeGraphMs(quick: boolean): readonly number[] {
  const text = chainText(quick ? 50 : largeSteps);
  const startedAtMs = performance.now();
  const document = parsed(text);
  const parsedAtMs = performance.now();
  compilePlan(document, sha256(text));
  const endedAtMs = performance.now();
  return [endedAtMs - startedAtMs, endedAtMs - parsedAtMs];
}

function usualPlanMs(): number {
  const document = parsed(usualText());
  const startedAtMs = performance.now();
  compilePlan(document, "usual");
  return performance.now() - startedAtMs;
}

/** Through a catalog id that the cache has not seen, so that the digest is what finds the plan. */
function cachedPlanMs(quick: boolean): number {
  const content = usualText();
  const entry: CatalogEntry = {
    catalogId: catalogId("400000000000000001"),
    path: "usual",
    version: 1,
    kind: "Playbook",
    content,
    digest: sha256(content),
    meta: {},
    createdAtMs: 0,
  };
  const plans = new Plans(memoryCatalog());
  plans.ofEntry(entry);
  const reads = quick ? 10 : cacheReads;
  const startedAtMs = performance.now();
  for (let read = 0; read < reads; read++) {
    plans.ofEntry({ ...entry, catalogId: catalogId(String(read)) });
  }
  return (performance.now() - startedAtMs) / reads;
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: `graph of ${largeSteps} steps, parsed, checked and compiled`,
        unit: "ms",
        target: 1_000,
        better: "lower",
      },
      {
        metric: `graph of ${largeSteps} steps, compiled only`,
        unit: "ms",
        target: 1_000,
        better: "lower",
      },
    ],
    runs: 5,
    take: largeGraphMs,
  },
  {
    targets: [
      {
        metric: `plan of ${usualSteps} steps and 200 templates, parsed before`,
        unit: "ms",
        target: 10,
        better: "lower",
      },
    ],
    runs: 7,
    take: () => [usualPlanMs()],
  },
  {
    targets: [
      {
        metric: "the same plan from the cache by digest",
        unit: "ms",
        target: 0.05,
        better: "lower",
      },
    ],
    runs: 5,
    take: (quick) => [cachedPlanMs(quick)],
  },
];
