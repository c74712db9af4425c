// The house of one test: the production engine and worker over stores in memory, with a clock that
// stands still until it is moved, tools that give what the test says, and a worker that can be lost.

import { registerResource } from "#control/services/catalog";
import { endExecution, startExecution } from "#control/services/lifecycle";
import { fetchResult } from "#control/services/results";
import { variablesOf } from "#control/services/views";
import { answerWait } from "#control/services/waits";
import { whyOf, whyText } from "#control/services/why";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint } from "#core/adapters/system-clock";
import { type VirtualClock, virtualClock } from "#core/adapters/virtual-clock";
import type { WorkerCommand } from "#core/model/command";
import { tenantDefault } from "#core/model/dispatch";
import { invariant } from "#core/model/fault";
import type { CatalogId, ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { childPath, isChildKind } from "#core/playbook/test-check";
import type { PlaybookTest, TestDocument } from "#core/playbook/test-document";
import type { Bus } from "#core/ports/bus";
import type { ControlPlane, CredentialRecord } from "#core/ports/control-plane";
import { startWorker, type Worker } from "#worker/loop";
import type { Tool, ToolContext, ToolPolicy } from "#worker/tools/tool";
import { catalogPath, type PlaybookFile } from "./playbook-files.ts";
import type { ToolCall } from "./test-calls.ts";
import { testControl } from "./test-control.ts";
import { type Mocks, testMocks } from "./test-mocks.ts";
import { type TestRecord, testRecord } from "./test-record.ts";
import { commandsGiven, type WorkerLife, workerLife } from "./test-worker.ts";
import { version } from "./version.ts";

export interface HouseOptions {
  readonly test: PlaybookTest;
  readonly document: TestDocument;
  /** Registered in this order; the last one is the one that is tested. */
  readonly files: readonly PlaybookFile[];
  readonly main: PlaybookFile;
  readonly real: (kind: string) => Promise<Tool>;
  readonly policy: ToolPolicy;
}

export interface TestHouse {
  readonly clock: VirtualClock;
  readonly record: TestRecord;
  readonly mocks: Mocks;
  readonly slots: number;
  /** Registers what there is and starts the execution. */
  start(): Promise<ExecutionId>;
  answer(id: ExecutionId, key: string, output: Output): ReturnType<typeof answerWait>;
  cancel(id: ExecutionId): Promise<unknown>;
  /** The value behind a reference. */
  resolve(ref: string): Promise<Json>;
  variables(id: ExecutionId): Promise<JsonObject>;
  /** What holds an execution up, a line each. */
  why(id: ExecutionId): Promise<readonly string[]>;
  /** Requests under way, and how often anything has happened so far. */
  activity(): { readonly requests: number; readonly count: number };
  idle(): Promise<void>;
  /** Commands that the living worker holds. */
  running(): number;
  /** Whether the worker was given commands since this was asked last. */
  takeNew(): boolean;
  /** When the worker next does something that it waits for. */
  nextMs(): number | undefined;
  nextDueMs(): Promise<number | undefined>;
  backlog(): Promise<{ readonly ready: number; readonly leased: number }>;
  close(): Promise<void>;
}

const slots = 64;
const machine = 1;

export function testHouse(options: HouseOptions): TestHouse {
  const clock = virtualClock();
  const stores = memoryStores(clock);
  const record = testRecord(stores.log);
  const bus = memoryBus();
  const control = testControl({
    ...stores,
    log: record.log,
    bus,
    clock,
    ids: snowflakeMint(clock, machine),
    sha256: (text) => Bun.SHA256.hash(text, "hex"),
    credentials: async (alias) => credentialOf(options.document, alias),
    engineVersion: version,
  });
  const { executions } = control;
  const { context } = executions;
  const workers = testWorkers(options, { clock, bus, plane: control.plane, record });
  return {
    ...{ clock, record, slots, mocks: workers.mocks, activity: control.activity },
    start: async () => {
      const { test, files } = options;
      let catalogId: CatalogId | undefined;
      for (const { content, document } of files) {
        const registered = await registerResource(context, {
          tenant: tenantDefault,
          content,
          path: catalogPath(document),
        });
        catalogId = registered.entry.catalogId;
      }
      // What a test puts in the place of a playbook is the newest version of it; the one that is
      // tested stays the one that was read, also where it calls itself.
      for (const text of mockedChildren(options)) {
        await registerResource(context, { tenant: tenantDefault, ...text });
      }
      invariant(catalogId !== undefined, "a tested house has no playbook");
      const started = await startExecution(executions, { catalogId, workload: test.workload });
      return started.executionId;
    },
    answer: (id, key, output) => answerWait(executions, id, { key, output, by: "test" }),
    cancel: (id) => endExecution(executions, id, { reason: "cancelled by the test" }),
    resolve: (ref) => fetchResult(context, ref),
    // Variables are JSON, or references to it.
    variables: async (id) => (await variablesOf(executions, id)) as JsonObject,
    why: async (id) => whyText(await whyOf(executions, id)),
    idle: () => executions.idle(),
    running: workers.running,
    takeNew: workers.takeNew,
    nextMs: workers.nextMs,
    nextDueMs: () => record.log.nextDueMs(),
    backlog: async () => {
      const pools = await record.log.backlog();
      const sum = (of: "ready" | "leased") => pools.reduce((total, pool) => total + pool[of], 0);
      return { ready: sum("ready"), leased: sum("leased") };
    },
    close: async () => {
      await movedUntil(clock, Promise.all([workers.stop(), control.stop()]));
      await bus.close();
      await stores.close();
    },
  };
}

function credentialOf({ credentials }: TestDocument, name: string): CredentialRecord | undefined {
  const known = credentials.get(name);
  return known === undefined ? undefined : { name, ...known };
}

/** Who ends waits for time to pass: it passes as fast as it can. */
async function movedUntil(clock: VirtualClock, ending: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  ending.then(over, over);
  while (!isOver) {
    await turns();
    if (!isOver) clock.wakeNext(Number.POSITIVE_INFINITY);
  }
  await ending;
}

const turnsToSettle = 8;

/** Lets everything run that is due in this instant. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

interface Around {
  readonly clock: VirtualClock;
  readonly bus: Bus;
  readonly plane: ControlPlane;
  readonly record: TestRecord;
}

/** The worker, in as many lives as the test makes it lose. */
function testWorkers(options: HouseOptions, { clock, bus, plane, record }: Around) {
  const { files, main, document, test } = options;
  const given = commandsGiven();
  const children = new Set(mockedChildren(options).map(({ path }) => path));
  let lives = 0;
  let current: { readonly life: WorkerLife; readonly worker: Worker };
  const mocks = testMocks({
    test,
    mainPath: catalogPath(main.document),
    unmatched: document.unmatched,
    real: options.real,
    callOf: (context) => callOf(context, { given, record, children }),
    onWorkerLost: (life) => {
      life.die();
      setImmediate(() => {
        current = begin();
      });
    },
    onResultRejected: record.refuse,
  });
  const begin = () => {
    lives += 1;
    const onCommand = (command: WorkerCommand): void => {
      given.note(command);
      mocks.given(command);
    };
    const life = workerLife({ clock, bus, control: plane, onCommand });
    const worker = startWorker({
      ...{ control: life.control, bus: life.bus, clock: life.clock, slots },
      tools: mocks.tools(life),
      workerId: `test-${lives}`,
      ...poolsOf(files),
      policy: options.policy,
      random: () => 0.5,
    });
    return { life, worker };
  };
  current = begin();
  return {
    mocks,
    takeNew: given.takeNew,
    running: () => (current.life.isDead() ? 0 : current.worker.running()),
    nextMs: () => current.life.nextMs(),
    stop: async () => {
      if (!current.life.isDead()) await current.worker.stop({ graceMs: 0 });
    },
  };
}

/** Every pool and every label that a step asks for has a worker here. */
function poolsOf(files: readonly PlaybookFile[]) {
  const pools = new Set(["default", "system"]);
  const labels = new Set<string>();
  for (const { spec } of files.flatMap(({ document }) => document.workflow)) {
    if (spec?.pool !== undefined) pools.add(spec.pool);
    const wanted = spec?.labels ?? [];
    for (const label of typeof wanted === "string" ? [wanted] : wanted) labels.add(label);
  }
  return { pools: [...pools], labels: [...labels] };
}

interface Known {
  readonly given: ReturnType<typeof commandsGiven>;
  readonly record: TestRecord;
  /** Paths of playbooks that stand for what a test says a sub-playbook gives. */
  readonly children: ReadonlySet<string>;
}

function callOf(context: ToolContext, { given, record, children }: Known): ToolCall {
  const { executionId, commandId, step, label, iteration } = context;
  const path = record.pathOf(executionId) ?? "";
  const child = children.has(path) ? record.started(executionId) : undefined;
  const parent = child === undefined ? undefined : record.issued(child.command_id);
  if (parent !== undefined) {
    return {
      path: record.pathOf(parent.execution_id) ?? "",
      step: parent.step,
      visit: parent.visit,
      item: parent.iteration,
      task: undefined,
      isClaim: false,
    };
  }
  const command = given.get(commandId);
  return {
    path,
    step,
    visit: command?.visit,
    item: iteration?.index,
    task: label,
    isClaim: command?.frame !== undefined && label === "claim",
  };
}

/** A playbook of one step for each sub-playbook that a test mocks, or makes fail, as a whole. */
function mockedChildren({ test, files, main }: HouseOptions) {
  const paths = new Set<string>();
  const mocked = test.mocks.filter(({ answer }) => answer.gives !== "real");
  for (const { step, playbook } of [...mocked, ...test.faults]) {
    const file =
      playbook === undefined
        ? main
        : files.find(({ document }) => catalogPath(document) === playbook);
    const [tool] = file?.document.workflow.find((known) => known.step === step)?.tool ?? [];
    const path = isChildKind(tool) ? childPath(tool) : undefined;
    if (path !== undefined) paths.add(path);
  }
  return [...paths].map((path) => ({ path, content: JSON.stringify(childPlaybook(path)) }));
}

function childPlaybook(path: string): JsonObject {
  const input = { workload: "{{ workload }}" };
  return {
    apiVersion: "noetl.io/v2",
    kind: "Playbook",
    metadata: { name: "mock", path },
    workflow: [{ step: "mocked", tool: { kind: "noop", input } }],
  };
}
