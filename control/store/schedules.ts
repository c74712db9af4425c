// Schedules on a database: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { ScheduleStore } from "#core/ports/schedule-store";
import type { Sql } from "./sql.ts";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "schedules are not kept yet");
};

export function sqlSchedules(_sql: Sql): ScheduleStore {
  return {
    put: notYet,
    get: notYet,
    list: notYet,
    remove: notYet,
    due: notYet,
    advance: notYet,
    running: notYet,
    ticks: notYet,
    purgeTicks: notYet,
  };
}
