// Keeps the values of credentials out of everything that leaves a tool: outputs, log lines,
// checkpoints. Values, not key names; what is plainly public in a credential stays readable.

import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { redactor } from "#worker/tools/auth";
import type { Credential } from "#worker/tools/tool";

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
  return [...found, ...pairsOf(credential.data)].flatMap((text) => [text, base64(text)]);
}

function textsOf(value: Json): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isJsonObject(value) ? Object.values(value).flatMap(textsOf) : [];
}

/** `user:password`, as basic authentication joins and encodes them. */
function pairsOf(data: JsonObject): readonly string[] {
  const user = data.username ?? data.user ?? data.db_user;
  const password = data.password ?? data.db_password;
  return typeof user === "string" && typeof password === "string" ? [`${user}:${password}`] : [];
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The secrets that one command was given. */
export class Redaction {
  readonly #secrets = new Set<string>();
  #redact: ((text: string) => string) | undefined;

  note(credential: Credential): void {
    for (const secret of secretsOf(credential)) this.#secrets.add(secret);
    this.#redact = redactor([...this.#secrets]);
  }

  text(text: string): string {
    return this.#redact === undefined ? text : this.#redact(text);
  }

  json(value: JsonObject): JsonObject {
    const redact = this.#redact;
    // An object stays one: only its texts change.
    return redact === undefined ? value : (redacted(value, redact) as JsonObject);
  }

  /** The output itself while the command has no secrets. */
  output(output: Output): Output {
    const redact = this.#redact;
    // An output is JSON; its shape is kept, only texts change.
    return redact === undefined
      ? output
      : (redacted(output as unknown as Json, redact) as unknown as Output);
  }
}

function redacted(value: Json, redact: (text: string) => string): Json {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redacted(item, redact));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redact(key), redacted(item, redact)]),
  );
}
