// What it takes to make a plan: of a very large graph from its text, of an ordinary playbook from
// its parsed text, and of one that the cache has already.

import { join } from "node:path";
import { Plans } from "#control/services/plans";
import { memoryCatalog } from "#core/adapters/memory-catalog";
import { tenantDefault } from "#core/model/dispatch";
import { catalogId } from "#core/model/ids";
import { compilePlan } from "#core/playbook/compile";
import type { CatalogEntry } from "#core/ports/catalog-store";
import type { Measurement } from "#scripts/bench-figure";
import { parsed, playbookText, sha256 } from "./bench-plans.ts";
import { usualPlanMs, usualSteps, usualText } from "./usual-plan.ts";

const largeSteps = 5_000;
const warmCompilations = 20;
/** Reads of a plan that are timed together: one is far below what the clock shows. */
const cacheReads = 100_000;

/** A graph in which every step may pass over the next one, so that each is a join as well. */
function graphText(steps: number): string {
  const named = (index: number): string => (index === 0 ? "start" : `step_${index}`);
  const lines = Array.from({ length: steps }, (_, index) => {
    const skip = `{step: ${named(index + 2)}, when: "{{ workload.skip == ${index} }}"}`;
    const arcs = [
      ...(index + 2 < steps ? [skip] : []),
      ...(index + 1 < steps ? [`{step: ${named(index + 1)}}`] : []),
    ];
    const next = arcs.length === 0 ? "" : `, next: {arcs: [${arcs.join(", ")}]}`;
    return `- {step: ${named(index)}, tool: {kind: noop}${next}}`;
  });
  return playbookText("graph", lines.join("\n"));
}

function largeGraphMs(quick: boolean): readonly number[] {
  const text = graphText(quick ? 50 : largeSteps);
  const startedAtMs = performance.now();
  const document = parsed(text);
  const parsedAtMs = performance.now();
  compilePlan(document, sha256(text));
  const endedAtMs = performance.now();
  return [endedAtMs - startedAtMs, endedAtMs - parsedAtMs];
}

/** In a process that has compiled nothing before, and in which nothing is fast yet. */
function firstPlanMs(): number {
  const child = Bun.spawnSync([process.execPath, join(import.meta.dir, "usual-plan.ts")], {
    stdin: "ignore",
  });
  const ms = Number.parseFloat(child.stdout.toString());
  if (child.exitCode === 0 && Number.isFinite(ms)) return ms;
  throw new Error(`the process that compiles a plan ended with ${child.exitCode}`);
}

/** Through a catalog id that the cache has not seen, so that the digest is what finds the plan. */
function cachedPlanMs(quick: boolean): number {
  const content = usualText();
  const entry: CatalogEntry = {
    catalogId: catalogId("400000000000000001"),
    tenant: tenantDefault,
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
    take: (quick) => {
      const compilations = quick ? 1 : warmCompilations;
      usualPlanMs(compilations);
      return [usualPlanMs(compilations)];
    },
  },
  {
    targets: [
      {
        metric: "the same plan, first in its process",
        unit: "ms",
        target: 10,
        better: "lower",
      },
    ],
    runs: 7,
    take: () => [firstPlanMs()],
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
