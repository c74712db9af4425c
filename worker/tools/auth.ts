// Turns the `auth` or `credential` field of a call into what a client needs: headers for HTTP,
// connection fields for databases. Explicit fields of the playbook win; secrets stay out of texts.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { configFailure, field, scalarText, wrongShape } from "./call-config.ts";
import { type Credential, type ToolContext, ToolFailure } from "./tool.ts";

function credentialFailure(message: string, cause?: unknown): ToolFailure {
  return new ToolFailure({ kind: "credential", message, retryable: false }, { cause });
}

/** The credential behind an alias; what its store rejects with becomes a `credential` failure. */
export async function credentialOf(alias: string, context: ToolContext): Promise<Credential> {
  return await namedCredential({ name: alias, source: "credential" }, context);
}

/** What a field names: a credential by its alias, or an entry of the playbook's keychain. */
interface Named {
  readonly name: string;
  readonly source: "credential" | "keychain";
}

async function namedCredential({ name, source }: Named, context: ToolContext): Promise<Credential> {
  try {
    return source === "keychain" ? await context.keychain(name) : await context.credential(name);
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    throw credentialFailure(`${source} "${name}" could not be resolved`, error);
  }
}

const alias = (name: string): Named => ({ name, source: "credential" });

function unusable(tool: string, credential: Credential, usable: string): ToolFailure {
  const given = `credential "${credential.name}" of type "${credential.type}"`;
  return credentialFailure(`tool ${tool} cannot use ${given}, expected ${usable}`);
}

function firstText(data: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = scalarText(data[name]);
    if (text !== undefined && text !== "") return text;
  }
  return undefined;
}

function neededText(data: JsonObject, names: readonly string[], where: string): string {
  const text = firstText(data, names);
  if (text === undefined) throw credentialFailure(`${where}: expected ${names.join(" or ")}`);
  return text;
}

// --- HTTP ---------------------------------------------------------------------------------

/** The header that authenticates a request, and the values that no text may repeat. */
export interface HttpAuth {
  readonly header: string;
  readonly value: string;
  readonly secrets: readonly string[];
}

const httpTypes = "bearer, api_key or basic";
const tokenNames = ["token", "access_token", "bearer_token"] as const;
const bearerTypes = new Set([
  "bearer",
  "bearer_token",
  "oauth2",
  "google_oauth",
  "google_id_token",
]);

/** Their tokens are fetched from elsewhere, and run out. */
const exchangedTypes: ReadonlySet<string> = new Set([
  "oauth2",
  "google_oauth",
  "google_id_token",
  "google_service_account",
]);

function unexchanged(where: string, type: string): ToolFailure {
  return credentialFailure(
    `${where}: a credential of type ${type} holds no token; have one fetched by an entry of ` +
      "the keychain, and read it as {{ keychain.<name>.access_token }}",
  );
}

function httpHeader(type: string, data: JsonObject, where: string): HttpAuth | undefined {
  if (bearerTypes.has(type)) {
    const names = [...tokenNames, "id_token"];
    if (exchangedTypes.has(type) && firstText(data, names) === undefined)
      throw unexchanged(where, type);
    const token = neededText(data, names, where);
    return { header: "authorization", value: `Bearer ${token}`, secrets: [token] };
  }
  if (type === "api_key") {
    const value = neededText(data, ["api_key", "key", "value", "token"], where);
    const header = firstText(data, ["header", "header_name"]) ?? "X-API-Key";
    return { header: header.toLowerCase(), value, secrets: [value] };
  }
  if (type === "basic") {
    const user = neededText(data, ["username", "user"], where);
    const password = firstText(data, ["password"]) ?? "";
    const pair = Buffer.from(`${user}:${password}`, "utf8").toString("base64");
    return { header: "authorization", value: `Basic ${pair}`, secrets: [password, pair] };
  }
  return undefined;
}

/**
 * The header for an HTTP call (language reference §2.5, §6): `auth` or `credential` as an alias,
 * or `auth: {type: bearer|basic|api_key|none, credential|token|username|password|header}`.
 */
export async function httpAuth(
  config: JsonObject,
  context: ToolContext,
): Promise<HttpAuth | undefined> {
  const given = field(config, "auth", "credential");
  if (given === undefined) return undefined;
  if (typeof given.value === "string") return httpAuthOf(alias(given.value), {}, context);
  if (!isJsonObject(given.value)) {
    throw wrongShape(given.name, "an alias or an object", given.value);
  }
  const map = given.value;
  const type = firstText(map, ["type"]);
  if (type === "none") return undefined;
  const named = aliasIn(map);
  if (named !== undefined) return httpAuthOf(alias(named), map, context);
  if (type === undefined) {
    const entry = entryFor(map, (entryType) => bearerTypes.has(entryType) || entryType !== "");
    if (entry !== undefined) return httpAuthOf(entry, {}, context);
    throw configFailure(`${given.name}.type: expected ${httpTypes} or none, found nothing`);
  }
  const auth = httpHeader(type, map, given.name);
  if (auth === undefined) {
    throw configFailure(`${given.name}.type: expected ${httpTypes} or none, found "${type}"`);
  }
  return auth;
}

async function httpAuthOf(
  named: Named,
  explicit: JsonObject,
  context: ToolContext,
): Promise<HttpAuth | undefined> {
  const credential = await namedCredential(named, context);
  const where = `${named.source} "${named.name}"`;
  const type = firstText(explicit, ["type"]) ?? credential.type;
  const data = { ...credential.data, ...explicit };
  const auth = httpHeader(type, data, where);
  if (auth !== undefined) return auth;
  if (exchangedTypes.has(type)) throw unexchanged(where, type);
  throw unusable("http", credential, httpTypes);
}

// --- databases ----------------------------------------------------------------------------

const postgresNames: Readonly<Record<string, string>> = {
  db_host: "host",
  db_port: "port",
  db_user: "user",
  db_password: "password",
  db_name: "database",
  username: "user",
  dbname: "database",
  sslmode: "ssl_mode",
  dsn: "connection_string",
  url: "connection_string",
};
const postgresFields = new Set([
  "host",
  "port",
  "user",
  "password",
  "database",
  "connection_string",
  "schema",
  "ssl_mode",
]);

/** A config with the credential's connection fields filled in where the playbook gave none. */
export interface MergedConfig {
  readonly config: JsonObject;
  readonly secrets: readonly string[];
}

/** Resolves `auth`/`credential` of a postgres call (language reference §6). */
export async function postgresAuth(
  config: JsonObject,
  context: ToolContext,
): Promise<MergedConfig> {
  const given = field(config, "auth", "credential");
  const inline = given !== undefined && isJsonObject(given.value) ? given.value : {};
  const named = given === undefined ? undefined : databaseNamed(given.name, given.value);
  const fields: Record<string, Json> = {};
  if (named !== undefined) {
    const credential = await namedCredential(named, context);
    if (!["postgres", "postgresql", "pg"].includes(credential.type.toLowerCase())) {
      throw unusable("postgres", credential, "postgres");
    }
    Object.assign(fields, postgresFieldsOf(credential.data));
  }
  Object.assign(fields, postgresFieldsOf(inline), postgresFieldsOf(config));
  return { config: { ...config, ...fields }, secrets: secretsOf(fields) };
}

function postgresFieldsOf(data: JsonObject): Record<string, Json> {
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(data)) {
    const target = Object.hasOwn(postgresNames, name) ? (postgresNames[name] ?? name) : name;
    if (value === null || value === "" || !postgresFields.has(target)) continue;
    // The plain name is the more deliberate of two spellings.
    if (target !== name && Object.hasOwn(data, target)) continue;
    fields[target] = value;
  }
  return fields;
}

function secretsOf(fields: JsonObject): readonly string[] {
  const secrets = ["password", "connection_string"].flatMap((name) => {
    const text = scalarText(fields[name]);
    return text === undefined ? [] : [text];
  });
  return [...secrets, ...secrets.flatMap(passwordInUrl)];
}

function passwordInUrl(text: string): readonly string[] {
  const written = /^[a-z][a-z0-9+.-]*:\/\/[^:/?#]*:([^@/?#]*)@/i.exec(text)?.[1];
  if (written === undefined || written === "") return [];
  try {
    return [written, decodeURIComponent(written)];
  } catch {
    return [written];
  }
}

function databaseNamed(name: string, value: Json): Named | undefined {
  if (typeof value === "string") return alias(value);
  if (!isJsonObject(value)) throw wrongShape(name, "an alias or an object", value);
  const named = aliasIn(value);
  if (named !== undefined) return alias(named);
  return entryFor(value, (type) => type === "postgres" || type === "postgresql");
}

function aliasIn(map: JsonObject): string | undefined {
  return firstText(map, ["credential", "alias"]);
}

/**
 * What `{name: {type|service|tool, source: credential|keychain, key}}` names, the form for several
 * services.
 */
function entryFor(map: JsonObject, fits: (type: string) => boolean): Named | undefined {
  for (const [name, entry] of Object.entries(map)) {
    if (!isJsonObject(entry)) continue;
    const type = firstText(entry, ["type", "service", "tool"]) ?? "";
    if (!fits(type)) continue;
    const source = firstText(entry, ["source"]) ?? "credential";
    if (source !== "credential" && source !== "keychain") {
      throw configFailure(
        `auth.${name}.source: expected credential or keychain, found "${source}"; what a provider keeps is ` +
          "read by an entry of the keychain",
      );
    }
    return { name: firstText(entry, ["key", "credential"]) ?? name, source };
  }
  return undefined;
}

/** Ends a call of a tool that has no use for credentials but was given one. */
export async function refuseCredential(
  tool: string,
  config: JsonObject,
  context: ToolContext,
): Promise<void> {
  const given = field(config, "auth", "credential");
  if (given === undefined) return;
  if (typeof given.value !== "string") throw configFailure(`${given.name}: ${tool} takes none`);
  throw unusable(tool, await credentialOf(given.value, context), "none");
}

// --- texts --------------------------------------------------------------------------------

/** Secrets shorter than this are not looked for: they would blank out ordinary words. */
const secretCharsMin = 3;

/** A function that blanks every secret, in its plain and its URL-encoded form, out of a text. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= secretCharsMin)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    // A secret inside another must not leave the rest of the longer one behind.
    .sort((left, right) => right.length - left.length);
  return (text) => forms.reduce((rest, form) => rest.replaceAll(form, "***"), text);
}
