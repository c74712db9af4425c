// One test from start to verdict: a house of its own, time that passes by itself, and what is said
// when it failed.

import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import { testStoryLinesMax } from "#core/model/test-limits";
import type { MockDocument, PlaybookTest, Remark } from "#core/playbook/test-document";
import { plainView } from "./plain-view.ts";
import { runProgress } from "./run-progress.ts";
import { type HouseOptions, type TestHouse, testHouse } from "./test-house.ts";
import { judge, resultOf, resultRefOf, virtualMsOf } from "./test-judge.ts";
import { type Passed, passTime } from "./test-time.ts";

export interface TestResult {
  readonly name: string;
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly virtualMs: number;
  readonly realMs: number;
  /** How often time was moved. */
  readonly jumps: number;
  /** What happened, a line each. */
  readonly story: readonly string[];
  /** Entries that were of no use: injected failures and answers. */
  readonly warnings: readonly Remark[];
  readonly unusedMocks: readonly MockDocument[];
  /** Of the execution and its sub-playbooks, in one order. */
  readonly events: readonly Event[];
}

/** Runs one test; what goes wrong is in the result. */
export async function runTest(options: HouseOptions): Promise<TestResult> {
  const { test } = options;
  const startedMs = performance.now();
  const house = testHouse(options);
  try {
    const outcome = await come(house, test);
    const realMs = performance.now() - startedMs;
    return { name: test.name, ok: outcome.problems.length === 0, realMs, ...outcome };
  } finally {
    await house.close();
  }
}

type Outcome = Omit<TestResult, "name" | "ok" | "realMs">;

async function come(house: TestHouse, test: PlaybookTest): Promise<Outcome> {
  const { record, mocks } = house;
  let rootId: Awaited<ReturnType<TestHouse["start"]>>;
  try {
    rootId = await house.start();
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return {
      ...{ problems: [messageOf(thrown)], virtualMs: 0, jumps: 0 },
      ...{ story: [], warnings: [], unusedMocks: [], events: [] },
    };
  }
  const passed = await passTime(house, rootId, test);
  const own = record.events.filter((event) => event.execution_id === rootId);
  const story = storyOf(house, rootId);
  const rest = {
    ...{ story, jumps: passed.jumps, virtualMs: virtualMsOf(own) },
    ...{ unusedMocks: mocks.unused(), events: record.events },
  };
  if (passed.problem !== undefined) {
    return { ...rest, problems: [passed.problem, ...passed.details], warnings: [] };
  }
  const ref = resultRefOf(own);
  const result = ref === undefined ? resultOf(own) : await house.resolve(ref);
  const variables = await house.variables(rootId);
  const problems = judge({ house, rootId, test, result, variables });
  return { ...rest, problems, warnings: warningsOf(house, passed) };
}

function warningsOf({ mocks }: TestHouse, { unanswered }: Passed): readonly Remark[] {
  return [
    ...mocks
      .unusedFaults()
      .map(({ step, how, place }) => ({ place, message: `${how} at step ${step} befell no call` })),
    ...unanswered.map(({ to, place }) => {
      const whom = "key" in to ? `key ${to.key}` : `step ${to.step}`;
      return { place, message: `the answer to ${whom} was never given: nothing waited for it` };
    }),
  ];
}

function storyOf({ record }: TestHouse, rootId: Parameters<typeof runProgress>[0]) {
  const lines: string[] = [];
  const progress = runProgress(rootId);
  const view = plainView((line) => void lines.push(line));
  for (const event of record.events) {
    const change = progress.fold(event);
    if (change !== undefined && lines.length <= testStoryLinesMax) view.show(change);
  }
  if (lines.length <= testStoryLinesMax) return lines;
  return [...lines.slice(0, testStoryLinesMax), "…"];
}
