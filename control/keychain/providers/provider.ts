// What providers of secrets share: what they are asked, and what they give.

import type { KeychainSettings } from "#control/keychain/options";
import type { AskOutside } from "#control/keychain/outside";
import { Fault } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import type { Clock } from "#core/ports/clock";

export interface ProviderParts {
  readonly ask: AskOutside;
  readonly clock: Pick<Clock, "nowMs">;
  readonly settings: Partial<KeychainSettings>;
  readonly readText?: ((path: string) => Promise<string>) | undefined;
}

/** A secret at its provider; `auth` is what speaks to it, fields of a credential. */
export interface SecretAsk {
  readonly ref: string;
  readonly version?: string;
  readonly auth: JsonObject;
  readonly region?: string;
  readonly project?: string;
  readonly vaultUrl?: string;
  readonly namespace?: string;
}

/** A text, or fields. */
export interface ProviderSecret {
  readonly value: string | JsonObject;
  /** How long it is good for, where its provider says. */
  readonly expiresInSeconds?: number;
}

export type ReadSecret = (ask: SecretAsk) => Promise<ProviderSecret>;

/** The first of the fields that is a text, or a number written as one. */
export function textOf(from: JsonObject, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value: Json | undefined = Object.hasOwn(from, name) ? from[name] : undefined;
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return undefined;
}

/** @throws Fault `invalid` that names the fields, never what stands in others. */
export function neededText(what: string, from: JsonObject, ...names: readonly string[]): string {
  const text = textOf(from, ...names);
  if (text !== undefined) return text;
  throw new Fault("invalid", `${what}: expected ${names.join(" or ")}`);
}

/**
 * What was got by signing in, once for all requests that are made with the same fields; it is
 * forgotten with them.
 */
export function onceFor<Value>(
  known: WeakMap<JsonObject, Promise<Value>>,
  auth: JsonObject,
  signIn: () => Promise<Value>,
): Promise<Value> {
  const found = known.get(auth) ?? signIn();
  known.set(auth, found);
  return found;
}

export function secondsOf(value: Json | undefined): number | undefined {
  const seconds = typeof value === "string" ? Number(value) : value;
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0
    ? seconds
    : undefined;
}

/** Path segments of a reference, none of which leads anywhere else. */
export function pathOf(what: string, ref: string): string {
  const parts = ref.replace(/^\/+|\/+$/g, "").split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    throw new Fault("invalid", `${what}: expected the name of a secret`);
  }
  return parts.map(encodeURIComponent).join("/");
}

export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (unit) =>
    unit.charCodeAt(0),
  );
}

/** @throws Fault `invalid` for what is no base64 of UTF-8 text. */
export function textOfBase64(what: string, base64: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytesOfBase64(base64));
  } catch {
    throw new Fault("invalid", `${what}: the secret is no text`);
  }
}

export function formOf(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

export const formType = { "content-type": "application/x-www-form-urlencoded" } as const;
