// The shell tool: runs a step's commands in a process group of their own, with a clean environment.
// Denied unless the worker's operator allows it. All of the group ends with the call.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Json, JsonObject } from "#core/model/json";
import { shellKillGraceMs, shellScriptBytesMax } from "#core/model/limits";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import {
  configFailure,
  type Deadline,
  field,
  flagField,
  textField,
  withDeadline,
  wrongShape,
} from "./call-config.ts";
import { capturePrinted, folder, outputOf, type PrintedText, printedMeta } from "./code-call.ts";
import {
  callEnvironment,
  cleanEnvironment,
  type Environment,
  endGroup,
  killStrays,
  markVariable,
  outputClosed,
  signalGroup,
  stepEnvironment,
  type WorkerEnvironment,
} from "./process-group.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export interface ShellToolOptions {
  /** The worker's environment, of which programs get a few harmless names. */
  readonly environment?: WorkerEnvironment;
  readonly cwd?: string;
  /** Time between SIGTERM and SIGKILL. */
  readonly killGraceMs?: number;
  /** Address space of each program in bytes; none is set without it. */
  readonly memoryBytesMax?: number;
}

interface ShellCall {
  readonly script: string;
  readonly shell: string;
  readonly cwd: string;
  readonly environment: Environment;
  readonly capture: boolean;
}

export function shellTool(options: ShellToolOptions = {}): Tool {
  const base = cleanEnvironment(options.environment ?? process.env);
  const cwd = options.cwd ?? process.cwd();
  const graceMs = options.killGraceMs ?? shellKillGraceMs;
  const run = async (config: JsonObject, context: ToolContext): Promise<Output> => {
    if (!context.policy.shell) throw forbidden();
    const call: ShellCall = {
      script: limited(shellScript(config), options.memoryBytesMax),
      shell: shellProgram(config),
      cwd: (await folder(config, cwd)) ?? cwd,
      environment: { ...base, ...callEnvironment(context), ...stepEnvironment(config) },
      capture: flagField(config, true, "capture"),
    };
    return withDeadline(config, context, (deadline) =>
      runShell(call, { deadline, graceMs, context }),
    );
  };
  return { kind: "shell", run: (config, context) => outputOf(() => run(config, context)) };
}

function forbidden(): ToolFailure {
  const message =
    "this worker does not allow shell commands; " +
    "its operator can allow them with NOETL_WORKER_ALLOW_SHELL=true";
  return new ToolFailure({ kind: "forbidden", message, retryable: false });
}

/** `command` as it is; `cmds`, text or a list, as one script that stops at the first failure. */
function shellScript(config: JsonObject): string {
  const given = field(config, "command", "cmds");
  if (given === undefined) throw configFailure("command: expected shell text, found none");
  const { name, value } = given;
  const lines = Array.isArray(value) ? value.map((line) => scriptLine(name, line)) : [];
  if (!Array.isArray(value) && typeof value !== "string") {
    throw wrongShape(name, "text or a list of texts", value);
  }
  const stops = name === "cmds" || Array.isArray(value);
  const text = typeof value === "string" ? value : lines.join("\n");
  const script = stops ? `set -e\n${text}` : text;
  if (script.includes("\0")) throw configFailure(`${name}: expected text without NUL`);
  if (Buffer.byteLength(script) > shellScriptBytesMax) {
    throw configFailure(`${name}: expected at most ${shellScriptBytesMax} bytes`);
  }
  return script;
}

/** In front of the first line, so that lines keep their numbers. */
function limited(script: string, memoryBytesMax: number | undefined): string {
  if (memoryBytesMax === undefined) return script;
  return `ulimit -v ${Math.floor(memoryBytesMax / 1_024)}; ${script}`;
}

function scriptLine(name: string, line: Json): string {
  if (typeof line === "string") return line;
  throw wrongShape(name, "text or a list of texts", line);
}

function shellProgram(config: JsonObject): string {
  const shell = textField(config, "shell")?.value ?? "sh";
  if (/^[\w./+-]+$/.test(shell) && !shell.startsWith("-")) return shell;
  throw configFailure("shell: expected the name or path of a program like sh or bash");
}

interface ShellRun {
  readonly deadline: Deadline;
  readonly graceMs: number;
  readonly context: ToolContext;
}

type ShellEnd =
  | { readonly kind: "exited"; readonly code: number | null; readonly signal: string | null }
  | { readonly kind: "unstartable"; readonly code: string };

async function runShell(
  call: ShellCall,
  { deadline, graceMs, context }: ShellRun,
): Promise<Output> {
  const before = deadline.ended();
  if (before !== undefined) return failureOutput(before.failure);
  const printed = capturePrinted(context);
  const mark = markVariable();
  const child = spawn(call.shell, ["-c", call.script], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: call.cwd,
    env: { ...call.environment, [mark.name]: mark.value },
    detached: true,
  });
  child.stdout.on("data", printed.stdout.write);
  child.stderr.on("data", printed.stderr.write);
  const end = await groupEnd(child, { signal: deadline.signal, graceMs, mark: mark.value });
  printed.stdout.end();
  printed.stderr.end();
  const why = deadline.ended();
  if (why !== undefined) return { ...failureOutput(why.failure), ...printedMeta(printed) };
  return shellOutput(end, printed, call);
}

interface GroupEndOptions {
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly mark: string;
}

/** Waits for the shell to end, or ends it with its group once the signal says so. */
async function groupEnd(
  child: ChildProcess,
  { signal, graceMs, mark }: GroupEndOptions,
): Promise<ShellEnd> {
  const end = Promise.withResolvers<ShellEnd>();
  child.once("error", (error) => {
    const code = "code" in error ? String(error.code) : error.name;
    end.resolve({ kind: "unstartable", code });
  });
  child.once("exit", (code, name) => end.resolve({ kind: "exited", code, signal: name }));
  let ending: Promise<void> | undefined;
  const stop = (): void => {
    ending ??= endGroup(child.pid, graceMs);
  };
  signal.addEventListener("abort", stop, { once: true });
  const ended = await end.promise;
  signal.removeEventListener("abort", stop);
  // What the shell left in the background ends with it.
  if (ending === undefined) signalGroup(child.pid, "SIGKILL");
  await ending;
  await killStrays(mark);
  await outputClosed([child.stdout, child.stderr]);
  return ended;
}

function shellOutput(end: ShellEnd, printed: PrintedText, call: ShellCall): Output {
  if (end.kind === "unstartable") return failureOutput(unstartable(end.code, call.shell));
  // As shells say it themselves: 128 and the signal's number.
  const exitCode = end.code ?? 128 + (constants.signals[end.signal as NodeJS.Signals] ?? 0);
  const text = { stdout: printed.stdout.text(), stderr: printed.stderr.text() };
  const data = { ...(call.capture ? text : {}), exit_code: exitCode };
  const cut = {
    ...(printed.stdout.truncated ? { stdout_truncated: true } : {}),
    ...(printed.stderr.truncated ? { stderr_truncated: true } : {}),
  };
  const meta = Object.keys(cut).length === 0 ? {} : { meta: cut };
  if (exitCode === 0) return { status: "ok", data, ...meta };
  const message =
    end.signal === null ? `exited with code ${exitCode}` : `killed by signal ${end.signal}`;
  const error: Failure = { kind: "shell", code: exitCode, message, retryable: false };
  return { status: "error", error, data, ...meta };
}

function unstartable(code: string, shell: string): Failure {
  if (code === "ENOENT") {
    const message = `${shell} is not installed on this worker`;
    return { kind: "missing_program", message, retryable: false };
  }
  const message = `${shell} could not be started: ${code}`;
  return { kind: "shell", code, message, retryable: code === "EAGAIN" };
}
