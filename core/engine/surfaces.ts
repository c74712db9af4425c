// A state told in parts that others can compare: each surface is plain JSON in a fixed shape and
// order, with a checksum of its own, so that two replays can say where they differ.

import { canonicalJson } from "#core/model/canonical-json";
import type { Sha256 } from "#core/model/codec";
import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { summarise } from "#core/model/summary";
import type { CursorState, ExecutionState, OpenCommand, WaitState } from "./state.ts";
import { type Held, StoredValue } from "./variables.ts";

export interface Surfaces {
  readonly execution: JsonObject;
  readonly steps: readonly JsonObject[];
  readonly commands: readonly JsonObject[];
  readonly loops: readonly JsonObject[];
  readonly variables: JsonObject;
}

export interface SurfaceChecksums {
  readonly execution: string;
  readonly steps: string;
  readonly commands: string;
  readonly loops: string;
  readonly variables: string;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What is held, as JSON: a stored value as its reference. */
function plain(value: Held): Json {
  if (value instanceof StoredValue) return json(value.ref);
  if (Array.isArray(value)) return value.map((part) => plain(part as Held));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, plain(part as Held)]);
  return Object.fromEntries(entries) as Json;
}

/** For interfaces of the house whose fields are JSON by their types. */
const json = (value: object): Json => value as unknown as Json;

/** The whole state in surfaces; steps, commands and loops by name or id. */
export function surfacesOf(state: ExecutionState): Surfaces {
  const { started, result, error } = state;
  return {
    execution: {
      execution_id: state.executionId,
      seq: state.seq,
      digest: state.digest,
      status: state.status,
      path: started?.path ?? "",
      version: started?.version ?? 0,
      failed_steps: [...state.failed.keys()].sort(byText),
      ...(result === undefined ? {} : { result: plain(result) }),
      ...(error === undefined ? {} : { error: json(error) }),
    },
    steps: [...state.steps]
      .sort(([a], [b]) => byText(a, b))
      .map(([step, { status, visits, output, stats, results }]) => ({
        step,
        status,
        visits,
        ...(output === undefined ? {} : { output: json(output) }),
        ...(stats === undefined ? {} : { stats: json(stats) }),
        ...(results === undefined ? {} : { results: plain(results) }),
      })),
    commands: [...state.commands.values()]
      .sort((a, b) => byText(a.commandId, b.commandId))
      .map(commandSurface),
    loops: loopsOf(state),
    variables: Object.fromEntries(
      Object.entries(state.variables).map(([name, value]) => [name, plain(value)]),
    ),
  };
}

function loopsOf(state: ExecutionState): readonly JsonObject[] {
  return [...state.active]
    .sort(([a], [b]) => byText(a, b))
    .flatMap(([step, { visit, loop }]) => {
      if (loop === undefined) return [];
      const { entry, next, done, failed, results } = loop;
      const { mode, total } = entry;
      const held = Object.keys(results).map((place) => [
        Number(place),
        plain(results[Number(place)] ?? null),
      ]);
      const cursor = loop.cursor === undefined ? {} : { cursor: cursorSurface(loop.cursor) };
      const issued = { step, visit, mode, total, issued: next, done, failed };
      return [{ ...issued, results: held as Json, ...cursor }];
    });
}

/** How far a queue has been drained; its rows are in the log. */
function cursorSurface({ frames, open, rows, dry }: CursorState): JsonObject {
  return { frames, open, rows, dry };
}

/** SHA-256 over the canonical JSON of each surface, and over those together. */
export function checksumsOf(
  surfaces: Surfaces,
  sha256: Sha256,
): { readonly checksum: string; readonly checksums: SurfaceChecksums } {
  const of = (value: Json): string => sha256(canonicalJson(value));
  const checksums = {
    execution: of(surfaces.execution),
    steps: of(surfaces.steps),
    commands: of(surfaces.commands),
    loops: of(surfaces.loops),
    variables: of(surfaces.variables),
  };
  return { checksum: of(checksums), checksums };
}

/** An outcome as lists show it: its data in summary, its reference in whole. */
export function outputSummary(output: Output): JsonObject {
  const { data, tasks: _tasks, ...rest } = output;
  return {
    ...(json(rest) as JsonObject),
    ...(data === undefined ? {} : { data: summarise(data) }),
  };
}

/** An open command, as replays show it. */
export function commandSurface(command: OpenCommand) {
  return {
    command_id: command.commandId,
    step: command.step,
    visit: command.visit,
    kind: command.kind,
    attempt: command.attempt,
    waiting: command.waiting === true,
    ...(command.iteration === undefined ? {} : { iteration: command.iteration }),
    ...(command.child === undefined ? {} : { child_execution_id: command.child.id }),
    ...(command.wait === undefined ? {} : { wait: waitSurface(command.wait) }),
  };
}

/** What an open command waits for, and until when. */
function waitSurface({ for: what, key, due }: WaitState): JsonObject {
  return { for: what, key, ...(due === undefined ? {} : { due }) };
}
