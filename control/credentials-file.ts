// Credentials from a file that an operator names: read whole when the first one is asked for, never
// written, never quoted in an error.

import { readFileSync } from "node:fs";
import type { CredentialSource } from "#control/services/context";
import { Fault, messageOf } from "#core/model/fault";
import { isJsonObject } from "#core/model/json";
import type { CredentialRecord } from "#core/ports/control-plane";

/** Aliases → `{type, data}`, YAML or JSON; without a file nobody has credentials. */
export function fileCredentials(file: string | undefined): CredentialSource {
  let records: ReadonlyMap<string, CredentialRecord> | undefined;
  return async (alias) => {
    records ??= file === undefined ? new Map() : readCredentials(file);
    return records.get(alias);
  };
}

/** @throws Fault `invalid` naming the file and the alias that is not as expected; never a value. */
function readCredentials(file: string): ReadonlyMap<string, CredentialRecord> {
  const records = new Map<string, CredentialRecord>();
  for (const [alias, value] of Object.entries(mapIn(file))) {
    const { type, data } = isJsonObject(value) ? value : {};
    if (typeof type !== "string" || !isJsonObject(data)) {
      throw new Fault("invalid", `${file}: ${alias}: expected {type: text, data: {…}}`);
    }
    records.set(alias, { name: alias, type, data });
  }
  return records;
}

function mapIn(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (thrown) {
    throw new Fault("invalid", `NOETL_CREDENTIALS_FILE: ${messageOf(thrown)}`);
  }
  let parsed: unknown;
  try {
    parsed = Bun.YAML.parse(text);
  } catch {
    // The parser's own message may quote a secret.
    throw new Fault("invalid", `${file}: expected YAML or JSON`);
  }
  if (isJsonObject(parsed)) return parsed;
  throw new Fault("invalid", `${file}: expected a map of aliases`);
}
