// What every operation of the nats tool is given, and how it reads the fields of its call.

import { JetStreamApiError, type JetStreamClient } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

import type { Json, JsonObject } from "#core/model/json";
import { configFailure, field, numberField, textField } from "./call-config.ts";
import { natsFailure } from "./nats-failure.ts";
import { type NatsEncoding, natsBytes } from "./nats-values.ts";
import type { ToolContext } from "./tool.ts";

export interface NatsCall {
  readonly config: JsonObject;
  readonly connection: NatsConnection;
  readonly manager: Awaited<ReturnType<JetStreamClient["jetstreamManager"]>>;
  readonly context: ToolContext;
  /** What one request may take; the client's own limit, the call's deadline stands above it. */
  readonly timeoutMs: number;
  readonly encoding: NatsEncoding;
}

/** One operation: the data of its outcome. */
export type NatsOperation = (call: NatsCall) => Promise<JsonObject>;

/** A text field that the operation cannot do without. */
export function neededText({ config }: NatsCall, name: string): string {
  const found = textField(config, name);
  if (found === undefined) throw configFailure(`${name}: expected text, found nothing`);
  return found.value;
}

/** A whole number from `min` on; undefined where there is none. */
export function wholeNumber({ config }: NatsCall, name: string, min: number): number | undefined {
  const found = numberField(config, name);
  if (found === undefined) return undefined;
  if (!Number.isSafeInteger(found.value) || found.value < min) {
    throw configFailure(`${name}: expected a whole number from ${min}, found ${found.value}`);
  }
  return found.value;
}

/** The bytes of `value` or `data`; empty text is a value too. */
export function payload(call: NatsCall, ...names: readonly string[]): Uint8Array {
  for (const name of names) {
    const value: Json | undefined = call.config[name];
    if (value !== undefined && value !== null) return natsBytes(name, value, call.encoding);
  }
  throw configFailure(`${names[0]}: expected a value, found nothing`);
}

/** Messages travel whole, so the server's own limit is told before anything is sent. */
export function checkSize(call: NatsCall, bytes: Uint8Array): void {
  const max = call.connection.info?.max_payload;
  if (max === undefined || bytes.length <= max) return;
  throw natsFailure(
    "too_large",
    `the value has ${bytes.length} bytes, the server takes ${max}; use object_put`,
  );
}

/** Undefined for what JetStream says is not there. */
export async function unlessMissing<Result>(
  asked: Promise<Result>,
  missingCode: number,
): Promise<Result | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === missingCode) return undefined;
    throw error;
  }
}

export const noStreamCode = 10_059;
export const noConsumerCode = 10_014;

/** True if the field is there and not empty. */
export function isGiven({ config }: NatsCall, name: string): boolean {
  return field(config, name) !== undefined;
}
