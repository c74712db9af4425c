// Where a postgres call connects to, from its config with the credential merged in. Reads nothing
// from the worker's own environment, so that a playbook cannot borrow the worker's database.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { configFailure, field, numberField, scalarText, textField } from "./call-config.ts";

export type PostgresTls = "off" | "unverified" | "verified";

export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: PostgresTls;
}

/** Host and port, for messages. */
export function targetName(target: PostgresTarget): string {
  return `postgres at ${target.host}:${target.port}`;
}

/** Explicit fields win over the parts of `connection_string`. */
export function postgresTarget(config: JsonObject): PostgresTarget {
  const text = textField(config, "connection_string")?.value;
  const parts = text === undefined ? {} : connectionParts(text);
  const merged: JsonObject = { ...parts, ...explicitParts(config) };
  const user = scalarText(merged["user"]);
  if (user === undefined) throw configFailure("user: expected a database user, found nothing");
  const port = numberField(merged, "port")?.value ?? 5_432;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw configFailure("port: expected a number from 1 to 65535");
  }
  return {
    host: scalarText(merged["host"]) ?? "localhost",
    port,
    user,
    password: scalarText(merged["password"]) ?? "",
    database: scalarText(merged["database"]) ?? user,
    tls: tlsOf(merged),
  };
}

function explicitParts(config: JsonObject): JsonObject {
  const parts: Record<string, Json> = {};
  for (const name of ["host", "port", "user", "password", "database", "ssl_mode", "ssl"]) {
    const found = field(config, name);
    if (found !== undefined) parts[name] = found.value;
  }
  return parts;
}

function tlsOf(parts: JsonObject): PostgresTls {
  const mode = scalarText(parts["ssl_mode"]) ?? scalarText(parts["sslmode"]);
  switch (mode) {
    case undefined:
      return parts["ssl"] === true || isJsonObject(parts["ssl"]) ? "verified" : "off";
    case "disable":
    case "allow":
    case "prefer":
      return "off";
    case "require":
    case "no-verify":
      return "unverified";
    case "verify-ca":
    case "verify-full":
      return "verified";
    default:
      throw configFailure("ssl_mode: expected disable, require, verify-ca or verify-full");
  }
}

const badString = () =>
  configFailure("connection_string: expected postgres://user@host/database or host=... user=...");

function connectionParts(text: string): JsonObject {
  return /^postgres(ql)?:\/\//i.test(text) ? urlParts(text) : keywordParts(text);
}

function urlParts(text: string): JsonObject {
  const url = URL.parse(text);
  if (url === null) throw badString();
  const parts: Record<string, string> = {};
  const put = (name: string, value: string) => {
    if (value !== "") parts[name] = value;
  };
  try {
    put("host", decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1"));
    put("port", url.port);
    put("user", decodeURIComponent(url.username));
    put("password", decodeURIComponent(url.password));
    put("database", decodeURIComponent(url.pathname.slice(1)));
  } catch {
    throw badString();
  }
  for (const [name, value] of url.searchParams) put(keywordName(name), value);
  return parts;
}

/** libpq's other form: `host=db port=5432 dbname='my db'`. */
function keywordParts(text: string): JsonObject {
  const parts: Record<string, string> = {};
  const rest = text.replaceAll(
    /([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/gi,
    (_, name: string, quoted: string | undefined, bare: string | undefined) => {
      parts[keywordName(name)] = (quoted ?? bare ?? "").replaceAll(/\\(.)/g, "$1");
      return "";
    },
  );
  if (rest.trim() !== "") throw badString();
  return parts;
}

function keywordName(name: string): string {
  return name === "dbname" ? "database" : name.toLowerCase();
}
