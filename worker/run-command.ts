// One command from start to settled outcome. Whatever is thrown on the way ends here, as a
// failure in the outcome; this never rejects.

import { yieldDelayMsMin } from "#core/model/limits";
import {
  type Failure,
  failureOutput,
  type Outcome,
  type Output,
  type ParkedAt,
} from "#core/model/outcome";
import { ToolParked } from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { failure, failureOf } from "./failure-of.ts";
import { filledConfig } from "./filled-config.ts";
import { runFrame } from "./frame.ts";
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
import { type OpenResources, openResources, toolContext } from "./tool-context.ts";

/** Runs the command; the caller decides whether its outcome still counts. */
export async function runCommand(run: CommandRun, services: WorkerServices): Promise<Outcome> {
  if (run.command.frame === undefined) return runTasks(run, services);
  try {
    return await runFrame(run, services);
  } catch (thrown) {
    const failed = failureOf(thrown, `step ${run.command.step}`);
    return failedOutcome(run, failed, services.clock.nowMs());
  }
}

async function runTasks(run: CommandRun, services: WorkerServices): Promise<Outcome> {
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
    ...(result.parked === undefined ? {} : { parked: result.parked }),
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

interface CommandResult extends PipelineResult {
  /** The call goes on elsewhere: the rest of the result says nothing. */
  readonly parked?: ParkedAt;
}

async function settledResult(
  run: CommandRun,
  services: WorkerServices,
  resources: OpenResources,
): Promise<CommandResult> {
  try {
    return await runPipeline(pipelineHost(run, services, resources));
  } catch (thrown) {
    if (thrown instanceof ToolParked) return parkedResult(run, thrown);
    return refusedOutput(failureOf(thrown, `step ${run.command.step}`));
  }
}

function parkedResult(run: CommandRun, { parked }: ToolParked): CommandResult {
  const { key, timeoutMs, about } = parked;
  const shown = about === undefined ? {} : { about: run.secrets.json(about) };
  const at: ParkedAt = { key, timeout_ms: timeoutMs, ...shown };
  return { output: { status: "ok" }, settledAs: "done", set: undefined, parked: at };
}

/** What the pipeline of this command needs; a frame changes in it what its rows want otherwise. */
export function pipelineHost(
  run: CommandRun,
  services: WorkerServices,
  resources: OpenResources,
): PipelineHost {
  const { clock } = services;
  return {
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

/**
 * One execution of one task's tool, as an output whatever happens.
 * @throws ToolParked where the command may end with it: no rule ever judges that.
 */
async function callTool(call: TaskCall, caller: Caller): Promise<Output> {
  const { run, services, resources } = caller;
  const { task } = call;
  const startedAtMs = services.clock.nowMs();
  let output: Output;
  try {
    const config = await filledConfig(task, run, call.evaluation, services);
    const found = services.tools.get(task.kind);
    const tool = found instanceof Promise ? await found : found;
    const context = toolContext({ run, call, services, resources });
    output = checkedOutput(await tool.run(config, context), task.label);
  } catch (thrown) {
    if (thrown instanceof ToolParked && mayPark(run)) throw thrown;
    output = failureOutput(stopFailure(run) ?? thrownFailure(thrown, task.label));
  }
  const meta = {
    attempt: call.attempt,
    duration_ms: Math.max(0, services.clock.nowMs() - startedAtMs),
  };
  const shown = run.secrets.output(output);
  return { ...shown, meta: { ...shown.meta, ...meta } };
}

/** Others would wait for the answer, and a frame for its row: such a call is a step of its own. */
function mayPark({ command }: CommandRun): boolean {
  return command.tasks.length === 1 && command.frame === undefined;
}

function thrownFailure(thrown: unknown, label: string): Failure {
  if (!(thrown instanceof ToolParked)) return failureOf(thrown, `task ${label}`);
  const message = `task ${label} goes on elsewhere: expected a step of one task, found others`;
  return failure("config", message, { code: "parked_beside" });
}

/** A tool that was stopped throws what the abort made of it: what counts is why. */
function stopFailure(run: CommandRun): Failure | undefined {
  return run.stopReason === "timeout" ? run.timeoutFailure() : undefined;
}
