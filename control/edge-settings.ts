// What the control plane at the edge is told by its environment. The runtime keeps secrets as
// variables of the environment too; there is no file to read any from.

import { type } from "arktype";
import { accessSettings } from "#control/access/settings";
import { secretSettings } from "#control/secrets/settings";
import type { CredentialSource } from "#control/services/context";
import { Fault } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { address, type Settings, type SettingValues, text } from "#core/model/settings";
import type { CredentialRecord } from "#core/ports/control-plane";

export const edgeSettings = {
  DATABASE_URL: {
    shape: text,
    secret: true,
    text: "The Neon database that holds the log: `postgres://user:password@host/name`, migrated.",
  },
  NOETL_NEON_ENDPOINT: {
    shape: address,
    text: "Where statements are sent over HTTP; without it, where Neon takes those of the host.",
  },
  NATS_URL: {
    shape: text,
    secret: true,
    text: "NATS servers over WebSocket, with commas between them: `wss://user:password@host:443`. Without it, workers look for work once a second.",
  },
  NOETL_PUBLIC_URL: {
    shape: address,
    text: "Where workers reach this control plane; told in hints.",
  },
  NOETL_CREDENTIALS: {
    shape: text,
    secret: true,
    text: "A JSON document that maps aliases to credentials: `{alias: {type, data}}`.",
  },
  ...accessSettings,
  NOETL_MASTER_KEY: secretSettings.NOETL_MASTER_KEY,
} as const satisfies Settings;

export type EdgeSettings = SettingValues<typeof edgeSettings> & { readonly DATABASE_URL: string };

/**
 * Reads the settings from what the runtime hands over, and from the process where it has one.
 * @throws Fault `invalid` naming the setting and what it expects; never a value.
 */
export function readEdgeSettings(environment: Readonly<Record<string, unknown>>): EdgeSettings {
  const read: Record<string, unknown> = {};
  const settings: Settings = edgeSettings;
  for (const [name, { shape, default: otherwise }] of Object.entries(settings)) {
    const value = environment[name];
    const given = typeof value === "string" && value !== "" ? value : otherwise;
    if (given === undefined) continue;
    const checked: unknown = shape(given);
    if (checked instanceof type.errors) {
      throw new Fault("invalid", `${name}: expected ${checked[0]?.expected ?? "another value"}`);
    }
    read[name] = checked;
  }
  if (read["DATABASE_URL"] === undefined) {
    throw new Fault("invalid", "DATABASE_URL: expected the address of a database, found nothing");
  }
  // Each value was checked by the very shape that its type was inferred from.
  const checkedSettings = read as unknown as EdgeSettings;
  if (
    checkedSettings.NOETL_ACCESS === "required" &&
    checkedSettings.NOETL_INTERNAL_API_TOKEN === undefined
  ) {
    throw new Fault(
      "invalid",
      "NOETL_INTERNAL_API_TOKEN: expected a token that workers show too, found nothing",
    );
  }
  return checkedSettings;
}

/** Credentials out of a setting; read when the first one is asked for. */
export function settingCredentials(document: string | undefined): CredentialSource {
  let records: ReadonlyMap<string, CredentialRecord> | undefined;
  return async (alias) => {
    records ??= new Map(Object.entries(mapIn(document)).map(recordOf));
    return records.get(alias);
  };
}

function recordOf([name, value]: [string, unknown]): [string, CredentialRecord] {
  const { type: kind, data } = isJsonObject(value) ? value : {};
  if (typeof kind === "string" && isJsonObject(data)) return [name, { name, type: kind, data }];
  throw new Fault("invalid", `NOETL_CREDENTIALS: ${name}: expected {type: text, data: {…}}`);
}

function mapIn(document: string | undefined): JsonObject {
  if (document === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    // The parser's own message quotes what it reads.
    throw new Fault("invalid", "NOETL_CREDENTIALS: expected JSON");
  }
  if (isJsonObject(parsed)) return parsed;
  throw new Fault("invalid", "NOETL_CREDENTIALS: expected a map of aliases");
}
