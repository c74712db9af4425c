// Runs the tasks of a command, one or many, in the one way there is: execute, keep the output
// under its label, apply `set`, let the policy judge, act (language reference §1.5). A wait that
// is long enough ends it early with a checkpoint, from which a later attempt goes on. A crash
// starts it again from where its attempt started.

import type { TaskSpec, WorkerCommand } from "#core/model/command";
import type { Json, JsonObject } from "#core/model/json";
import { pipelineTasksMax, pipelineTurnTasksMax } from "#core/model/limits";
import { type Failure, failureOutput, type Output, type YieldedAt } from "#core/model/outcome";
import { type Progress, writeCheckpoint } from "./checkpoint.ts";
import { failure } from "./failure-of.ts";
import { actingRule, matched, type Step, unmatched } from "./policy.ts";
import type { TaskRetry } from "./services.ts";
import { applySet, type Evaluation, holds } from "./task-config.ts";
import { TaskScope } from "./task-scope.ts";
import type { TemplateCache } from "./template-cache.ts";

export interface TaskCall {
  readonly task: TaskSpec;
  /** From 1; a retry is the next one, a jump back to the label is not. */
  readonly attempt: number;
  /** How often the pipeline came to this label before; a retry does not count. */
  readonly ordinal: number;
  readonly evaluation: Evaluation;
}

/** What a pipeline needs of whoever runs it. */
export interface PipelineHost {
  readonly command: WorkerCommand;
  readonly workerId: string;
  readonly templates: TemplateCache;
  readonly tasksMax?: number;
  /** Where an earlier attempt stopped to wait; without it the first task is the first to run. */
  readonly resumed?: Progress | undefined;
  /** Never rejects: what goes wrong is an output with status `error`. */
  call(call: TaskCall): Promise<Output>;
  nowMs(): number;
  /** Told before a task runs again. */
  retrying?(retry: Omit<TaskRetry, "command">): void;
  /** Waits, or returns early when the command is stopped. */
  wait(delayMs: number): Promise<void>;
  /** How to wait so long without a slot; undefined where the slot is to be kept. */
  pause?(delayMs: number): Pause | undefined;
  /** Lets everything else that is due run before the pipeline goes on. */
  turn(): Promise<void>;
  /** Why the command may not go on, if so. */
  ended(): Failure | undefined;
}

export interface Pause {
  /** Not beyond the command's time. */
  readonly delayMs: number;
  /** Milliseconds of the command's time that are over after the pause. */
  readonly spentMs: number;
}

export interface PipelineResult {
  readonly output: Output;
  /** `done` with a status `error`: a policy went on past the error. */
  readonly settledAs: "done" | "error";
  readonly set: JsonObject | undefined;
  /** The pipeline has not ended: the rest of the result says nothing yet. */
  readonly yielded?: YieldedAt;
}

interface Pipeline {
  readonly host: PipelineHost;
  readonly tasks: readonly TaskSpec[];
  readonly scope: TaskScope;
  readonly evaluation: Evaluation;
  readonly retries: Map<string, number>;
  readonly visits: Map<string, number>;
}

type Ending =
  | { readonly index: number; readonly step: Step }
  | { readonly refused: Failure }
  | { readonly yielded: YieldedAt };

/**
 * Runs all tasks of the command to one output.
 * @throws what a template of a `set` or a rule throws; no rule ever sees that.
 */
export async function runPipeline(host: PipelineHost): Promise<PipelineResult> {
  const { command, templates, resumed } = host;
  const scope = new TaskScope(command, host.workerId);
  const environment = {
    get nowMs() {
      return host.nowMs();
    },
  };
  const pipeline: Pipeline = {
    host,
    tasks: command.tasks,
    scope,
    evaluation: { scope, environment, templates },
    retries: new Map(resumed?.retries),
    visits: new Map(resumed?.visits),
  };
  if (resumed !== undefined) restore(pipeline, resumed);
  return result(pipeline, await runTasks(pipeline));
}

function restore({ scope, tasks, retries }: Pipeline, resumed: Progress): void {
  scope.restore(resumed.scope);
  scope.task = tasks[resumed.index]?.label ?? "";
  scope.attempt = 1 + (retries.get(scope.task) ?? 0);
}

async function runTasks(pipeline: Pipeline): Promise<Ending> {
  const { host, tasks } = pipeline;
  const { tasksMax = pipelineTasksMax } = host;
  let index = host.resumed?.index ?? 0;
  let retrying = host.resumed?.retrying ?? false;
  for (let executed = host.resumed?.executed ?? 0; ; executed++) {
    const refused = host.ended() ?? (executed >= tasksMax ? tooManyTasks(tasksMax) : undefined);
    if (refused !== undefined) return { refused };
    if (executed > 0 && executed % pipelineTurnTasksMax === 0) await host.turn();
    const task = tasks[index];
    if (task === undefined) return { index, step: { do: "end" } };
    const step = await runTask(pipeline, task, { index, retrying });
    retrying = step.do === "retry";
    switch (step.do) {
      case "next":
        if (index + 1 === tasks.length) return { index, step };
        index++;
        break;
      case "jump":
        index = step.index;
        break;
      case "retry":
        tellRetry(pipeline, task.label, step.delayMs);
        break;
      case "end":
      case "fail":
        return { index, step };
      default:
        return step satisfies never;
    }
    const { delayMs = 0 } = step;
    const yielded = yieldedAt(pipeline, { index, executed: executed + 1, delayMs, retrying });
    if (yielded !== undefined) return { yielded };
    if (delayMs > 0) await host.wait(delayMs);
  }
}

function tellRetry({ host, scope, retries }: Pipeline, label: string, delayMs: number): void {
  const message = scope.output?.error?.message;
  const attempt = 2 + (retries.get(label) ?? 0);
  host.retrying?.({ label, attempt, delayMs, ...(message === undefined ? {} : { message }) });
}

interface Wait {
  readonly index: number;
  readonly executed: number;
  readonly delayMs: number;
  /** The task at the index runs again, instead of being come to. */
  readonly retrying: boolean;
}

/** Where the pipeline can stop instead of waiting, if it can. */
function yieldedAt(pipeline: Pipeline, wait: Wait): YieldedAt | undefined {
  const { host, scope, tasks, retries, visits } = pipeline;
  const pause = wait.delayMs > 0 ? host.pause?.(wait.delayMs) : undefined;
  if (pause === undefined) return undefined;
  const checkpoint = writeCheckpoint(tasks[wait.index]?.label ?? "", {
    index: wait.index,
    executed: wait.executed,
    retrying: wait.retrying,
    spentMs: pause.spentMs,
    retries: [...retries],
    visits: [...visits],
    scope: scope.state(),
  });
  return checkpoint === undefined ? undefined : { checkpoint, delay_ms: pause.delayMs };
}

interface TaskPlace {
  readonly index: number;
  readonly retrying: boolean;
}

async function runTask(pipeline: Pipeline, task: TaskSpec, place: TaskPlace): Promise<Step> {
  const { scope, evaluation, host, tasks } = pipeline;
  const { label } = task;
  const attempt = 1 + count(pipeline.retries, label, place.retrying ? 1 : 0);
  const visit = count(pipeline.visits, label, place.retrying ? 0 : 1);
  scope.task = label;
  scope.attempt = attempt;
  const output = await host.call({ task, attempt, ordinal: visit - 1, evaluation });
  scope.settle(label, output);
  applySet(task.set, evaluation);
  const judged = { tasks, index: place.index, output, attempt, visit };
  const rule = actingRule(task.policy, {
    holds: (when) => holds(when, evaluation),
    apply: (set) => applySet(set, evaluation),
  });
  return rule === undefined ? unmatched(task.policy, judged) : matched(rule, judged);
}

function count(counts: Map<string, number>, label: string, by: number): number {
  const counted = (counts.get(label) ?? 0) + by;
  counts.set(label, counted);
  return counted;
}

function tooManyTasks(tasksMax: number): Failure {
  const message = `the pipeline ran ${tasksMax} tasks and has not ended, expected fewer`;
  return failure("limit", message, { code: "pipeline_tasks" });
}

const nothingYet: PipelineResult = { output: { status: "ok" }, settledAs: "done", set: undefined };

function result(pipeline: Pipeline, ending: Ending): PipelineResult {
  const { scope } = pipeline;
  if ("yielded" in ending) return { ...nothingYet, yielded: ending.yielded };
  const set = Object.keys(scope.given).length === 0 ? undefined : scope.given;
  const last = scope.output ?? { status: "ok" };
  if ("refused" in ending) {
    const output = shaped(pipeline, { ...last, status: "error", error: ending.refused });
    return { output, settledAs: "error", set };
  }
  const { step } = ending;
  if (step.do !== "fail") return { output: shaped(pipeline, last), settledAs: "done", set };
  const failed: Output =
    last.status === "error" && last.error === step.error
      ? last
      : { ...last, status: "error", error: step.error };
  return { output: shaped(pipeline, failed), settledAs: "error", set };
}

/** Pipelines of several tasks give the others' data beside the last one's. */
function shaped({ scope, tasks }: Pipeline, output: Output): Output {
  if (tasks.length <= 1) return output;
  const last = scope.task;
  const others: Record<string, Json> = {};
  for (const [label, { data }] of scope.results) {
    if (label !== last) Object.defineProperty(others, label, dataProperty(data ?? null));
  }
  return {
    ...output,
    ...(Object.keys(others).length === 0 ? {} : { tasks: others }),
    ...(last === "" ? {} : { task: last }),
  };
}

/** A label is only ever a key, `__proto__` too. */
function dataProperty(value: Json): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

/** The output of a command that could not be run at all. */
export function refusedOutput(refused: Failure): PipelineResult {
  return { output: failureOutput(refused), settledAs: "error", set: undefined };
}
