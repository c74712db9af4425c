// Keeps the values of credentials out of everything that leaves a tool: outputs, log lines,
// checkpoints. Values, not key names; what is plainly public in a credential stays readable.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { secretDigitsMin } from "#core/model/keychain-limits";
import type { Output } from "#core/model/outcome";
import type { Credential } from "#worker/tools/tool";
import { blank, blanker, formsOf } from "./secret-forms.ts";

/** What may be shown of a credential (language reference §6, with and without a `db_` prefix). */
const publicKeys: ReadonlySet<string> = new Set([
  "host",
  "port",
  "user",
  "username",
  "name",
  "database",
  "schema",
  "type",
  "header",
  "scope",
  "scopes",
  "region",
  "account",
  "role",
  "warehouse",
  "endpoint",
  "audience",
  "sslmode",
]);

const isPublic = (key: string): boolean =>
  publicKeys.has(key.toLowerCase().replace(/^(?:db|sf|nats)_/, ""));

/** Every text of the credential that nobody but its service should see. */
export function secretsOf(credential: Credential): readonly string[] {
  const found = Object.entries(credential.data).flatMap(([key, value]) =>
    isPublic(key) ? [] : textsOf(value),
  );
  return [...found, ...pairsOf(credential.data)];
}

function textsOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return digitsOf(value);
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isJsonObject(value) ? Object.values(value).flatMap(textsOf) : [];
}

/** `user:password`, as basic authentication joins and encodes them. */
function pairsOf(data: JsonObject): readonly string[] {
  const user = data.username ?? data.user ?? data.db_user;
  const password = data.password ?? data.db_password;
  return typeof user === "string" && typeof password === "string" ? [`${user}:${password}`] : [];
}

/** A number with few digits stands for many things: blanking it out would say less than nothing. */
function digitsOf(value: number): readonly string[] {
  const text = String(value);
  return text.replace(/\D/g, "").length >= secretDigitsMin ? [text] : [];
}

/** An entry of the keychain that the command has read, and until when it need not ask again. */
export interface ReadEntry {
  readonly entry: Credential;
  readonly untilMs: number;
}

/** The secrets that one command was given. */
export class Redaction {
  /** By name. */
  readonly entries = new Map<string, ReadEntry>();
  readonly #forms = new Set<string>();
  #redact: ((text: string) => string) | undefined;

  note(credential: Credential): void {
    const before = this.#forms.size;
    for (const secret of secretsOf(credential)) {
      for (const form of formsOf(secret)) this.#forms.add(form);
    }
    if (this.#forms.size > before) this.#redact = blanker([...this.#forms]);
  }

  text(text: string): string {
    return this.#redact === undefined ? text : this.#redact(text);
  }

  /** The value itself while the command has no secrets. */
  value<Value extends Json>(value: Value): Value {
    const redact = this.#redact;
    // Its shape is kept: only texts change, and numbers that are secrets.
    return redact === undefined ? value : (redacted(value, redact) as Value);
  }

  json(value: JsonObject): JsonObject {
    return this.value(value);
  }

  /** Likewise. */
  output(output: Output): Output {
    // An output is JSON.
    return this.value(output as unknown as JsonObject) as unknown as Output;
  }
}

function redacted(value: Json, redact: (text: string) => string): Json {
  if (typeof value === "string") return redact(value);
  if (typeof value === "number") return redactedNumber(value, redact);
  if (Array.isArray(value)) return value.map((item) => redacted(item, redact));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redact(key), redacted(item, redact)]),
  );
}

/** Only a number that is a secret as a whole: within others its digits are chance. */
function redactedNumber(value: number, redact: (text: string) => string): Json {
  return redact(String(value)) === blank ? blank : value;
}
