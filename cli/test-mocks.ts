// The tools of a tested house: what a test says they give, failures that it makes happen, and the
// real tools where it says so. A call that nobody thought of ends the test with what to write.

import type { WorkerCommand } from "#core/model/command";
import { messageOf } from "#core/model/fault";
import type { CommandId } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import type { FaultDocument, MockDocument, PlaybookTest } from "#core/playbook/test-document";
import type { ToolRegistry } from "#worker/registry";
import type { Tool, ToolContext } from "#worker/tools/tool";
import { callEntries, type Entries, type Fitting, type ToolCall } from "./test-calls.ts";
import { isPureKind } from "./test-real.ts";
import { mockRenderer } from "./test-render.ts";
import type { WorkerLife } from "./test-worker.ts";

export interface MockOptions {
  readonly test: PlaybookTest;
  readonly mainPath: string;
  readonly unmatched: "fail" | "real";
  /** A tool of the product. */
  readonly real: (kind: string) => Promise<Tool>;
  readonly callOf: (context: ToolContext) => ToolCall;
  /** The worker that runs this has it for sure, and is lost. */
  readonly onWorkerLost: (life: WorkerLife) => void;
  readonly onResultRejected: (command: CommandId) => void;
}

export interface Mocks {
  /** The tools of one life of the worker. */
  tools(life: WorkerLife): ToolRegistry;
  /** Looks at a command before it runs: what no mock can stand in for ends the test. */
  given(command: WorkerCommand): void;
  /** How often the tools of a step ran. */
  calls(path: string, step: string): number;
  /** Why the test can't go on. */
  problem(): string | undefined;
  /** Real tools that run just now, and how often one began or ended. */
  real(): { readonly running: number; readonly count: number };
  /** Resolves when one of them has ended. */
  ended(): Promise<void>;
  unused(): readonly MockDocument[];
  /** Injected failures that befell nothing. */
  unusedFaults(): readonly FaultDocument[];
}

interface State {
  readonly options: MockOptions;
  readonly mocks: Entries<MockDocument>;
  readonly faults: Entries<FaultDocument>;
  readonly render: ReturnType<typeof mockRenderer>;
  readonly counts: Map<string, number>;
  readonly waiting: Set<() => void>;
  problem: string | undefined;
  running: number;
  count: number;
}

export function testMocks(options: MockOptions): Mocks {
  const { test, mainPath } = options;
  const state: State = {
    options,
    mocks: callEntries(test.mocks, mainPath),
    faults: callEntries(test.faults, mainPath),
    render: mockRenderer(),
    counts: new Map(),
    waiting: new Set(),
    problem: undefined,
    running: 0,
    count: 0,
  };
  return {
    tools: (life) => ({ get: (kind) => mockedTool(state, kind, life), close: async () => {} }),
    given: ({ frame, step }) => {
      if (frame?.driver !== "nats" || options.unmatched === "real") return;
      state.problem ??=
        `step ${step} claims from nats, which no mock stands in for: ` +
        "run it for real, with unmatched: real or --real";
    },
    calls: (path, step) => state.counts.get(JSON.stringify([path, step])) ?? 0,
    problem: () => state.problem,
    real: () => ({ running: state.running, count: state.count }),
    ended: () => new Promise((resolve) => void state.waiting.add(resolve)),
    unused: state.mocks.unused,
    unusedFaults: state.faults.unused,
  };
}

function mockedTool(state: State, kind: string, life: WorkerLife): Tool {
  return {
    kind,
    run: async (config, context) => {
      const call = state.options.callOf(context);
      const key = JSON.stringify([call.path, call.step]);
      state.counts.set(key, (state.counts.get(key) ?? 0) + 1);
      return answered(state, { kind, life, call, config, context });
    },
  };
}

interface Asked {
  readonly kind: string;
  readonly life: WorkerLife;
  readonly call: ToolCall;
  readonly config: JsonObject;
  readonly context: ToolContext;
}

async function answered(state: State, asked: Asked): Promise<Output> {
  const { call, context, life } = asked;
  const fault = state.faults.next(call);
  const how = fault?.entry.how;
  switch (how) {
    case "error":
      return failureOutput(injected);
    case "timeout":
      await passes(asked, Number.POSITIVE_INFINITY);
      return timedOut(asked);
    case "worker_lost":
      // A hand-over that nobody has spoken of would only be taken back.
      await life.control.renew(context.workerId, [context]);
      state.options.onWorkerLost(life);
      return new Promise<Output>(() => {});
    case "result_rejected":
      state.options.onResultRejected(context.commandId);
      return mockOrReal(state, asked);
    case undefined:
      return mockOrReal(state, asked);
    default:
      return how satisfies never;
  }
}

const injected: Failure = {
  kind: "tool",
  code: "injected",
  message: "made to fail by fail_at",
  retryable: true,
};

async function mockOrReal(state: State, asked: Asked): Promise<Output> {
  const { call, kind } = asked;
  const isClaim = (mock: MockDocument): boolean => mock.answer.gives === "claim";
  const isOf = (mock: MockDocument): boolean =>
    mock.answer.gives === "real" || isClaim(mock) === call.isClaim;
  const found = state.mocks.next(call, isOf);
  if (found !== undefined) return mockAnswer(state, asked, found);
  const isReal = isPureKind(kind) && call.task !== undefined;
  if (isReal || state.options.unmatched === "real") return realAnswer(state, asked);
  const item = call.item === undefined ? "" : ` for item ${call.item}`;
  const visit = call.visit === undefined || call.visit === 1 ? "" : `, visit ${call.visit},`;
  const own = call.path === state.options.mainPath ? "" : ` of ${call.path}`;
  state.problem ??=
    `step ${call.step}${own} (${kind})${visit} was called${item} and no mock fits: ` +
    "add one, or real: true";
  return failureOutput({ kind: "config", message: state.problem, retryable: false });
}

async function mockAnswer(
  state: State,
  asked: Asked,
  { entry, count }: Fitting<MockDocument>,
): Promise<Output> {
  const { answer } = entry;
  if (answer.gives === "real") return realAnswer(state, asked);
  if (answer.gives === "claim") {
    const rows = answer.frames[count - 1] ?? [];
    if (entry.takesMs > 0 && !(await passes(asked, entry.takesMs))) return timedOut(asked);
    return { status: "ok", data: { rows, row_count: rows.length } };
  }
  let value: Json;
  try {
    const source = answer.gives === "data" ? answer.data : answer.output;
    value = state.render(entry, source, { ...asked, nowMs: asked.life.clock.nowMs(), count });
  } catch (thrown) {
    const { line } = entry.place;
    state.problem ??= `the mock of step ${entry.step} in line ${line}: ${messageOf(thrown)}`;
    return failureOutput({ kind: "config", message: state.problem, retryable: false });
  }
  if (entry.takesMs > 0 && !(await passes(asked, entry.takesMs))) return timedOut(asked);
  return answer.gives === "data" ? { status: "ok", data: value } : outputOf(value);
}

/** A whole output: what it leaves out goes without saying. */
function outputOf(value: Json): Output {
  const { status, error, ...rest } = isJsonObject(value) ? value : {};
  if (status !== "error" && error === undefined) return { ...rest, status: "ok" } as Output;
  const given = isJsonObject(error) ? error : {};
  const failure = { kind: "tool", message: "failed by the test", retryable: false, ...given };
  // The worker checks what tools give: whatever a test writes beside these is its own affair.
  return { ...rest, status: "error", error: failure as unknown as Failure } as Output;
}

/** Lets virtual time pass; false when the call may not take so long. */
async function passes(asked: Asked, takesMs: number): Promise<boolean> {
  const { life, context, config } = asked;
  const mayTakeMs = boundOf(config, context);
  await life.clock.sleep(Math.min(takesMs, mayTakeMs), context.signal);
  return takesMs < mayTakeMs;
}

function timedOut({ config, context }: Asked): Output {
  const message = `timed out after ${boundOf(config, context)} ms`;
  return failureOutput({ kind: "timeout", message, retryable: true });
}

/** The command's time, or the call's own where that is shorter. */
function boundOf({ timeout_seconds: seconds, timeout }: JsonObject, context: ToolContext): number {
  const own = typeof seconds === "number" ? seconds : timeout;
  return typeof own === "number" ? Math.min(own * 1_000, context.timeoutMs) : context.timeoutMs;
}

async function realAnswer(state: State, { kind, config, context }: Asked): Promise<Output> {
  state.running += 1;
  state.count += 1;
  try {
    const tool = await state.options.real(kind);
    return await tool.run(config, context);
  } finally {
    state.running -= 1;
    state.count += 1;
    for (const tell of state.waiting) tell();
    state.waiting.clear();
  }
}
