// Values that an outcome may not carry: what JSON can't say becomes a failure, what is too large
// is stored first and referred to.

import { type Json, jsonProblem } from "#core/model/json";
import { inlineBytesMax, jsonDepthMax, resultBytesMax } from "#core/model/limits";
import { failureOutput, type Output, type ResultRef } from "#core/model/outcome";
import { ToolFailure } from "#worker/tools/tool";
import type { CommandRun } from "./command-run.ts";
import { bounded, failure, failureOf, mayHelpLater } from "./failure-of.ts";
import { retryDelayMs } from "./retry-delay.ts";
import type { WorkerServices } from "./services.ts";

/** The output itself, its message bounded; or, where it is no JSON, the failure that says so. */
export function checkedOutput(output: Output, label: string): Output {
  for (const part of [output.data, output.error, output.http, output.pg, output.py, output.meta]) {
    const problem = part === undefined ? undefined : jsonProblem(part, jsonDepthMax);
    if (problem === undefined) continue;
    const message = `task ${label} gave what is not JSON: ${problem}`;
    return failureOutput(failure("result", message, { code: "not_json" }));
  }
  const { error } = output;
  if (output.status !== "error") return output;
  const kept = error === undefined ? failure("tool", `task ${label} failed`) : bounded(error);
  return kept === error ? output : { ...output, error: kept };
}

export interface Storing {
  readonly run: CommandRun;
  readonly services: WorkerServices;
  readonly name: string;
}

/** The output with a reference in place of data that is larger than an event may carry. */
export async function externalized(output: Output, storing: Storing): Promise<Output> {
  const { data } = output;
  if (data === undefined) return output;
  const bytes = encodedBytes(data);
  if (bytes <= inlineBytesMax) return output;
  const { data: _data, ...rest } = output;
  if (bytes > resultBytesMax) {
    const message = `the result has ${bytes} bytes, expected at most ${resultBytesMax}`;
    const error = failure("result", message, { code: "too_large" });
    return { ...rest, status: "error", error };
  }
  try {
    return { ...rest, ref: await storeResult(storing, data) };
  } catch (thrown) {
    return { ...rest, status: "error", error: failureOf(thrown, "the result") };
  }
}

/** Bytes of a value as JSON; values that are plainly small are not encoded to find out. */
function encodedBytes(value: Json): number {
  if (value === null || typeof value === "number" || typeof value === "boolean") return 0;
  const text = JSON.stringify(value);
  // No UTF-16 unit takes more than three bytes.
  return text.length * 3 <= inlineBytesMax ? text.length : Buffer.byteLength(text);
}

/**
 * Stores a value before anything refers to it. While the control plane can't be reached it is
 * tried again, as long as the command has time.
 * @throws ToolFailure of kind `result`.
 */
export async function storeResult(storing: Storing, value: Json): Promise<ResultRef> {
  const { run, services, name } = storing;
  const { control, clock, log, random } = services;
  for (let failures = 1; ; failures++) {
    try {
      return await control.putResult(run.command.execution_id, name, value);
    } catch (thrown) {
      const again = mayHelpLater(thrown) && run.ended(clock.nowMs()) === undefined;
      if (!again) {
        const parts = { code: "not_stored", retryable: mayHelpLater(thrown) };
        const failed = failure("result", `result ${name} could not be stored`, parts);
        throw new ToolFailure(failed, { cause: thrown });
      }
      log.notice?.(`result ${name} of ${run.command.command_id} is not stored yet`, thrown);
      const delayMs = retryDelayMs(failures, random);
      await clock.sleep(Math.min(delayMs, run.deadlineMs - clock.nowMs()), run.signal);
    }
  }
}
