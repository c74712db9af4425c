// Reads the rendered config of a tool call: aliases of one field, loose scalars, the deadline.
// A field of the wrong shape ends the call with a `config` failure that names it, never its value.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { type ToolContext, ToolFailure } from "./tool.ts";

/** Longer timers fire at once in JavaScript, so a deadline is never set further away. */
const timerMsMax = 2_147_483_647;

/** A field as found: under which of its names, and what it holds. */
export interface Field<Value = Json> {
  readonly name: string;
  readonly value: Value;
}

export function configFailure(message: string): ToolFailure {
  return new ToolFailure({ kind: "config", message, retryable: false });
}

function shapeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

export function wrongShape(name: string, expected: string, value: Json): ToolFailure {
  return configFailure(`${name}: expected ${expected}, found ${shapeOf(value)}`);
}

/**
 * The first of the names that is present; `null` and "" count as absent, as templates leave them.
 */
export function field(config: JsonObject, ...names: readonly string[]): Field | undefined {
  for (const name of names) {
    const value = Object.hasOwn(config, name) ? config[name] : undefined;
    if (value !== undefined && value !== null && value !== "") return { name, value };
  }
  return undefined;
}

export function textField(
  config: JsonObject,
  ...names: readonly string[]
): Field<string> | undefined {
  const found = field(config, ...names);
  if (found === undefined) return undefined;
  if (typeof found.value !== "string") throw wrongShape(found.name, "text", found.value);
  return { name: found.name, value: found.value };
}

/** A number, or text that is one: a template inside quotes leaves text behind. */
export function numberField(
  config: JsonObject,
  ...names: readonly string[]
): Field<number> | undefined {
  const found = field(config, ...names);
  if (found === undefined) return undefined;
  const { name, value } = found;
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    throw wrongShape(name, "a number", value);
  }
  return { name, value: number };
}

export function flagField(config: JsonObject, fallback: boolean, name: string): boolean {
  const found = field(config, name);
  if (found === undefined) return fallback;
  if (typeof found.value === "boolean") return found.value;
  if (typeof found.value === "string" && /^(true|false)$/i.test(found.value)) {
    return found.value.toLowerCase() === "true";
  }
  throw wrongShape(name, "true or false", found.value);
}

export function objectField(
  config: JsonObject,
  ...names: readonly string[]
): Field<JsonObject> | undefined {
  const found = field(config, ...names);
  if (found === undefined) return undefined;
  if (!isJsonObject(found.value)) throw wrongShape(found.name, "an object", found.value);
  return { name: found.name, value: found.value };
}

/** Text of a scalar; undefined for lists, objects and null. */
export function scalarText(value: Json | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

/** A call's own end in time: aborted by its timeout or by the command's signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** When it will end by itself, on the monotonic clock. */
  readonly endsAtMs: number;
  /** The failure that its end means; undefined while it has not ended. */
  ended(): ToolFailure | undefined;
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}

/**
 * Runs `work` under the shorter of the command's time and the call's own `timeout_seconds` or
 * `timeout` (seconds). A timeout is retryable, a cancellation is not.
 */
export async function withDeadline<Result>(
  config: JsonObject,
  context: ToolContext,
  work: (deadline: Deadline) => Promise<Result>,
): Promise<Result> {
  const timeoutMs = timeoutMsOf(config, context.timeoutMs);
  const controller = new AbortController();
  const timedOut = new DOMException(`timed out after ${timeoutMs} ms`, "TimeoutError");
  const timer = setTimeout(() => controller.abort(timedOut), timeoutMs);
  const abort = () => controller.abort(context.signal.reason);
  if (context.signal.aborted) abort();
  context.signal.addEventListener("abort", abort, { once: true });
  const ended = (): ToolFailure | undefined => {
    if (!controller.signal.aborted) return undefined;
    return isTimeout(controller.signal.reason)
      ? new ToolFailure({
          kind: "timeout",
          message: `timed out after ${timeoutMs} ms`,
          retryable: true,
        })
      : new ToolFailure({ kind: "cancelled", message: "the call was cancelled", retryable: false });
  };
  try {
    const endsAtMs = performance.now() + timeoutMs;
    return await work({ signal: controller.signal, timeoutMs, endsAtMs, ended });
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", abort);
  }
}

function timeoutMsOf(config: JsonObject, commandMs: number): number {
  const own = numberField(config, "timeout_seconds", "timeout");
  if (own !== undefined && own.value <= 0) {
    throw configFailure(`${own.name}: expected seconds above 0, found ${own.value}`);
  }
  const ownMs = own === undefined ? timerMsMax : own.value * 1_000;
  return Math.max(1, Math.ceil(Math.min(ownMs, commandMs, timerMsMax)));
}
