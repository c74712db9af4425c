// What the kinds of keychain entries come to (language reference §6). An entry's fields have been
// rendered before; nothing here is ever evaluated again.

import type { SecretProviders } from "#control/keychain/providers/index";
import { type ProviderSecret, secondsOf, textOf } from "#control/keychain/providers/provider";
import { Fault, unreachable } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { keychainBytesMax, providerSecretsMax } from "#core/model/keychain-limits";
import {
  type KeychainKind,
  type SecretProvider,
  secretProviderNames,
} from "#core/playbook/keychain-kinds";
import type { CredentialRecord } from "#core/ports/control-plane";

export interface EntryValues {
  readonly values: JsonObject;
  readonly cacheType: "token" | "secret";
  /** How long they are good for, where whoever gave them says. */
  readonly expiresInSeconds?: number;
}

export interface EntryParts {
  providers(): Promise<SecretProviders>;
  /** @throws Fault `not_found`, `forbidden`. */
  credential(alias: string): Promise<CredentialRecord>;
}

/** @throws Fault that names fields and statuses, never a value. */
export async function entryValues(
  kind: KeychainKind,
  entry: JsonObject,
  parts: EntryParts,
): Promise<EntryValues> {
  const found = await valuesOfKind(kind, entry, parts);
  if (new TextEncoder().encode(JSON.stringify(found.values)).length <= keychainBytesMax)
    return found;
  throw new Fault("too_large", `expected an entry of at most ${keychainBytesMax} bytes`);
}

async function valuesOfKind(
  kind: KeychainKind,
  entry: JsonObject,
  parts: EntryParts,
): Promise<EntryValues> {
  switch (kind) {
    case "static":
      return { values: staticValues(entry), cacheType: "secret" };
    case "bearer":
      return { values: await bearerValues(entry, parts), cacheType: "token" };
    case "oauth2":
      return oauthValues(entry, parts);
    case "secret_manager":
      return secretValues(entry, parts);
    case "google_id_token":
    case "google":
      return googleValues(kind, entry, parts);
    case "credential": {
      const { data } = await parts.credential(neededAlias(entry));
      return { values: mapped(data, entry["map"]), cacheType: "secret" };
    }
    default:
      return unreachable(kind);
  }
}

function staticValues({ data, map, value, token }: JsonObject): JsonObject {
  return {
    ...(isJsonObject(data) ? data : data === undefined ? {} : { value: data }),
    ...(isJsonObject(map) ? map : {}),
    ...(value === undefined ? {} : { value }),
    ...(token === undefined ? {} : { token }),
  };
}

const tokenFields = ["token", "access_token", "bearer_token", "id_token", "value"] as const;

async function bearerValues(entry: JsonObject, parts: EntryParts): Promise<JsonObject> {
  const given = textOf(entry, "token", "value");
  const token = given ?? textOf((await parts.credential(neededAlias(entry))).data, ...tokenFields);
  if (token !== undefined) return { token, value: token };
  throw new Fault("invalid", `the credential has no token, expected ${tokenFields.join(" or ")}`);
}

/** Fields of a credential that say who asks for a token. */
const clientFields = [
  "grant_type",
  "client_id",
  "client_secret",
  "refresh_token",
  "scope",
] as const;

async function oauthValues(entry: JsonObject, parts: EntryParts): Promise<EntryValues> {
  const client = await authOf(entry, parts);
  const known = clientFields.flatMap((name) => {
    const value = client[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const { headers, data } = entry;
  const body: Json | undefined =
    isJsonObject(data) || (data === undefined && known.length > 0)
      ? { ...Object.fromEntries(known), ...(isJsonObject(data) ? data : {}) }
      : data;
  const providers = await parts.providers();
  const method = textOf(entry, "method");
  const answer = await providers.tokenAnswer({
    endpoint: textOf(entry, "endpoint") ?? "",
    ...(method === undefined ? {} : { method }),
    headers: isJsonObject(headers) ? headers : {},
    ...(body === undefined ? {} : { data: body }),
  });
  const expiresInSeconds = secondsOf(answer["expires_in"]);
  const token = textOf(answer, "token", "access_token", "id_token");
  const values = mapped(token === undefined ? answer : { token, ...answer }, entry["map"]);
  return {
    values,
    cacheType: "token",
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
  };
}

async function googleValues(
  kind: "google" | "google_id_token",
  entry: JsonObject,
  parts: EntryParts,
): Promise<EntryValues> {
  const auth = await googleAuth(entry, parts);
  const providers = await parts.providers();
  const { token, expiresInSeconds } =
    kind === "google"
      ? await providers.accessToken({ auth, ...scopesOf(entry["scopes"]) })
      : await providers.idToken({ auth, audience: textOf(entry, "target_audience") ?? "" });
  const name = kind === "google" ? "access_token" : "id_token";
  return {
    values: mapped({ token, [name]: token }, entry["map"]),
    cacheType: "token",
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
  };
}

function scopesOf(scopes: Json | undefined): { readonly scopes?: readonly string[] } {
  const list = typeof scopes === "string" ? scopes.split(/[\s,]+/) : scopes;
  const texts = Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
  return texts.length === 0 ? {} : { scopes: texts };
}

/** The service account's key: in a secret, in a credential, or what the entry says itself. */
async function googleAuth(entry: JsonObject, parts: EntryParts): Promise<JsonObject> {
  const secret = textOf(entry, "service_account_secret");
  if (secret !== undefined) {
    const { value } = await readOne({ ...entry, ref: secret }, await authOf(entry, parts), parts);
    return typeof value === "string" ? { value } : value;
  }
  const alias = textOf(entry, "service_account_credential", "ref");
  return alias === undefined ? authOf(entry, parts) : (await parts.credential(alias)).data;
}

async function secretValues(entry: JsonObject, parts: EntryParts): Promise<EntryValues> {
  checkResidency(entry);
  const { map } = entry;
  const auth = await authOf(entry, parts);
  const ref = textOf(entry, "ref", "secret_name", "secret_id");
  if (ref !== undefined) {
    const { value, expiresInSeconds } = await readOne({ ...entry, ref }, auth, parts);
    return {
      values: mapped(fieldsOf(value), map),
      cacheType: "secret",
      ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
    };
  }
  // Without a secret of its own the map names one for each field.
  const named = Object.entries(isJsonObject(map) ? map : {});
  if (named.length === 0 || named.length > providerSecretsMax) {
    throw new Fault("invalid", `expected ref, or a map of 1 to ${providerSecretsMax} secrets`);
  }
  const values: (readonly [string, Json])[] = [];
  for (const [name, path] of named) {
    if (typeof path !== "string")
      throw new Fault("invalid", `map.${name}: expected a secret's name`);
    values.push([name, (await readOne({ ...entry, ref: path }, auth, parts)).value]);
  }
  return { values: Object.fromEntries(values), cacheType: "secret" };
}

async function readOne(
  entry: JsonObject,
  auth: JsonObject,
  parts: EntryParts,
): Promise<ProviderSecret> {
  const { secret } = await parts.providers();
  const optional = (name: string, ...names: readonly string[]): Record<string, string> => {
    const text = textOf(entry, ...names);
    return text === undefined ? {} : { [name]: text };
  };
  return secret[providerOf(entry)]({
    ref: textOf(entry, "ref") ?? "",
    auth,
    ...optional("version", "version"),
    ...optional("region", "region"),
    ...optional("project", "project_id", "project"),
    ...optional("vaultUrl", "vault_url"),
    ...optional("namespace", "namespace"),
  });
}

function providerOf(entry: JsonObject): SecretProvider {
  const name = textOf(entry, "provider") ?? "gcp";
  const provider = Object.entries(secretProviderNames).find(([known]) => known === name)?.[1];
  if (provider !== undefined) return provider;
  const known = Object.keys(secretProviderNames).join(", ");
  throw new Fault("invalid", `provider: expected one of ${known}`);
}

function checkResidency({ residency, region, allowed_regions: allowed = [] }: JsonObject): void {
  if (residency !== "strict") return;
  const regions = Array.isArray(allowed) ? allowed : [allowed];
  if (typeof region === "string" && regions.includes(region)) return;
  throw new Fault("forbidden", "residency is strict, and the region is none of allowed_regions");
}

/** The fields that speak to a provider: a credential's, or those that stand in the entry. */
async function authOf(entry: JsonObject, parts: EntryParts): Promise<JsonObject> {
  const given = entry["auth"] ?? entry["credential"];
  if (typeof given === "string" && given !== "") return (await parts.credential(given)).data;
  if (given === undefined || !isJsonObject(given)) return {};
  const alias = textOf(given, "credential", "alias");
  if (alias === undefined) return given;
  return { ...(await parts.credential(alias)).data, ...given };
}

function neededAlias(entry: JsonObject): string {
  const alias = aliasOf(entry);
  if (alias !== undefined) return alias;
  throw new Fault("invalid", "expected the alias of a credential");
}

function aliasOf(entry: JsonObject): string | undefined {
  const { auth, credential } = entry;
  const inner = [credential, auth].flatMap((each) =>
    isJsonObject(each) ? (textOf(each, "credential", "alias") ?? []) : [],
  );
  return textOf(entry, "credential", "auth", "ref") ?? inner[0];
}

function fieldsOf(secret: string | JsonObject): JsonObject {
  if (typeof secret !== "string") return secret;
  try {
    const parsed: unknown = JSON.parse(secret);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // A text that is no document is one value.
  }
  return { value: secret };
}

/** The fields under the names of the map, each by its path; all of them without a map. */
function mapped(values: JsonObject, map: Json | undefined): JsonObject {
  if (map === undefined || !isJsonObject(map) || Object.keys(map).length === 0) return values;
  const picked = Object.entries(map).map(([name, path]) => {
    const value = typeof path === "string" ? at(values, path) : undefined;
    if (value !== undefined) return [name, value] as const;
    throw new Fault("invalid", `map.${name}: the secret has nothing there`);
  });
  return Object.fromEntries(picked);
}

/** By its own name, a JSON pointer (RFC 6901), or names with dots between them. */
function at(values: JsonObject, path: string): Json | undefined {
  if (Object.hasOwn(values, path)) return values[path];
  const keys = path.startsWith("/")
    ? path
        .slice(1)
        .split("/")
        .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    : path.split(".");
  let value: Json | undefined = values;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, Json>>)[key];
  }
  return value;
}
