// An event as clients of either dialect write it, put into what it means here: an outcome of a
// command, a sign of life, an event of the caller's own, a cancellation. What means nothing is refused
// before anything is recorded.

import { eventErrorCharsMax, eventNameCharsMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import { isSnowflake } from "#core/model/ids";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Failure, Output, ResultRef } from "#core/model/outcome";

/** The fields by all their names; a schema has seen to their types. */
export interface WireEvent {
  readonly name?: string;
  readonly event_type?: string;
  readonly step?: string | null;
  readonly node_name?: string | null;
  readonly node_id?: string | null;
  readonly payload?: unknown;
  readonly context?: unknown;
  readonly result?: unknown;
  readonly command_id?: string | null;
  readonly status?: string | null;
  readonly error?: unknown;
  readonly duration?: number | null;
  readonly meta?: unknown;
  readonly worker_id?: string | null;
}

/** A command by its own id, or by that of the event that issued it. */
export type CommandName = { readonly commandId: string } | { readonly eventId: string };

export type EventInput =
  | {
      readonly kind: "settle";
      readonly command: CommandName;
      readonly worker: string;
      readonly attempt?: number;
      readonly output: Output;
      readonly durationMs: number;
    }
  | { readonly kind: "alive"; readonly command?: CommandName; readonly worker?: string }
  | { readonly kind: "emit"; readonly name: string; readonly step?: string; readonly data?: Json }
  | { readonly kind: "cancel"; readonly reason?: string };

const settling: ReadonlySet<string> = new Set([
  ...["call.done", "call.error", "command.completed", "command.failed"],
  ...["action.completed", "action.error"],
]);
const failing: ReadonlySet<string> = new Set(["call.error", "command.failed", "action.error"]);
const cancelling: ReadonlySet<string> = new Set([
  ...["execution.cancelled", "playbook.cancelled", "workflow.cancelled"],
]);
/** First words of names that the platform itself gives: what it is told by them it knows already. */
const own: ReadonlySet<string> = new Set([
  ...["playbook", "workflow", "execution", "step", "command", "call", "action", "loop", "frame"],
  ...["stage", "batch", "child", "wait", "vars", "request", "cursor", "event", "result"],
]);

/** @param worker of a batch, for events that name none. @throws Fault `invalid`. */
export function eventInput(event: WireEvent, worker?: string): EventInput {
  const name = nameOf(event);
  const payload = mapIn("payload", event.payload ?? event.context) ?? {};
  const meta = mapIn("meta", event.meta) ?? {};
  const result = resultOf(event, payload);
  refuseInternal(payload, result);
  if (cancelling.has(name)) {
    const { reason } = payload;
    return { kind: "cancel", ...(typeof reason === "string" ? { reason } : {}) };
  }
  const who = textOf(event.worker_id) ?? textOf(payload.worker_id) ?? worker;
  const command = commandOf(event, { payload, meta, result });
  if (settling.has(name)) return settleOf(event, { name, payload, meta, result, who, command });
  if (own.has(name.slice(0, name.indexOf(".")))) {
    return {
      kind: "alive",
      ...(command === undefined ? {} : { command }),
      ...(who === undefined || who.includes("\0") ? {} : { worker: who }),
    };
  }
  const step = textOf(event.step) ?? textOf(event.node_name) ?? textOf(event.node_id);
  return {
    kind: "emit",
    name,
    ...(step === undefined ? {} : { step }),
    ...(event.payload === undefined && event.context === undefined ? {} : { data: payload }),
  };
}

const namePattern = /^[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+$/;

/** Names of the older dialect have an underscore for the first dot. */
function nameOf({ name, event_type: type }: WireEvent): string {
  const given = (name ?? type ?? "").trim().toLowerCase();
  const dotted = given.includes(".") ? given : given.replace("_", ".");
  if (namePattern.test(dotted) && dotted.length <= eventNameCharsMax) return dotted;
  throw new Fault("invalid", "name: expected the name of an event, like call.done");
}

function mapIn(field: string, value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  // It came as JSON.
  if (isJsonObject(value as Json)) return value as JsonObject;
  throw new Fault("invalid", `${field}: expected a map`);
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const resultKeys: ReadonlySet<string> = new Set(["status", "reference", "context", "command_id"]);

function resultOf({ result }: WireEvent, payload: JsonObject): JsonObject | undefined {
  const found = result ?? payload.result;
  // A result that is no map is the data itself.
  if (found === undefined || found === null || !isJsonObject(found as Json)) return undefined;
  const map = found as JsonObject;
  for (const key of Object.keys(map)) {
    if (resultKeys.has(key)) continue;
    const expected = [...resultKeys].join(", ");
    throw new Fault("invalid", `result: expected ${expected}, found another key`);
  }
  for (const key of ["reference", "context"] as const) mapIn(`result.${key}`, map[key]);
  return map;
}

function refuseInternal(...maps: readonly (JsonObject | undefined)[]): void {
  for (const map of maps) {
    if (map === undefined || !Object.hasOwn(map, "_internal_data")) continue;
    throw new Fault("invalid", "payload: expected no _internal_data");
  }
}

interface Parts {
  readonly payload: JsonObject;
  readonly meta: JsonObject;
  readonly result: JsonObject | undefined;
}

function commandOf(event: WireEvent, { payload, meta, result }: Parts): CommandName | undefined {
  const within = (value: Json | undefined): Json | undefined =>
    value !== undefined && isJsonObject(value) ? value.command_id : undefined;
  const places = [
    ...[event.command_id, payload.command_id, meta.command_id, within(payload.context)],
    ...[result?.command_id, within(result?.context)],
  ];
  const text = places
    .map((place) => textOf(place) ?? numberText(place))
    .find((id) => id !== undefined);
  if (text === undefined) return undefined;
  return isSnowflake(text) ? { eventId: text } : { commandId: text };
}

const numberText = (value: unknown): string | undefined =>
  typeof value === "number" ? String(value) : undefined;

interface Settling extends Parts {
  readonly name: string;
  readonly who: string | undefined;
  readonly command: CommandName | undefined;
}

function settleOf(event: WireEvent, parts: Settling): EventInput {
  const { name, payload, meta, result, who, command } = parts;
  if (command === undefined) {
    throw new Fault("invalid", `command_id: expected the command that ${name} is of`);
  }
  if (who === undefined || who.includes("\0")) {
    throw new Fault("invalid", "worker_id: expected who leased the command");
  }
  const attempt = meta.attempt ?? payload.attempt;
  return {
    kind: "settle",
    command,
    worker: who,
    ...(typeof attempt === "number" ? { attempt } : {}),
    output: outputOf(event, { name, payload, result }),
    durationMs: durationOf(event, payload),
  };
}

function durationOf({ duration }: WireEvent, payload: JsonObject): number {
  const { duration_ms: ms } = payload;
  if (typeof ms === "number" && ms >= 0) return ms;
  return typeof duration === "number" && duration >= 0 ? duration * 1_000 : 0;
}

const failedStatuses: ReadonlySet<string> = new Set(["failed", "error", "cancelled"]);

function outputOf(
  event: WireEvent,
  { name, payload, result }: Pick<Settling, "name" | "payload" | "result">,
): Output {
  const status = textOf(result?.status) ?? textOf(event.status) ?? textOf(payload.status) ?? "";
  const isError = failing.has(name) || failedStatuses.has(status.toLowerCase());
  const ref = referenceOf(result);
  const data = ref === undefined ? dataOf(payload, result) : undefined;
  return {
    status: isError ? "error" : "ok",
    ...(ref === undefined ? {} : { ref }),
    ...(data === undefined ? {} : { data }),
    ...(isError ? { error: failureOf(event.error ?? payload.error ?? result?.context) } : {}),
  };
}

function dataOf(payload: JsonObject, result: JsonObject | undefined): Json | undefined {
  if (result !== undefined) return result.context;
  // One that isn't a map, or nothing.
  const whole = payload.result;
  if (whole !== undefined && whole !== null) return whole;
  return payload.data ?? payload.response ?? payload.output_inline ?? payload.outputs;
}

/** What is kept beside a reference is its summary. */
function referenceOf(result: JsonObject | undefined): ResultRef | undefined {
  const reference = result?.reference;
  if (reference === undefined || reference === null || !isJsonObject(reference)) return undefined;
  const { ref, meta, store } = reference;
  if (typeof ref !== "string") {
    throw new Fault("invalid", "result.reference: expected a ref like noetl://execution/…");
  }
  const known = meta !== undefined && isJsonObject(meta) ? meta : {};
  const { bytes, media_type: mediaType, content_type: contentType, sha256 } = known;
  const context = result?.context;
  return {
    kind: "result_ref",
    ref,
    store: typeof store === "string" ? store : "db",
    scope: "execution",
    meta: {
      bytes: typeof bytes === "number" ? bytes : 0,
      media_type: textOf(mediaType) ?? textOf(contentType) ?? "application/json",
      ...(typeof sha256 === "string" ? { sha256 } : {}),
    },
    ...(context === undefined || context === null ? {} : { extracted: context }),
  };
}

/** A failure as text or as a map; one that says nothing has failed all the same. */
export function failureOf(error: unknown): Failure {
  const map = isJsonObject((error ?? null) as Json) ? (error as JsonObject) : undefined;
  const inner = map?.error;
  if (map !== undefined && map.message === undefined && inner !== undefined)
    return failureOf(inner);
  const message = textOf(error) ?? textOf(map?.message) ?? textOf(map?.detail) ?? "failed";
  const kind = textOf(map?.kind) ?? textOf(map?.type) ?? "reported";
  const code = map?.code;
  return {
    kind,
    message: message.slice(0, eventErrorCharsMax),
    retryable: map?.retryable === true,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
  };
}
