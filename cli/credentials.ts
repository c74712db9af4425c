// Credentials of the embedded shape: from the file that NOETL_CREDENTIALS_FILE names, and the
// alias `pg_local`, a scratch database that starts when it is first asked for. The file is read
// when the first credential is, and never written.

import { readFileSync } from "node:fs";
import type { CredentialSource } from "#control/services/context";
import { Fault, messageOf } from "#core/model/fault";
import { isJsonObject } from "#core/model/json";
import type { CredentialRecord } from "#core/ports/control-plane";

export const scratchAlias = "pg_local";

export interface CredentialOptions {
  /** Aliases → `{type, data}`, YAML or JSON. */
  readonly file: string | undefined;
  /** Starts the scratch database, once. */
  readonly scratch: () => Promise<CredentialRecord>;
  /** Told what to do about an alias that nobody has, or a file that is no use. */
  readonly advise: (message: string) => void;
}

export function credentialSource({ file, scratch, advise }: CredentialOptions): CredentialSource {
  let records: ReadonlyMap<string, CredentialRecord> | undefined;
  return async (alias) => {
    try {
      records ??= file === undefined ? new Map() : readCredentials(file);
    } catch (thrown) {
      advise(messageOf(thrown));
      throw thrown;
    }
    const record = records.get(alias);
    if (record !== undefined) return record;
    if (alias === scratchAlias) return scratch();
    const where =
      file === undefined
        ? "name a file that has it in NOETL_CREDENTIALS_FILE"
        : `add it to ${file} (NOETL_CREDENTIALS_FILE)`;
    advise(`credential ${alias} is not defined; ${where}, as ${alias}: {type: …, data: {…}}`);
    return undefined;
  };
}

/** @throws Fault `invalid` naming the file and the alias that is not as expected; never a value. */
export function readCredentials(file: string): ReadonlyMap<string, CredentialRecord> {
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
