// Where a pipeline stopped to wait without its slot, as JSON that any worker of this version goes
// on from. Holds no config: holes are filled again, so nothing that a credential gave is in it.
// The state travels as a text of its own, so that every number in it comes back as it was.

import type { WorkerCommand } from "#core/model/command";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { checkpointBytesMax } from "#core/model/limits";
import type { Entries, ScopeState } from "./task-scope.ts";

/** How far a pipeline has come, and which task is the next. */
export interface Progress {
  readonly index: number;
  /** Tasks that have run, of those that one pipeline may run. */
  readonly executed: number;
  /** The next task runs again; it is come to for another time otherwise. */
  readonly retrying: boolean;
  /** Milliseconds of the command's time that are over once the wait is. */
  readonly spentMs: number;
  readonly retries: Entries<number>;
  readonly visits: Entries<number>;
  readonly scope: ScopeState;
}

/** Raised with every change of `Progress`; a checkpoint of another version is not understood. */
const checkpointVersion = 2;

/**
 * The checkpoint, or undefined where it would be larger than one may be. Label and attempt of the
 * task that is to run are for people who read the log.
 */
export function writeCheckpoint(label: string, progress: Progress): JsonObject | undefined {
  const again = progress.retrying ? 1 : 0;
  const attempt = 1 + (new Map(progress.retries).get(label) ?? 0) + again;
  const state = JSON.stringify(progress);
  if (state.length > checkpointBytesMax) return undefined;
  const checkpoint = { version: checkpointVersion, task: label, attempt, state };
  const bytes = Buffer.byteLength(JSON.stringify(checkpoint));
  return bytes <= checkpointBytesMax ? checkpoint : undefined;
}

/** What the command's checkpoint says; undefined without one, or where it isn't understood. */
export function readCheckpoint({ checkpoint, tasks }: WorkerCommand): Progress | undefined {
  if (checkpoint === undefined || checkpoint["version"] !== checkpointVersion) return undefined;
  const { state, task } = checkpoint;
  if (typeof state !== "string" || typeof task !== "string") return undefined;
  const value = parsed(state);
  return isProgress(value) && tasks[value.index]?.label === task ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProgress(value: unknown): value is Progress {
  if (!isJsonObject(value)) return false;
  const { index, executed, retrying, spentMs, retries, visits, scope } = value;
  return (
    typeof retrying === "boolean" &&
    [index, executed, spentMs].every(isCount) &&
    isEntries(retries, isCount) &&
    isEntries(visits, isCount) &&
    isScopeState(scope)
  );
}

function isScopeState(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { results, error, given, variables, iterVariables } = value;
  return (
    isEntries(results, isOutput) &&
    (error === undefined || isJsonObject(error)) &&
    [given, variables, iterVariables].every((entries) => isEntries(entries, () => true))
  );
}

function isOutput(value: unknown): boolean {
  return isJsonObject(value) && (value["status"] === "ok" || value["status"] === "error");
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

function isEntries(value: unknown, holds: (value: unknown) => boolean): boolean {
  if (!Array.isArray(value)) return false;
  return value.every(
    (entry: unknown) =>
      Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string" && holds(entry[1]),
  );
}
