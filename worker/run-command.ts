// One command from start to settled outcome. Whatever is thrown on the way ends here, as a
// failure in the outcome; this never rejects.

import { yieldDelayMsMin } from "#core/model/limits";
import { type Failure, failureOutput, type Outcome, type Output } from "#core/model/outcome";
import type { CommandRun } from "./command-run.ts";
import { failureOf } from "./failure-of.ts";
import {
  type Pause,
  type PipelineHost,
  type PipelineResult,
  refusedOutput,
  runPipeline,
  type TaskCall,
} from "./pipeline.ts";
import { checkedOutput, externalized } from "./results.ts";
import type { WorkerServices } from "./services.ts";
import { taskConfig } from "./task-config.ts";
import { type OpenResources, openResources, toolContext } from "./tool-context.ts";

/** Runs the command; the caller decides whether its outcome still counts. */
export async function runCommand(run: CommandRun, services: WorkerServices): Promise<Outcome> {
  const { command } = run;
  const { clock, log } = services;
  const resources = openResources((thrown, key) => {
    log.notice?.(`${key} of ${command.command_id} could not be closed`, thrown);
  });
  const result = await settledResult(run, services, resources);
  await resources.close();
  const output = await externalized(result.output, { run, services, name: command.step });
  return {
    command_id: command.command_id,
    attempt: command.attempt,
    output,
    ...(result.set === undefined ? {} : { set: result.set }),
    ...(settledAsDone(result, output) ? { settled_as: "done" } : {}),
    ...(result.yielded === undefined ? {} : { yielded: result.yielded }),
    duration_ms: run.elapsedMs(clock.nowMs()),
  };
}

/** Said only where the output's status would say otherwise, and its own error is still there. */
function settledAsDone({ settledAs, output: before }: PipelineResult, output: Output): boolean {
  return settledAs === "done" && output.status === "error" && output.error === before.error;
}

/** The outcome of a command that came to none by itself. */
export function failedOutcome(run: CommandRun, failed: Failure, nowMs: number): Outcome {
  const { command } = run;
  return {
    command_id: command.command_id,
    attempt: command.attempt,
    output: failureOutput(failed),
    duration_ms: run.elapsedMs(nowMs),
  };
}

async function settledResult(
  run: CommandRun,
  services: WorkerServices,
  resources: OpenResources,
): Promise<PipelineResult> {
  const { clock } = services;
  const host: PipelineHost = {
    command: run.command,
    workerId: services.workerId,
    templates: services.templates,
    resumed: run.resumed,
    call: (call) => callTool(call, { run, services, resources }),
    nowMs: () => clock.nowMs(),
    retrying: (retry) => services.log.retry?.({ command: run.command, ...retry }),
    wait: (delayMs) => clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal),
    pause: (delayMs) => (resources.held() ? undefined : pauseOf(run, delayMs, clock.nowMs())),
    turn: () => new Promise((resolve) => services.defer(resolve)),
    ended: () => run.ended(clock.nowMs()),
  };
  try {
    return await runPipeline(host);
  } catch (thrown) {
    return refusedOutput(failureOf(thrown, `step ${run.command.step}`));
  }
}

/** A wait beyond the command's time ends with it: whoever goes on then finds it over. */
function pauseOf(run: CommandRun, delayMs: number, nowMs: number): Pause | undefined {
  const waitMs = Math.min(delayMs, run.deadlineMs - nowMs);
  if (waitMs <= yieldDelayMsMin) return undefined;
  return { delayMs: waitMs, spentMs: nowMs + waitMs - run.startedAtMs };
}

interface Caller {
  readonly run: CommandRun;
  readonly services: WorkerServices;
  readonly resources: OpenResources;
}

/** One execution of one task's tool, as an output whatever happens. */
async function callTool(call: TaskCall, caller: Caller): Promise<Output> {
  const { run, services, resources } = caller;
  const { task } = call;
  const startedAtMs = services.clock.nowMs();
  let output: Output;
  try {
    const config = taskConfig(task, run.command, call.evaluation);
    const found = services.tools.get(task.kind);
    const tool = found instanceof Promise ? await found : found;
    const context = toolContext({ run, call, services, resources });
    output = checkedOutput(await tool.run(config, context), task.label);
  } catch (thrown) {
    output = failureOutput(stopFailure(run) ?? failureOf(thrown, `task ${task.label}`));
  }
  const meta = {
    attempt: call.attempt,
    duration_ms: Math.max(0, services.clock.nowMs() - startedAtMs),
  };
  const shown = run.secrets.output(output);
  return { ...shown, meta: { ...shown.meta, ...meta } };
}

/** A tool that was stopped throws what the abort made of it: what counts is why. */
function stopFailure(run: CommandRun): Failure | undefined {
  return run.stopReason === "timeout" ? run.timeoutFailure() : undefined;
}
