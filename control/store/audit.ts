// The audit log on a database: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { AuditStore } from "#core/ports/audit-store";
import type { Sql } from "./sql.ts";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "the audit log is not kept yet");
};

export function sqlAudit(_sql: Sql): AuditStore {
  return {
    append: notYet,
    list: notYet,
    after: notYet,
  };
}
