// Playbooks for benches, and an execution of one that takes place in the engine alone.

import { decide } from "#core/engine/decide";
import type { Facts } from "#core/engine/facts";
import type { IssuedCommand } from "#core/engine/journal";
import type { Recorder } from "#core/engine/record";
import { initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import type { EventBody } from "#core/model/event";
import { catalogId, eventId, executionId } from "#core/model/ids";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { Plan } from "#core/playbook/plan";

export const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

/** Wraps a workflow in what every playbook has. */
export function playbookText(name: string, workflow: string): string {
  return `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: ${name}, path: ${name}}
workflow:
${workflow}
`;
}

/** The checked document of a text that is known to be a playbook. */
export function parsed(text: string): PlaybookDocument {
  const parsing = parsePlaybook(text);
  if (parsing.ok) return parsing.document;
  throw new Error(`expected a playbook, found ${parsing.problems[0]?.message ?? "problems"}`);
}

/** A chain of steps that do nothing, one after the other. */
export function chainText(steps: number): string {
  const lines = Array.from({ length: steps }, (_, index) => {
    const name = index === 0 ? "start" : `step_${index}`;
    const next = index === steps - 1 ? "" : `, next: {arcs: [{step: step_${index + 1}}]}`;
    return `- {step: ${name}, tool: {kind: noop}${next}}`;
  });
  return playbookText("chain", lines.join("\n"));
}

/** Ids only have to grow; the step keeps numbers of this size exact. */
function benchFacts(record: Recorder): Facts {
  let last = 200_000_000_000_000_000;
  const next = (): string => {
    last += 1_024;
    return String(last);
  };
  return {
    nowMs: 1_750_000_000_000,
    sha256,
    eventId: () => eventId(next()),
    childId: () => executionId(next()),
    results: new Map(),
    catalog: new Map(),
    record,
  };
}

const id = executionId("100000000000000001");
const output = { status: "ok", data: null } as const;

function startOf(plan: Plan): EventBody {
  return {
    type: "playbook.started",
    catalog_id: catalogId("400000000000000001"),
    path: plan.name,
    version: 1,
    plan_digest: plan.digest,
    engine_version: "bench",
    workload: plan.workload,
  };
}

/**
 * Runs a plan to its end; every command succeeds with null, oldest first, one for each call of the
 * engine, as a worker with one slot would have it.
 * @returns the number of events.
 */
export function runInEngine(plan: Plan, record: Recorder): number {
  const state = initialState(id, genesisDigest);
  const facts = benchFacts(record);
  const open: IssuedCommand[] = [];
  let incoming: readonly EventBody[] = [startOf(plan)];
  for (let settled = 0; ; ) {
    const { issued, more, needs } = decide(plan, state, facts, incoming);
    if (needs.length > 0) throw new Error("expected a bench plan to need nothing from outside");
    for (const command of issued) open.push(command);
    incoming = [];
    if (more) continue;
    const command = open[settled++];
    if (command === undefined) break;
    const { command_id } = command.event;
    incoming = [{ type: "call.done", command_id, attempt: 1, output, duration_ms: 1 }];
  }
  if (state.status !== "completed")
    throw new Error(`expected a completed run, found ${state.status}`);
  return state.seq;
}
