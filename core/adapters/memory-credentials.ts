// Credentials in memory: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { CredentialStore } from "#core/ports/credential-store";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "credentials are not kept yet");
};

export function memoryCredentials(_clock: Pick<Clock, "nowMs">): CredentialStore {
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
