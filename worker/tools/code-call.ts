// What the tools that run a step's code have in common: the inputs and the folder of a call, what
// it printed, and refusals as outputs.

import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { JsonObject } from "#core/model/json";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import { configFailure, objectField, textField } from "./call-config.ts";
import { type CapturedText, captureText } from "./captured-text.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

/** `args` and `input` of a step in one map; `input` wins. */
export function callInput(config: JsonObject): JsonObject {
  return {
    ...(objectField(config, "args")?.value ?? {}),
    ...(objectField(config, "input")?.value ?? {}),
  };
}

/** The folder named by `cwd`, from `base` on; a `config` failure if there is none. */
export async function folder(config: JsonObject, base: string): Promise<string | undefined> {
  const cwd = textField(config, "cwd");
  if (cwd === undefined) return undefined;
  const path = resolve(base, cwd.value);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return path;
  throw configFailure(
    `cwd: expected a folder, found ${found === undefined ? "nothing" : "a file"}`,
  );
}

export interface PrintedText {
  readonly stdout: CapturedText;
  readonly stderr: CapturedText;
}

/** Catches both streams of one call. */
export function capturePrinted(context: ToolContext): PrintedText {
  const log = context.log.bind(context);
  return { stdout: captureText("stdout", log), stderr: captureText("stderr", log) };
}

/** What a program printed, as `meta`: only what there is. */
export function printedMeta({ stdout, stderr }: PrintedText): { readonly meta?: JsonObject } {
  const meta = {
    ...(stdout.text() === "" ? {} : { stdout: stdout.text() }),
    ...(stderr.text() === "" ? {} : { stderr: stderr.text() }),
    ...(stdout.truncated ? { stdout_truncated: true } : {}),
    ...(stderr.truncated ? { stderr_truncated: true } : {}),
  };
  return Object.keys(meta).length === 0 ? {} : { meta };
}

export function resultFailure(message: string): Failure {
  return { kind: "result", message, retryable: false };
}

export function resultTooLarge(bytes: number, bytesMax: number): Failure {
  return resultFailure(`result is too large: ${bytes} bytes, expected at most ${bytesMax}`);
}

/** The output of a call that its deadline or its signal ended. */
export function stopped(why: ToolFailure | undefined): Output {
  if (why === undefined) throw new TypeError("expected a call that was stopped to have a reason");
  return failureOutput(why.failure);
}

/** A tool's own refusals as the output they stand for; a bug still rejects. */
export async function outputOf(work: () => Promise<Output>): Promise<Output> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ToolFailure) return failureOutput(error.failure);
    throw error;
  }
}
