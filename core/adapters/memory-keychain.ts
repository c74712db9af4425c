// Keychain entries in memory: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { KeychainStore } from "#core/ports/keychain-store";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "keychain entries are not kept yet");
};

export function memoryKeychain(_clock: Pick<Clock, "nowMs">): KeychainStore {
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
