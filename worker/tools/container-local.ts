// Containers on the worker's own machine, in the foreground and in the call's slot. Values reach
// the runtime through a file that only the worker can read, never on its command line, which
// everybody on the machine can see.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "#core/model/json";
import { shellKillGraceMs } from "#core/model/limits";
import { type Failure, failureOutput, type Output } from "#core/model/outcome";
import { containerKillMs } from "#core/model/run-tool-limits";
import { configFailure, type Deadline, field, withDeadline } from "./call-config.ts";
import { capturePrinted, type PrintedText, printedMeta } from "./code-call.ts";
import type { ContainerCall } from "./container-config.ts";
import { resourceFlags } from "./container-resources.ts";
import { type Environment, endGroup, outputClosed } from "./process-group.ts";
import type { ToolContext } from "./tool.ts";

export interface LocalRun {
  readonly program: "podman" | "docker";
  readonly config: JsonObject;
  readonly context: ToolContext;
  readonly environment: Environment;
}

/** Fields that describe a cluster's machines; leaving them out silently would change the program. */
const clusterFields = [
  "volumes",
  "volume_mounts",
  "node_selector",
  "tolerations",
  "service_account",
] as const;

/** What the runtime itself says when it could not start the program. */
const runtimeExitCode = 125;

/** Data: `{exit_code, stdout, stderr, job_name}`, also when the program failed. */
export async function runLocally(call: ContainerCall, run: LocalRun): Promise<Output> {
  for (const name of clusterFields) {
    if (field(run.config, name) === undefined) continue;
    throw configFailure(`${name}: expected none, ${run.program} on this worker takes none`);
  }
  const lines = environmentLines(call);
  const flags = resourceFlags(call.resources);
  const timed = { timeout_seconds: call.timeoutSeconds };
  return withDeadline(timed, run.context, async (deadline) => {
    const folder = await mkdtemp(join(tmpdir(), "noetl-container-"));
    const file = join(folder, "env");
    try {
      await writeFile(file, lines, { mode: 0o600 });
      // What an attempt before left running would do the same twice, and has the name.
      if (run.context.attempt > 1) await runtime(run, ["rm", "-f", call.name]);
      const argv = ["run", "--rm", "--name", call.name, "--env-file", file, ...flags];
      return await foreground(call, [...argv, ...programOf(call)], { ...run, deadline });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** As clusters have it: `command` stands in place of the image's own program. */
function programOf({ image, command = [], args = [] }: ContainerCall): readonly string[] {
  const [program, ...rest] = command;
  if (program === undefined) return [image, ...args];
  return ["--entrypoint", program, image, ...rest, ...args];
}

function environmentLines({ variables }: ContainerCall): string {
  const lines = variables.map((variable) => {
    const { name } = variable;
    if (!("value" in variable)) {
      throw configFailure(`env.${name}: expected a value, secrets of a cluster are not here`);
    }
    // The file has one variable on a line, and no way to say a line's end.
    if (/[\r\n]/.test(variable.value)) {
      throw configFailure(`env.${name}: expected a value of one line for a local runtime`);
    }
    return `${name}=${variable.value}\n`;
  });
  return lines.join("");
}

interface Foreground extends LocalRun {
  readonly deadline: Deadline;
}

type RunEnd =
  | { readonly kind: "exited"; readonly code: number | null }
  | { readonly kind: "unstartable"; readonly code: string };

async function foreground(
  call: ContainerCall,
  argv: readonly string[],
  run: Foreground,
): Promise<Output> {
  const { program, environment, context, deadline } = run;
  const before = deadline.ended();
  if (before !== undefined) return failureOutput(before.failure);
  const printed = capturePrinted(context);
  const child = spawn(program, [...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
    detached: true,
  });
  child.stdout.on("data", printed.stdout.write);
  child.stderr.on("data", printed.stderr.write);
  const end = Promise.withResolvers<RunEnd>();
  child.once("error", (error) => {
    const code = "code" in error ? String(error.code) : error.name;
    end.resolve({ kind: "unstartable", code });
  });
  child.once("exit", (code) => end.resolve({ kind: "exited", code }));
  let ending: Promise<void> | undefined;
  const stop = (): void => {
    ending ??= stopContainer(call.name, child.pid, run);
  };
  deadline.signal.addEventListener("abort", stop, { once: true });
  const ended = await end.promise;
  deadline.signal.removeEventListener("abort", stop);
  await ending;
  await outputClosed([child.stdout, child.stderr]);
  printed.stdout.end();
  printed.stderr.end();
  const why = deadline.ended();
  if (why !== undefined) return { ...failureOutput(why.failure), ...printedMeta(printed) };
  return outputOf(ended, { printed, program, name: call.name });
}

/** The container first: its runtime's program ends by itself once it is gone. */
async function stopContainer(name: string, pid: number | undefined, run: LocalRun): Promise<void> {
  await runtime(run, ["kill", name]);
  await endGroup(pid, shellKillGraceMs);
  await runtime(run, ["rm", "-f", name]);
}

/** Another word to the runtime; what comes of it is seen by what is there afterwards. */
async function runtime({ program, environment }: LocalRun, argv: readonly string[]): Promise<void> {
  const child = spawn(program, [...argv], { stdio: "ignore", env: environment, detached: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("error", () => resolve());
  child.once("exit", () => resolve());
  const timer = setTimeout(() => void endGroup(child.pid, 0).then(resolve), containerKillMs);
  await promise;
  clearTimeout(timer);
}

interface Ended {
  readonly printed: PrintedText;
  readonly program: string;
  readonly name: string;
}

function outputOf(end: RunEnd, { printed, program, name }: Ended): Output {
  if (end.kind === "unstartable") return failureOutput(unstartable(end.code, program));
  const code = end.code ?? 128;
  const text = { stdout: printed.stdout.text(), stderr: printed.stderr.text() };
  const data = { exit_code: code, ...text, job_name: name };
  if (code === 0) return { status: "ok", data };
  const message =
    code === runtimeExitCode
      ? `${program} could not run the container, exit code ${code}`
      : `the container exited with code ${code}`;
  return { status: "error", error: failure(code, message), data };
}

function failure(code: number | string, message: string): Failure {
  return { kind: "container", code, message, retryable: false };
}

function unstartable(code: string, program: string): Failure {
  if (code !== "ENOENT") return failure(code, `${program} could not be started: ${code}`);
  const message = `${program} is not installed on this worker`;
  return { kind: "missing_program", message, retryable: false };
}
