// How the time of a tested house passes: not at all while anything happens, and then at once to the
// next moment at which something is due. An hour of waiting is one step.

import type { ExecutionId } from "#core/model/ids";
import { sweepMs, workerTickMs } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import {
  testEventsMax,
  testQuietSweepsMax,
  testRealMsMax,
  testVirtualMsMax,
} from "#core/model/test-limits";
import type { AnswerDocument, PlaybookTest } from "#core/playbook/test-document";
import { type TestHouse, turns } from "./test-house.ts";

export interface Passed {
  /** Why the test could not be brought to its end. */
  readonly problem?: string;
  /** More of it, a line each. */
  readonly details: readonly string[];
  /** How often time was moved. */
  readonly jumps: number;
  /** Answers that nobody came to wait for. */
  readonly unanswered: readonly AnswerDocument[];
}

interface Passing {
  readonly house: TestHouse;
  readonly rootId: ExecutionId;
  readonly test: PlaybookTest;
  readonly startMs: number;
  readonly realStartMs: number;
  readonly answers: Set<AnswerDocument>;
  isCancelled: boolean;
  jumps: number;
  /** Times in a row that time was moved by a sweep, and what had happened before the first. */
  sweeps: number;
  seenEvents: number;
}

/** Lets time pass until the execution and its sub-playbooks have ended, or can't. */
export async function passTime(
  house: TestHouse,
  rootId: ExecutionId,
  test: PlaybookTest,
): Promise<Passed> {
  const passing: Passing = {
    ...{ house, rootId, test },
    startMs: house.clock.nowMs(),
    realStartMs: performance.now(),
    answers: new Set(test.answers),
    isCancelled: false,
    jumps: 0,
    sweeps: 0,
    seenEvents: 0,
  };
  for (;;) {
    await quiet(passing);
    const problem = problemOf(passing);
    if (problem !== undefined) return passed(passing, { problem });
    const running = await runningIn(passing);
    if (running.length === 0) return passed(passing, {});
    if (await act(passing)) continue;
    if (await moveOn(passing)) continue;
    if (!running.includes(rootId)) return passed(passing, {});
    const details = (await Promise.all(running.map(house.why))).flat();
    return passed(passing, { problem: "the execution waits for what never comes:", details });
  }
}

function passed(
  { jumps, answers }: Passing,
  { details = [], ...rest }: { readonly problem?: string; readonly details?: readonly string[] },
): Passed {
  return { ...rest, details, jumps, unanswered: [...answers] };
}

/** Resolves when nothing happens any more at this time, or there is more than may be. */
async function quiet(passing: Passing): Promise<void> {
  const { house } = passing;
  for (;;) {
    const before = happened(house);
    let isIdle = false;
    const idle = house.idle().then(() => {
      isIdle = true;
    });
    await turns();
    await Promise.race([idle, turns()]);
    if (problemOf(passing) !== undefined) return;
    if (!isIdle) continue;
    const isReal = house.mocks.real().running > 0;
    if (isReal) await anyOf(house.mocks.ended(), realLookMs);
    else if (house.activity().requests === 0 && happened(house) === before) return;
  }
}

/** Grows with everything that happens. */
function happened({ activity, record, mocks }: TestHouse): number {
  return activity().count + record.events.length + mocks.real().count;
}

/** How often the limits are looked at while a real tool runs. */
const realLookMs = 50;

async function anyOf(event: Promise<void>, waitMs: number): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const running = setTimeout(timer.resolve, waitMs);
  await Promise.race([event, timer.promise]);
  clearTimeout(running);
}

function problemOf({ house, startMs, realStartMs }: Passing): string | undefined {
  const { mocks, record, clock } = house;
  if (mocks.problem() !== undefined) return mocks.problem();
  if (record.events.length > testEventsMax) {
    return `more than ${testEventsMax} events, and no end: expected a playbook that ends`;
  }
  if (clock.nowMs() - startMs > testVirtualMsMax) {
    return "more than ten years of virtual time, and no end: expected a playbook that ends";
  }
  if (performance.now() - realStartMs > testRealMsMax) {
    return `it took more than ${testRealMsMax / 1_000} s of real time, expected less`;
  }
  return undefined;
}

async function runningIn({ house }: Passing): Promise<readonly ExecutionId[]> {
  const rows = await house.record.log.executions({ status: "running", limit: 1_000 });
  return rows.map(({ executionId }) => executionId);
}

/** Does what the test does by now; true if there was anything. */
async function act(passing: Passing): Promise<boolean> {
  const { house, rootId, test, startMs, answers } = passing;
  const nowMs = house.clock.nowMs();
  const { cancelAfterMs } = test;
  if (!passing.isCancelled && cancelAfterMs !== undefined && startMs + cancelAfterMs <= nowMs) {
    passing.isCancelled = true;
    await house.cancel(rootId);
    return true;
  }
  for (const answer of answers) {
    const wait = dueAnswer(passing, answer);
    if (wait === undefined || wait.atMs > nowMs) continue;
    answers.delete(answer);
    await house.answer(wait.executionId, wait.key, answer.output as unknown as Output);
    return true;
  }
  return false;
}

interface DueAnswer {
  readonly executionId: ExecutionId;
  readonly key: string;
  readonly atMs: number;
}

/** Whom the answer is for, and when it is given, as far as that is known yet. */
function dueAnswer(
  passing: Passing,
  { to, playbook, afterMs }: AnswerDocument,
): DueAnswer | undefined {
  const { house, rootId, startMs } = passing;
  if ("key" in to) {
    const executionId = playbook === undefined ? rootId : executionOf(house, playbook);
    if (executionId === undefined) return undefined;
    return { executionId, key: to.key, atMs: startMs + afterMs };
  }
  const path = playbook ?? house.record.pathOf(rootId);
  const wait = house.record.waits().find(({ executionId, step }) => {
    return step === to.step && house.record.pathOf(executionId) === path;
  });
  return wait === undefined ? undefined : { ...wait, atMs: wait.parkedMs + afterMs };
}

function executionOf({ record }: TestHouse, path: string): ExecutionId | undefined {
  const started = record.events.findLast(
    (event) => event.type === "playbook.started" && event.path === path,
  );
  return started?.execution_id;
}

/** Looks so often by sweeps whether rows that wait are taken, before time goes on without them. */
const hungrySweepsMax = 5;

/**
 * Moves time to the next moment at which something is due; sweep by sweep where only time can say
 * that a worker is lost. False when there is no such moment.
 */
async function moveOn(passing: Passing): Promise<boolean> {
  const { house } = passing;
  const { clock, record } = house;
  const nowMs = clock.nowMs();
  if (record.events.length !== passing.seenEvents) passing.sweeps = 0;
  passing.seenEvents = record.events.length;
  const next = earliest([await house.nextDueMs(), house.nextMs(), nextActMs(passing)], nowMs);
  const { ready, leased } = await house.backlog();
  const running = house.running();
  const isLost = leased > running;
  const isHungry = ready > 0 && running < house.slots && passing.sweeps < hungrySweepsMax;
  if (next === undefined || isLost || isHungry) {
    if (next === undefined && passing.sweeps >= testQuietSweepsMax) return false;
    passing.sweeps += 1;
    move(passing, Math.min(next ?? Number.POSITIVE_INFINITY, nowMs + sweepMs));
    return true;
  }
  // A worker says at its next tick that it has what it was given: until then a sweep may take it back.
  const untold = house.takeNew() && running > 0;
  move(passing, untold ? Math.min(next, nowMs + workerTickMs) : next);
  return true;
}

function move(passing: Passing, atMs: number): void {
  passing.jumps += 1;
  passing.house.clock.jumpTo(Math.ceil(atMs));
}

function earliest(moments: readonly (number | undefined)[], nowMs: number): number | undefined {
  const coming = moments.filter(
    (atMs) => atMs !== undefined && atMs > nowMs && atMs < Number.POSITIVE_INFINITY,
  );
  return coming.length === 0 ? undefined : Math.min(...coming.map(Number));
}

function nextActMs(passing: Passing): number | undefined {
  const { test, startMs, answers, isCancelled, house } = passing;
  const moments = [...answers].map((answer) => dueAnswer(passing, answer)?.atMs);
  const { cancelAfterMs } = test;
  if (!isCancelled && cancelAfterMs !== undefined) moments.push(startMs + cancelAfterMs);
  return earliest(moments, house.clock.nowMs());
}
