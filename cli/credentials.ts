// Credentials of the embedded shape: from the file that NOETL_CREDENTIALS_FILE names, and the
// alias `pg_local`, a scratch database that starts when it is first asked for.

import { fileCredentials } from "#control/credentials-file";
import type { CredentialSource } from "#control/services/context";
import { messageOf } from "#core/model/fault";
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
  const fromFile = fileCredentials(file);
  return async (alias) => {
    const record = await fromFile(alias).catch((thrown: unknown) => {
      advise(messageOf(thrown));
      throw thrown;
    });
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
