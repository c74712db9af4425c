// Schedules in memory: asking for any is refused until they are kept.

import { Fault } from "#core/model/fault";
import type { Clock } from "#core/ports/clock";
import type { ScheduleStore } from "#core/ports/schedule-store";

const notYet = async (): Promise<never> => {
  throw new Fault("unavailable", "schedules are not kept yet");
};

export function memorySchedules(_clock: Pick<Clock, "nowMs">): ScheduleStore {
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
