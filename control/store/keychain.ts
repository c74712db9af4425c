// Keychain entries on a database: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { KeychainStore } from "#core/ports/keychain-store";
import type { Sql } from "./sql.ts";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "keychain entries are not kept yet");
};

export function sqlKeychain(_sql: Sql): KeychainStore {
  return {
    get: notYet,
    begin: notYet,
    finish: notYet,
    fail: notYet,
    put: notYet,
    remove: notYet,
    ofCatalog: notYet,
    touch: notYet,
    purge: notYet,
  };
}
