// `noetl run`: where a playbook runs, in this process or on a server, and how the run is shown.
// The outcome of the execution decides the exit code.

import type { ExecutionStatus } from "#core/model/event";
import { unreachable } from "#core/model/fault";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitCancelled, exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import {
  isPlaybookFile,
  neighbours,
  type PlaybookFile,
  readPlaybookFile,
  startingAt,
} from "./playbook-files.ts";
import type { RunHost } from "./run-host.ts";
import { runInput, runTerms } from "./run-input.ts";
import { showRun } from "./show-run.ts";

/** @returns 0 completed, 1 failed, 2 for a playbook that can't run, 130 cancelled. */
export async function run(args: Arguments): Promise<number> {
  const reference = args.operands[0] ?? "";
  const request = { workload: runInput(args), ...runTerms(args) };
  const isFile = isPlaybookFile(reference);
  const playbook = isFile ? readChecked(reference, args) : undefined;
  if (playbook === "invalid") return exitUsage;
  const host = await hostOf(args, reference, playbook);
  const status = await showRun(host, {
    request,
    json: args.has("json"),
    verbose: args.has("verbose"),
  });
  return exitCodeOf(status);
}

function exitCodeOf(status: ExecutionStatus): number {
  switch (status) {
    case "completed":
      return exitOk;
    case "cancelled":
      return exitCancelled;
    case "failed":
    case "running":
      return exitFailed;
    default:
      return unreachable(status);
  }
}

function readChecked(file: string, args: Arguments): PlaybookFile | "invalid" {
  const reading = readPlaybookFile(file);
  for (const line of reading.ok ? reading.warnings : reading.problems) console.error(line);
  if (!reading.ok) return "invalid";
  const target = args.text("target");
  if (target === undefined) return reading.playbook;
  const steps = reading.playbook.document.workflow.map(({ step }) => step);
  if (!steps.includes(target)) {
    throw new UsageError(`--target ${target}: expected one of ${steps.join(", ")}`);
  }
  return startingAt(reading.playbook, target);
}

async function hostOf(
  args: Arguments,
  reference: string,
  playbook: PlaybookFile | undefined,
): Promise<RunHost> {
  if (playbook !== undefined && args.text("server") === undefined) {
    const { localHost } = await import("./run-local.ts");
    return localHost([...neighbours(playbook), playbook]);
  }
  const { findServer } = await import("./server.ts");
  const server = await findServer(args);
  const { remoteHost } = await import("./run-remote.ts");
  if (playbook !== undefined && server !== undefined) {
    const files = [...neighbours(playbook), playbook];
    return remoteHost(server, { files }, args.has("verbose"));
  }
  if (args.text("target") !== undefined) {
    throw new UsageError("--target: expected a playbook file to start at another step of");
  }
  if (server !== undefined) return remoteHost(server, { path: reference }, args.has("verbose"));
  throw new UsageError(
    `${reference}: no such file, and no server to run a catalog path on: ` +
      "expected --server URL, or a running `noetl dev` in this directory",
  );
}
