// Programs that tools start: the clean environment they get, and how all of their process group is
// ended. The worker's own environment, where its secrets are, never reaches them.

import { readdir, readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { JsonObject } from "#core/model/json";
import { processDrainMs, processPollMs } from "#core/model/limits";
import { configFailure, objectField, scalarText, wrongShape } from "./call-config.ts";
import type { ToolContext } from "./tool.ts";

export type Environment = Readonly<Record<string, string>>;
export type WorkerEnvironment = Readonly<Record<string, string | undefined>>;

const strayScansMax = 5;
const strayScanMs = 5;

/** The variable in which a process of ours is told the worker's process id. */
export const workerPidName = "NOETL_WORKER_PID";

/** What programs need to find their way; the rest of the worker's environment is kept back. */
const passedNames = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TMPDIR",
  "TZ",
  "USER",
  "VIRTUAL_ENV",
  "PYTHONPATH",
  "LD_LIBRARY_PATH",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

const fallback: Environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
  TMPDIR: "/tmp",
};

/** The environment of every program that a tool starts, before the step's own `env`. */
export function cleanEnvironment(worker: WorkerEnvironment): Environment {
  const passed = passedNames.flatMap((name) => {
    const value = worker[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return { ...fallback, ...Object.fromEntries(passed) };
}

/** Which call a program belongs to, so that what it does elsewhere can be made idempotent. */
export function callEnvironment(context: ToolContext): Environment {
  return {
    NOETL_EXECUTION_ID: context.executionId,
    NOETL_STEP: context.step,
    NOETL_ATTEMPT: String(context.attempt),
    NOETL_IDEMPOTENCY_KEY: context.idempotencyKey,
  };
}

/** The step's `env`: a map of names to scalars; `null` leaves a name out. */
export function stepEnvironment(config: JsonObject): Environment {
  const given = objectField(config, "env");
  if (given === undefined) return {};
  const entries = Object.entries(given.value).flatMap(([name, value]) => {
    if (value === null) return [];
    if (name === "" || /[=\0]/.test(name)) {
      throw configFailure("env: expected names without = and NUL");
    }
    const text = scalarText(value);
    if (text === undefined) throw wrongShape(`env.${name}`, "a scalar", value);
    if (text.includes("\0")) throw configFailure(`env.${name}: expected text without NUL`);
    return [[name, text] as const];
  });
  return Object.fromEntries(entries);
}

/** Asks a group to end, waits for it no longer than the grace, then kills what is left of it. */
export async function endGroup(leader: number | undefined, graceMs: number): Promise<void> {
  signalGroup(leader, "SIGTERM");
  const lastMs = performance.now() + graceMs;
  while (groupIsAlive(leader) && performance.now() < lastMs) await Bun.sleep(processPollMs);
  signalGroup(leader, "SIGKILL");
}

/** Resolves when a dead process's output has arrived, or a stray one holds it open for too long. */
export async function outputClosed(streams: readonly (Readable | null)[]): Promise<void> {
  const closed = streams.map((stream) =>
    stream === null || stream.closed
      ? Promise.resolve()
      : new Promise<void>((resolve) => {
          stream.once("close", () => resolve());
        }),
  );
  await Promise.race([Promise.all(closed), Bun.sleep(processDrainMs)]);
  for (const stream of streams) stream?.destroy();
}

/**
 * Kills what left its group but still carries the mark in its environment, as programs do that
 * make themselves a daemon. Only Linux shows environments; who cleared theirs is not found.
 */
export async function killStrays(mark: string): Promise<void> {
  for (let scan = 0; scan < strayScansMax; scan++) {
    const names = await readdir("/proc").catch(() => []);
    const pids = names.filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid);
    const found = await Promise.all(pids.map((pid) => killMarked(pid, mark)));
    // One that was killed may have started another, one that is starting shows nothing yet.
    if (!found.includes(true)) return;
    await Bun.sleep(strayScanMs);
  }
}

/** True if the process was marked and killed, or is just starting and can't be told yet. */
async function killMarked(pid: string, mark: string): Promise<boolean> {
  const environ = await readFile(`/proc/${pid}/environ`).catch(() => undefined);
  if (environ === undefined) return false;
  if (environ.length === 0) return isStarting(pid);
  if (!environ.includes(mark)) return false;
  return signalProcess(Number(pid), "SIGKILL");
}

/** In the middle of exec a process has no environment, as zombies and kernel threads never have. */
async function isStarting(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isKernelThread = pid === "2" || parent === "2";
  return state !== undefined && /^[RD]$/.test(state) && !isKernelThread;
}

/** A variable by which a process and all that it starts can be found again. */
export function markVariable(): { readonly name: string; readonly value: string } {
  return { name: "NOETL_CALL_MARK", value: crypto.randomUUID() };
}

function groupIsAlive(leader: number | undefined): boolean {
  return leader !== undefined && signalProcess(-leader, 0);
}

/** Signals a process and all it started in its group; a group that is gone is no error. */
export function signalGroup(leader: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (leader !== undefined) signalProcess(-leader, signal);
}

/** False if there was nothing to signal any more. */
function signalProcess(pid: number, signal: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
