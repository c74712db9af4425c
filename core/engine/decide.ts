// Decides what follows from what has happened. Each decision is worked out whole before its
// events are emitted, so a missing fact leaves nothing half done, and every decision is found
// again from the state alone, so a log cut anywhere goes on from there.
//
// E1  decide depends on its arguments only.
// E3  On a state with nothing new it emits nothing.
// E5  Every state that is not terminal waits for a command, a child or a time; otherwise decide
//     ends the execution.

import type { EventBody, LoggedEvent } from "#core/model/event";
import { invariant } from "#core/model/fault";
import { decideEventsMax } from "#core/model/limits";
import type { Plan, PlanStep } from "#core/playbook/plan";
import { complete } from "./complete.ts";
import { decideCursor } from "./cursor.ts";
import { exitStep } from "./exit.ts";
import type { Put } from "./externalize.ts";
import { type Facts, MissingFacts, type Need } from "./facts.ts";
import { approachStep } from "./guard.ts";
import { finishLoop, issueCommand, issueIteration, loopWork } from "./issue.ts";
import { hasOpenJob, issueJob } from "./jobs.ts";
import { nextToEnter } from "./joins.ts";
import { type IssuedCommand, Journal } from "./journal.ts";
import type { ExecutionState } from "./state.ts";
import type { Turn } from "./turn.ts";
import { settleAnswered } from "./waits.ts";

export interface Decision {
  readonly events: readonly LoggedEvent[];
  /** To be stored before the events are appended. */
  readonly puts: readonly Put[];
  readonly issued: readonly IssuedCommand[];
  /** Facts without which the turn can't go on: fetch them and call again with no new events. */
  readonly needs: readonly Need[];
  /** The turn reached its bound: append, then call again. */
  readonly more: boolean;
}

/**
 * Folds what has happened and decides what follows, changing the state.
 * @param incoming facts from outside, in order; empty to go on after fetched needs.
 * @throws ReplayError for a fact that can't stand here; drop the state then.
 */
export function decide(
  plan: Plan,
  state: ExecutionState,
  facts: Facts,
  incoming: readonly EventBody[],
): Decision {
  const journal = new Journal(state, facts);
  const turn: Turn = { plan, state, facts: journal.facts, journal };
  for (const body of incoming) journal.emit(body);
  const needs: Need[] = [];
  let going = true;
  try {
    while (going && journal.events.length < decideEventsMax) going = decideNext(turn);
  } catch (thrown) {
    if (!(thrown instanceof MissingFacts)) throw thrown;
    needs.push(...thrown.needs);
    going = false;
  }
  const { events, puts, issued } = journal;
  return { events, puts, issued, needs, more: going };
}

/** Takes the next decision; false if there is none. */
function decideNext(turn: Turn): boolean {
  const { plan, state } = turn;
  if (state.status !== "running") return false;
  const begun = state.started?.entry;
  const entry = begun === undefined ? stepAt(plan, plan.entry) : stepNamed(plan, begun);
  if (!state.steps.has(entry.name)) return approachStep(turn, entry);
  for (const id of state.answered) return settleAnswered(turn, id);
  for (const name of state.settled) return exitStep(turn, stepNamed(plan, name));
  for (const name of state.unissued) return issueCommand(turn, stepNamed(plan, name));
  for (const name of state.loops) {
    const step = stepNamed(plan, name);
    if (step.loop?.mode === "cursor") {
      if (decideCursor(turn, step)) return true;
      continue;
    }
    const work = loopWork(state, name);
    if (work === "finish") return finishLoop(turn, step);
    if (work === "issue") return issueIteration(turn, step);
  }
  if (state.arrivals.size > 0) {
    const step = nextToEnter(plan, state);
    if (step !== undefined) return approachStep(turn, step);
  }
  for (const job of state.awaitedJobs.keys()) return issueJob(turn, job);
  return state.active.size === 0 && !hasOpenJob(state) ? complete(turn) : false;
}

function stepAt(plan: Plan, index: number): PlanStep {
  const step = plan.steps[index];
  invariant(step !== undefined, `plan ${plan.digest} has no step ${index}`);
  return step;
}

function stepNamed(plan: Plan, name: string): PlanStep {
  const step = plan.byName.get(name);
  invariant(step !== undefined, `plan ${plan.digest} has no step ${name}`);
  return step;
}
