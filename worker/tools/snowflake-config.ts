// Reads the config of a snowflake step (language reference §2.2, §6): the account with its
// credential, and the statements. The playbook's explicit fields win over the credential's.

import { createPrivateKey } from "node:crypto";
import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { snowflakeStatementsMax } from "#core/model/run-tool-limits";
import { credentialOf } from "./auth.ts";
import { configFailure, field, scalarText, wrongShape } from "./call-config.ts";
import { snowflakeStatements } from "./snowflake-text.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

export type Bind = string | number | boolean | null;

export interface SnowflakeAccount {
  readonly account: string;
  /** Where the account answers, if not at its usual address. */
  readonly accessUrl?: string;
  readonly username: string;
  readonly password?: string;
  /** In PEM, unlocked. */
  readonly privateKey?: string;
  readonly warehouse?: string;
  readonly database?: string;
  readonly schema?: string;
  readonly role?: string;
}

export interface SnowflakeCall {
  readonly account: SnowflakeAccount;
  readonly statements: readonly string[];
  readonly binds: readonly Bind[] | undefined;
  /** Values that no message may repeat. */
  readonly secrets: readonly string[];
}

export async function snowflakeCall(
  config: JsonObject,
  context: ToolContext,
): Promise<SnowflakeCall> {
  const statements = statementsOf(config);
  const binds = bindsOf(config);
  if (binds !== undefined && statements.length > 1) {
    throw configFailure(`params: expected one statement, found ${statements.length}`);
  }
  const data = { ...(await credentialData(config, context)), ...ownFields(config) };
  return { account: accountOf(data), statements, binds, secrets: secretsOf(data) };
}

// --- statements ---------------------------------------------------------------------------

/** Texts are split at their semicolons; an item of a list is one statement, a block too. */
function statementsOf(config: JsonObject): readonly string[] {
  const statements = given(config).filter((text) => text.trim() !== "");
  if (statements.length === 0) throw configFailure("command: expected SQL text, found nothing");
  if (statements.length > snowflakeStatementsMax) {
    const found = `found ${statements.length}`;
    throw configFailure(`command: expected at most ${snowflakeStatementsMax} statements, ${found}`);
  }
  for (const text of statements) refuseFiles(text);
  return statements;
}

function given(config: JsonObject): readonly string[] {
  const found = field(config, "command", "query", "commands", "command_b64");
  if (found === undefined) return [];
  const { name, value } = found;
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((text) => {
      if (typeof text !== "string") throw wrongShape(name, "SQL text", text);
      return text;
    });
  }
  if (typeof value !== "string") throw wrongShape(name, "SQL text", value);
  return snowflakeStatements(name === "command_b64" ? fromBase64(value) : value);
}

function fromBase64(text: string): string {
  const plain = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) throw configFailure("command_b64: expected base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(plain, "base64"));
  } catch {
    throw configFailure("command_b64: expected UTF-8 in base64");
  }
}

/** The client would carry these out on the worker's own files. */
function refuseFiles(text: string): void {
  const [, word = ""] =
    /^(?:\s|--[^\n]*\n|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*([A-Za-z]+)/.exec(text) ?? [];
  if (!/^(PUT|GET)$/i.test(word)) return;
  throw new ToolFailure({
    kind: "forbidden",
    message: `${word.toUpperCase()} reaches for files of the worker, which steps may not; use COPY with a stage`,
    retryable: false,
  });
}

function bindsOf(config: JsonObject): readonly Bind[] | undefined {
  const params = field(config, "params");
  if (params === undefined) return undefined;
  if (!Array.isArray(params.value)) throw wrongShape("params", "a list", params.value);
  const list: readonly Json[] = params.value;
  if (list.length === 0) return undefined;
  return list.map((item) =>
    typeof item === "object" && item !== null ? JSON.stringify(item) : item,
  );
}

// --- account ------------------------------------------------------------------------------

const fields = [
  "account",
  "host",
  "user",
  "password",
  "private_key",
  "private_key_passphrase",
  "warehouse",
  "database",
  "schema",
  "role",
] as const;

type FieldName = (typeof fields)[number];
type Fields = Partial<Record<FieldName, string>>;

const otherNames: Readonly<Record<string, FieldName>> = {
  username: "user",
  passphrase: "private_key_passphrase",
};

async function credentialData(config: JsonObject, context: ToolContext): Promise<Fields> {
  const auth = field(config, "auth", "credential");
  if (auth === undefined) return {};
  const map = isJsonObject(auth.value) ? auth.value : undefined;
  const alias = map === undefined ? auth.value : field(map, "credential", "alias")?.value;
  if (alias === undefined) return ownFields(map ?? {});
  if (typeof alias !== "string") throw wrongShape(auth.name, "an alias or an object", alias);
  const credential = await credentialOf(alias, context);
  if (credential.type.toLowerCase() !== "snowflake") {
    throw new ToolFailure({
      kind: "credential",
      message:
        `tool snowflake cannot use credential "${credential.name}" of type ` +
        `"${credential.type}", expected snowflake`,
      retryable: false,
    });
  }
  return { ...ownFields(credential.data), ...ownFields(map ?? {}) };
}

/** Names as credentials have them (`sf_account`) are the plain ones. */
function ownFields(data: JsonObject): Fields {
  const found: Fields = {};
  for (const [name, value] of Object.entries(data)) {
    const plain = name.replace(/^sf_/, "");
    const target = Object.hasOwn(otherNames, plain) ? otherNames[plain] : fieldNamed(plain);
    const text = scalarText(value);
    if (target !== undefined && text !== undefined && text !== "") found[target] = text;
  }
  return found;
}

function fieldNamed(name: string): FieldName | undefined {
  return fields.find((known) => known === name);
}

function accountOf(data: Fields): SnowflakeAccount {
  const { account, user, host, password, warehouse, database, schema, role } = data;
  if (account === undefined)
    throw configFailure("account: expected the account's name, found none");
  if (user === undefined) throw configFailure("user: expected the user's name, found none");
  const privateKey = keyOf(data);
  if (privateKey === undefined && password === undefined) {
    throw configFailure("password: expected a password or a private_key, found neither");
  }
  return {
    account,
    username: user,
    ...(host === undefined ? {} : { accessUrl: accessUrl(host) }),
    ...(privateKey === undefined ? { password: password ?? "" } : { privateKey }),
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(database === undefined ? {} : { database }),
    ...(schema === undefined ? {} : { schema }),
    ...(role === undefined ? {} : { role }),
  };
}

function accessUrl(host: string): string {
  const url = URL.parse(host.includes("://") ? host : `https://${host}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.origin;
  throw configFailure("host: expected the name of a host, or its https address");
}

/** The key without its lock; what was wrong with it is not repeated. */
function keyOf(data: Fields): string | undefined {
  const { private_key: key, private_key_passphrase: passphrase } = data;
  if (key === undefined) return undefined;
  try {
    const opened = createPrivateKey({
      key: key.replaceAll("\\n", "\n"),
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    return String(opened.export({ type: "pkcs8", format: "pem" }));
  } catch {
    throw configFailure("private_key: expected a key in PEM, and its passphrase if it is locked");
  }
}

function secretsOf({ password, private_key: key, private_key_passphrase: passphrase }: Fields) {
  return [password, key, passphrase].filter((secret) => secret !== undefined);
}
