// Credentials on a database: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { CredentialStore } from "#core/ports/credential-store";
import type { Sql } from "./sql.ts";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "credentials are not kept yet");
};

export function sqlCredentials(_sql: Sql): CredentialStore {
  return {
    put: notYet,
    get: notYet,
    list: notYet,
    remove: notYet,
    shared: notYet,
    oldKeys: notYet,
    reseal: notYet,
    countsByKey: notYet,
  };
}
