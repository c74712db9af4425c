// People and tokens in memory: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { AccessStore } from "#core/ports/access-store";
import type { Clock } from "#core/ports/clock";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "people and tokens are not kept yet");
};

export function memoryAccess(_clock: Pick<Clock, "nowMs">): AccessStore {
  return {
    putUser: notYet,
    user: notYet,
    users: notYet,
    removeUser: notYet,
    putMembership: notYet,
    removeMembership: notYet,
    memberships: notYet,
    putToken: notYet,
    tokenById: notYet,
    tokens: notYet,
    revokeToken: notYet,
    touchToken: notYet,
  };
}
