// `noetl run`: where a playbook runs, in this process or on a server, and how the run is shown.
// The outcome of the execution decides the exit code.

import type { ExecutionStatus } from "#core/model/event";
import { unreachable } from "#core/model/fault";
import { type Arguments, UsageError } from "./arguments.ts";
import { contextRuntime } from "./contexts.ts";
import { exitCancelled, exitFailed, exitOk, exitUsage } from "./exit-codes.ts";
import { given, oneOf, wholeNumber } from "./given.ts";
import {
  isPlaybookFile,
  neighbours,
  type PlaybookFile,
  readPlaybookFile,
  startingAt,
} from "./playbook-files.ts";
import type { RunHost } from "./run-host.ts";
import { runInput, runTerms } from "./run-input.ts";
import type { RemoteTerms } from "./run-remote.ts";
import { runtimes } from "./runtimes.ts";
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

function remoteTerms(args: Arguments, isFile: boolean): RemoteTerms {
  const version = wholeNumber(args, "version");
  if (isFile && version !== undefined) {
    throw new UsageError("--version: expected a path in the catalog with it, found a file");
  }
  const key = args.text("dedup");
  return {
    verbose: args.has("verbose"),
    ...given({ version, dedup: key === undefined ? undefined : { key } }),
  };
}

/** Files run here unless a server is named, or the context in force wants them on its own. */
async function isLocal(args: Arguments): Promise<boolean> {
  const asked = oneOf(args, "runtime", runtimes);
  const { isServerNamed } = await import("./server.ts");
  if (asked === "local") return true;
  if (asked === "distributed") return false;
  if (isServerNamed(args)) return false;
  return asked === "auto" || contextRuntime(process.env["NOETL_CONTEXT"]) !== "distributed";
}

async function hostOf(
  args: Arguments,
  reference: string,
  playbook: PlaybookFile | undefined,
): Promise<RunHost> {
  if (playbook !== undefined && (await isLocal(args))) {
    if (args.text("dedup") !== undefined || args.text("version") !== undefined) {
      throw new UsageError("--dedup and --version: expected a server with them");
    }
    const { localHost } = await import("./run-local.ts");
    return localHost([...neighbours(playbook), playbook]);
  }
  const { findServer } = await import("./server.ts");
  const server = await findServer(args);
  const { remoteHost } = await import("./run-remote.ts");
  const terms = remoteTerms(args, playbook !== undefined);
  if (playbook !== undefined && server !== undefined) {
    const files = [...neighbours(playbook), playbook];
    return remoteHost(server, { files }, terms);
  }
  if (args.text("target") !== undefined) {
    throw new UsageError("--target: expected a playbook file to start at another step of");
  }
  if (server !== undefined) return remoteHost(server, { path: reference }, terms);
  throw new UsageError(
    `${reference}: no such file, and no server to run a catalog path on: ` +
      "expected --server URL, or a running `noetl dev` in this directory",
  );
}
