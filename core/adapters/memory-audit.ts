// The audit log in memory: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { AuditStore } from "#core/ports/audit-store";
import type { Clock } from "#core/ports/clock";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "the audit log is not kept yet");
};

export function memoryAudit(_clock: Pick<Clock, "nowMs">): AuditStore {
  return {
    append: notYet,
    list: notYet,
    after: notYet,
  };
}
