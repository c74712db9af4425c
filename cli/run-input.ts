// What a run is started with, from the command line: its input from a file, a JSON text and single
// values, each laid over the one before it, and its place in line.

import { readFileSync } from "node:fs";
import { messageOf } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { priorityMax } from "#core/model/limits";
import { parseJsonExactly } from "#core/wire/problem";
import { type Arguments, UsageError } from "./arguments.ts";
import type { RunRequest } from "./run-host.ts";

/** Keys that would reach an object's prototype instead of its data. */
const unsafeKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** @throws UsageError for a file that can't be read, and for text that is no map. */
export function runInput(args: Arguments): JsonObject {
  const input: Record<string, Json> = {};
  const file = args.text("input");
  if (file !== undefined)
    Object.assign(input, mapIn(`--input ${file}`, fileText(file), Bun.YAML.parse));
  const payload = args.text("payload");
  if (payload !== undefined) Object.assign(input, mapIn("--payload", payload, parseJsonExactly));
  for (const assignment of args.list("set")) assign(input, assignment);
  return input;
}

/**
 * The execution's priority and tenant, where they were given.
 * @throws UsageError for what no execution may have.
 */
export function runTerms(args: Arguments): Pick<RunRequest, "priority" | "tenant"> {
  const [priority, tenant] = [args.text("priority"), args.text("tenant")];
  if (priority !== undefined && !isPriority(priority)) {
    const whole = `a whole number from -${priorityMax} to ${priorityMax}`;
    throw new UsageError(`--priority: expected ${whole}, found ${priority}`);
  }
  if (tenant === "") throw new UsageError("--tenant: expected a name, found nothing");
  return {
    ...(priority === undefined ? {} : { priority: Number(priority) }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

function isPriority(text: string): boolean {
  return /^[+-]?\d{1,9}$/.test(text) && Math.abs(Number(text)) <= priorityMax;
}

function fileText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    throw new UsageError(`--input ${file}: can't be read: ${messageOf(thrown)}`);
  }
}

function mapIn(what: string, text: string, parse: (text: string) => unknown): JsonObject {
  let value: unknown;
  try {
    value = parse(text);
  } catch (thrown) {
    throw new UsageError(`${what}: ${messageOf(thrown)}`);
  }
  if (!isJsonObject(value)) throw new UsageError(`${what}: expected a map of values`);
  return value;
}

/** `a.b=5`: maps are made on the way; a value that isn't JSON is text. */
function assign(input: Record<string, Json>, assignment: string): void {
  const equals = assignment.indexOf("=");
  const keys = assignment.slice(0, equals).split(".");
  if (equals < 1 || keys.includes("")) {
    throw new UsageError(
      `--set ${assignment}: expected key=value, or a.b=value for a map in a map`,
    );
  }
  const unsafe = keys.find((key) => unsafeKeys.has(key));
  if (unsafe !== undefined) throw new UsageError(`--set ${assignment}: ${unsafe} can't be a key`);
  const last = keys.pop() ?? "";
  let place = input;
  for (const key of keys) {
    const inner = place[key];
    // A copy, for what came from a file is not ours to change.
    const next: Record<string, Json> = isJsonObject(inner) ? { ...inner } : {};
    place[key] = next;
    place = next;
  }
  place[last] = jsonOrText(assignment.slice(equals + 1));
}

function jsonOrText(text: string): Json {
  try {
    return parseJsonExactly(text) as Json;
  } catch {
    return text;
  }
}
