// Claims the rows of a frame by the tool of its cursor's kind, as a task of its own: the same
// config, credentials and failures as a call that a playbook makes.

import type { FrameBinding, TaskSpec } from "#core/model/command";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import type { CommandRun } from "./command-run.ts";
import { failure } from "./failure-of.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { pipelineHost } from "./run-command.ts";
import type { WorkerServices } from "./services.ts";
import type { Evaluation } from "./task-config.ts";
import { TaskScope } from "./task-scope.ts";
import type { OpenResources } from "./tool-context.ts";

export interface Claim {
  readonly run: CommandRun;
  readonly services: WorkerServices;
  readonly resources: OpenResources;
  readonly frame: FrameBinding;
}

export type Claimed = { readonly rows: readonly Json[] } | { readonly error: Failure };

/** Claims once, or again while the failure may pass; never more than `max_attempts` times. */
export async function claimRows(claim: Claim): Promise<Claimed> {
  const { run, services, resources, frame } = claim;
  const host = pipelineHost(run, services, resources);
  const task = claimTask(frame);
  return tried(claim, async (attempt) => {
    const evaluation = claimEvaluation(claim, attempt);
    return rowsOf(await host.call({ task, attempt, ordinal: 0, evaluation }));
  });
}

/** What the claim's templates see: what any task of the command would, before the first has run. */
export function claimEvaluation({ run, services }: Claim, attempt: number): Evaluation {
  const scope = new TaskScope(run.command, services.workerId);
  scope.task = "claim";
  scope.attempt = attempt;
  const environment = {
    get nowMs() {
      return services.clock.nowMs();
    },
  };
  return { scope, environment, templates: services.templates };
}

/** Calls `claim` until it gives rows, a failure that will not pass, or there is no time left. */
export async function tried(
  { run, services, frame }: Claim,
  claim: (attempt: number) => Promise<Claimed>,
): Promise<Claimed> {
  const { clock, random } = services;
  for (let attempt = 1; ; attempt++) {
    const claimed = await claim(attempt);
    const ended = run.ended(clock.nowMs());
    if (ended !== undefined) return { error: ended };
    const isLast = attempt >= frame.settings.max_attempts;
    if (!("error" in claimed) || !claimed.error.retryable || isLast) return claimed;
    const delayMs = retryDelayMs(attempt, random);
    const { message } = claimed.error;
    services.log.retry?.({
      command: run.command,
      label: "claim",
      attempt: attempt + 1,
      delayMs,
      message,
    });
    await clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal);
  }
}

/** The claim bounded by its frame: in time by `max_seconds`, in weight by `max_bytes`. */
export function claimTask({ claim, settings }: FrameBinding): TaskSpec {
  const { max_seconds: seconds, max_bytes: bytes } = settings;
  const bounds: JsonObject = { timeout: seconds, timeout_seconds: seconds, row_bytes_max: bytes };
  return { ...claim, config: { ...claim.config, ...bounds } };
}

function rowsOf(output: Output): Claimed {
  if (output.status === "error") {
    return { error: output.error ?? failure("tool", "the claim failed") };
  }
  const data: Json = output.data ?? null;
  const rows = isJsonObject(data) ? data.rows : data;
  if (!Array.isArray(rows)) {
    const message = "the claim returns no rows: end it with RETURNING";
    return { error: failure("config", message, { code: "no_rows" }) };
  }
  // More than `max_rows` are worked on as well: they have been claimed, and nobody else will.
  return { rows: rows as readonly Json[] };
}
