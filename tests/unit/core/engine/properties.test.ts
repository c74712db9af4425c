// What holds of every playbook and every order of outcomes: random graphs with branches, joins,
// cycles, loops, guards, waits and failures, settled in random order.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decide } from "#core/engine/decide";
import { evolve } from "#core/engine/evolve";
import { initialState } from "#core/engine/state";
import { verifyLog } from "#core/engine/verify";
import { decodeEvent, encodeEvent, genesisDigest } from "#core/model/codec";
import { terminalStatus } from "#core/model/event";
import type { CommandId } from "#core/model/ids";
import type { PlaybookDocument, StepDocument } from "#core/playbook/document";
import { amount } from "#scripts/test-amount";
import {
  type Answer,
  EngineRun,
  failed,
  ok,
  planOf,
  sha256,
  testExecution,
} from "#tests/support/engine";
import { guardOf } from "#tests/support/random-playbooks";

const seed = 20_261_122;
const runs = { seed, numRuns: amount(150) };

interface RandomArc {
  readonly to: number;
  readonly when: "always" | "on error" | "never" | "a few times";
}

interface RandomStep {
  readonly inclusive: boolean;
  readonly arcs: readonly RandomArc[];
  readonly loop: number | undefined;
  readonly parallel: boolean;
  readonly fails: boolean;
  readonly waits: boolean;
  readonly guard: "none" | "once" | "never";
}

const arc = fc.record({
  to: fc.nat(7),
  when: fc.constantFrom("always", "always", "on error", "never", "a few times"),
});

const step: fc.Arbitrary<RandomStep> = fc.record({
  inclusive: fc.boolean(),
  arcs: fc.array(arc, { maxLength: 3 }),
  loop: fc.option(fc.nat(4), { nil: undefined, freq: 3 }),
  parallel: fc.boolean(),
  fails: fc.boolean(),
  waits: fc.boolean(),
  guard: fc.constantFrom("none", "none", "once", "never"),
});

const steps = fc.array(step, { minLength: 1, maxLength: 8 });

/**
 * Arcs backwards count their turns in a variable of their step, so that every cycle ends; a step that
 * is passed by counts nothing, and leads forwards only.
 */
function document(list: readonly RandomStep[]): PlaybookDocument {
  const workflow = list.map((own, index): StepDocument => {
    const arcs = own.arcs.map(({ to, when }) => arcDocument(index, to % list.length, when));
    return {
      step: `s${index}`,
      tool: [own.waits ? { kind: "wait", for: "callback" } : { kind: "noop" }],
      ...guardOf(own.guard, index),
      set: { [`turns_${index}`]: `{{ (turns_${index} | default(0)) + 1 }}` },
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

function arcDocument(from: number, to: number, when: RandomArc["when"]) {
  const step = `s${to}`;
  const few = `(turns_${from} | default(0)) < 3 and output.data is not none`;
  switch (when) {
    case "never":
      return { step, when: "{{ false }}" };
    case "on error":
      // A failed step runs no set: its turns are bounded by the cycles through others.
      return to > from
        ? { step, when: "{{ event.name == 'call.error' or stats.failed > 0 }}" }
        : { step, when: "{{ false }}" };
    case "a few times":
      return { step, when: `{{ ${few} and output.status == 'ok' }}` };
    case "always":
      return to > from ? { step } : { step, when: `{{ ${few} and output.status == 'ok' }}` };
  }
}

/** Settles open commands in the order that the numbers choose. */
function settleAll(run: EngineRun, list: readonly RandomStep[], choices: readonly number[]): void {
  for (let turn = 0; run.open.length + run.state.waits.size > 0; turn++) {
    settleOne(run, list, choices[turn % Math.max(1, choices.length)] ?? 0);
  }
}

function settleOne(run: EngineRun, list: readonly RandomStep[], choice: number): void {
  const keys = [...run.state.waits.keys()];
  const pick = choice % Math.max(1, run.open.length + keys.length);
  const command = run.open[pick];
  if (command !== undefined) {
    run.settle(command, answerOf(list, command.event.step, command.event.iteration));
    return;
  }
  const key = keys[pick - run.open.length];
  const parked = run.state.commands.get(run.state.waits.get(key ?? "") ?? ("" as CommandId));
  if (key === undefined || parked === undefined) return;
  run.answer(key, answerOf(list, parked.step, parked.iteration).output);
}

function answerOf(
  list: readonly RandomStep[],
  name: string,
  iteration: number | undefined,
): NonNullable<Answer> {
  const own = list[Number(name.slice(1))];
  const fails = own?.fails === true && (iteration === undefined || iteration % 2 === 1);
  return fails ? failed() : ok({ name });
}

const order = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 });

const finished = (list: readonly RandomStep[], choices: readonly number[]): EngineRun => {
  const run = new EngineRun(planOf(document(list))).start();
  settleAll(run, list, choices);
  return run;
};

describe("every random playbook", () => {
  test("ends, exactly once, and its log verifies", () => {
    fc.assert(
      fc.property(steps, order, (list, choices) => {
        const run = finished(list, choices);
        const ends = run.log.filter(({ event }) => terminalStatus(event) !== undefined);
        expect(ends.length).toBe(1);
        expect(run.log.at(-1)).toBe(ends[0] as never);
        expect(verifyLog(testExecution, run.log, sha256).problems).toEqual([]);
      }),
      runs,
    );
  });

  test("waits on something whenever it has not ended", () => {
    fc.assert(
      fc.property(steps, order, fc.nat(20), (list, choices, turns) => {
        const run = new EngineRun(planOf(document(list))).start();
        for (let turn = 0; turn < turns; turn++) {
          settleOne(run, list, choices[turn % choices.length] ?? 0);
        }
        if (run.state.status === "running") expect(run.state.commands.size).toBeGreaterThan(0);
        expect(decide(run.plan, run.state, run.facts(), []).events).toEqual([]);
      }),
      runs,
    );
  });

  test("is the same after a replay of any prefix as it was there", () => {
    fc.assert(
      fc.property(steps, order, fc.nat(), (list, choices, cut) => {
        const run = finished(list, choices);
        const length = (cut % run.log.length) + 1;
        const replayed = initialState(testExecution, genesisDigest);
        const live = initialState(testExecution, genesisDigest);
        for (const { event, text } of run.log.slice(0, length)) {
          evolve(live, event, text.length);
          evolve(replayed, decodeEvent(text), text.length);
        }
        expect(replayed).toEqual(live);
      }),
      runs,
    );
  });

  test("is encoded to texts that stand for themselves", () => {
    fc.assert(
      fc.property(steps, order, (list, choices) => {
        for (const { text } of finished(list, choices).log) {
          expect(encodeEvent(decodeEvent(text))).toBe(text);
        }
      }),
      { ...runs, numRuns: amount(100) },
    );
  });

  test("ends with the same status whatever order parallel outcomes come in", () => {
    // Without cycles: a cycle's turns are counted in a variable, which branches then share.
    const acyclic = steps.map((list) =>
      list.map((own, index) => ({
        ...own,
        arcs: own.arcs.filter(({ to }) => to % list.length > index),
      })),
    );
    fc.assert(
      fc.property(acyclic, order, order, (list, one, other) => {
        const first = finished(list, one);
        const second = finished(list, other);
        expect(second.state.status).toBe(first.state.status);
        expect([...second.state.failed.keys()].sort()).toEqual(
          [...first.state.failed.keys()].sort(),
        );
        expect([...second.state.steps.keys()].sort()).toEqual([...first.state.steps.keys()].sort());
      }),
      runs,
    );
  });
});
