// People and tokens on a database: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { AccessStore } from "#core/ports/access-store";
import type { Sql } from "./sql.ts";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "people and tokens are not kept yet");
};

export function sqlAccess(_sql: Sql): AccessStore {
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
