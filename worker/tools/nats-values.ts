// Bytes of NATS to values of playbooks and back: text stays text, JSON is JSON where it was asked
// for, and what is neither travels as base64 and says so.

import type { Json } from "#core/model/json";
import { configFailure } from "./call-config.ts";
import { jsonOrText } from "./exact-json.ts";

export type NatsEncoding = "utf8" | "base64" | "json";

/** A value with the encoding it was found to have. */
export interface NatsValue {
  readonly value: Json;
  readonly encoding: NatsEncoding;
}

export function natsEncoding(text: string | undefined): NatsEncoding {
  if (text === undefined || text === "utf8" || text === "utf-8" || text === "text") return "utf8";
  if (text === "base64" || text === "json") return text;
  throw configFailure(`encoding: expected utf8, base64 or json, found "${text}"`);
}

/** The value of bytes; what is not UTF-8 comes as base64 whatever was asked for. */
export function natsValue(bytes: Uint8Array, asked: NatsEncoding): NatsValue {
  if (asked === "base64") return { value: base64(bytes), encoding: "base64" };
  const text = utf8(bytes);
  if (text === undefined) return { value: base64(bytes), encoding: "base64" };
  if (asked === "utf8") return { value: text, encoding: "utf8" };
  const value = jsonOrText(text);
  return { value, encoding: typeof value === "string" && value === text ? "utf8" : "json" };
}

/** The bytes of a value: text as it is unless another encoding is asked for, all else as JSON. */
export function natsBytes(name: string, value: Json, encoding: NatsEncoding): Uint8Array {
  if (encoding === "json") return Buffer.from(JSON.stringify(value));
  if (encoding === "utf8") {
    return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  }
  if (typeof value !== "string") throw configFailure(`${name}: expected base64 text`);
  const bytes = Buffer.from(value, "base64");
  const written = value.replace(/\s|=+$/g, "");
  // Buffer skips what is no base64, which would store something else than what was meant.
  if (bytes.toString("base64").replace(/=+$/, "") !== written) {
    throw configFailure(`${name}: expected base64 text`);
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
