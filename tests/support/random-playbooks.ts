// Random playbooks with branches, joins, cycles, loops, guards, waits and failures, and random lives of
// their executions: outcomes of all sorts in any order, attempts that are lost, waits for a time,
// answers that come before anybody waits for them.

import fc from "fast-check";
import type { IssuedCommand } from "#core/engine/journal";
import type { Json } from "#core/model/json";
import { inlineBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import type { PlaybookDocument, StepDocument } from "#core/playbook/document";
import { EngineRun, failed, ok, planOf } from "./engine.ts";

interface RandomStep {
  readonly inclusive: boolean;
  readonly arcs: readonly { readonly to: number; readonly back: boolean }[];
  readonly loop: number | undefined;
  readonly parallel: boolean;
  readonly waits: boolean;
  readonly guard: "none" | "once" | "never";
  readonly emits: number;
}

const randomStep: fc.Arbitrary<RandomStep> = fc.record({
  inclusive: fc.boolean(),
  arcs: fc.array(fc.record({ to: fc.nat(5), back: fc.boolean() }), { maxLength: 3 }),
  loop: fc.option(fc.nat(5), { nil: undefined, freq: 2 }),
  parallel: fc.boolean(),
  waits: fc.boolean(),
  guard: fc.constantFrom("none", "none", "once", "never"),
  emits: fc.nat(2),
});

/** What becomes of the oldest, or of another, open command. */
type Fate = "small" | "odd" | "large" | "fails" | "lost" | "waits" | "early";

const fates: readonly Fate[] = [
  ...(["small", "small", "odd", "large", "fails", "lost", "waits", "early"] as const),
];

export interface RandomLife {
  readonly steps: readonly RandomStep[];
  readonly turns: readonly { readonly pick: number; readonly fate: Fate }[];
}

export const randomLife: fc.Arbitrary<RandomLife> = fc.record({
  steps: fc.array(randomStep, { minLength: 1, maxLength: 6 }),
  turns: fc.array(fc.record({ pick: fc.nat(50), fate: fc.constantFrom(...fates) }), {
    minLength: 1,
    maxLength: 40,
  }),
});

/**
 * Arcs backwards are counted in a variable of their step, so that every cycle ends; a step that is
 * passed by counts nothing, and leads forwards only.
 */
function documentOf(steps: readonly RandomStep[]): PlaybookDocument {
  const workflow = steps.map((own, index): StepDocument => {
    const ran = "output.status == 'ok' and output.data is not none";
    const few = `{{ (turns_${index} | default(0)) < 3 and ${ran} }}`;
    const arcs = own.arcs.map(({ to, back }) => {
      const target = to % steps.length;
      const step = `s${target}`;
      if (target <= index) return { step, when: few };
      return back ? { step, when: "{{ event.name == 'call.error' }}" } : { step };
    });
    return {
      step: `s${index}`,
      tool: [own.waits ? { kind: "wait", for: "callback" } : { kind: "noop" }],
      emit: Array.from({ length: own.emits }, (_, n) => ({
        event: `own.${n}`,
        data: "{{ output }}",
      })),
      ...guardOf(own.guard, index),
      set: {
        [`turns_${index}`]: `{{ (turns_${index} | default(0)) + 1 }}`,
        [`deep.of_${index}`]: "{{ output.data }}",
      },
      next: { spec: { mode: own.inclusive ? "inclusive" : "exclusive" }, arcs },
      ...(own.loop === undefined
        ? {}
        : {
            loop: {
              in: Array.from({ length: own.loop }, (_, item) => item),
              iterator: "x",
              spec: { mode: own.parallel ? "parallel" : "sequential", max_in_flight: 2 },
            },
          }),
    };
  });
  return { apiVersion: "noetl.io/v2", kind: "Playbook", metadata: { name: "t" }, workflow };
}

export function guardOf(guard: "none" | "once" | "never", index: number): Partial<StepDocument> {
  if (guard === "none") return {};
  return { when: guard === "once" ? `{{ (turns_${index} | default(0)) < 1 }}` : false };
}

/** Data that could pass for something else, were it not kept apart. */
const odd = (): Json =>
  JSON.parse(
    '{"$map": [["a", 1]], "$stored": {"ref": "x"}, "__proto__": {"$set": []}, "n": [null, "é\\u0000"]}',
  ) as Json;

const large = (): Json => ({ text: "x".repeat(inlineBytesMax + 1), n: 1 });

/** An execution that has lived this life: it may have ended, or stand anywhere. */
export function lived({ steps, turns }: RandomLife): EngineRun {
  const run = new EngineRun(planOf(documentOf(steps))).start();
  for (const { pick, fate } of turns) {
    run.nowMs += pick;
    if (fate === "early") answerEarly(run, pick);
    const keys = [...run.state.waits.keys()];
    const place = pick % Math.max(1, run.open.length + keys.length);
    const command = run.open[place];
    const key = keys[place - run.open.length];
    if (command !== undefined) befall(run, command, fate);
    else if (key !== undefined) run.answer(key, outputOf(fate));
  }
  return run;
}

/** For a wait that may come, or for nobody. */
function answerEarly(run: EngineRun, pick: number): void {
  const key = `s${pick % 6}:1`;
  const { status, waits, answers } = run.state;
  if (status !== "running" || waits.has(key) || answers.has(key)) return;
  run.answer(key, outputOf(pick % 2 === 0 ? "large" : "odd"));
}

function outputOf(fate: Fate): Output {
  const data = fate === "odd" ? odd() : fate === "large" ? large() : { pick: 1 };
  return (fate === "fails" ? failed() : ok(data)).output;
}

function befall(run: EngineRun, command: IssuedCommand, fate: Fate): void {
  const { command_id } = command.event;
  const open = run.state.commands.get(command_id);
  if (open === undefined) return;
  const { attempt } = open;
  if (open.waiting === true) {
    const next = attempt + 1;
    run.tell({ type: "command.reissued", command_id, attempt: next, reason: "checkpoint" });
    return;
  }
  if (fate === "lost") {
    const next = attempt + 1;
    run.tell({ type: "command.reissued", command_id, attempt: next, reason: "lease_expired" });
    return;
  }
  if (fate === "waits") {
    const checkpoint = { label: "task_0", counters: { a: 1 } };
    run.tell({ type: "command.yielded", command_id, attempt, checkpoint, due: run.nowMs + 1 });
    return;
  }
  const output = outputOf(fate);
  run.open.splice(run.open.indexOf(command), 1);
  run.tell({
    type: fate === "fails" ? "call.error" : "call.done",
    command_id,
    attempt,
    output,
    duration_ms: attempt * 7,
  });
}
