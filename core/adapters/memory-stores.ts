// All stores in memory, for a single run and for tests: fast to start, gone with the process.

import type { Clock } from "#core/ports/clock";
import type { Stores } from "#core/ports/stores";
import { memoryCatalog } from "./memory-catalog.ts";
import { memoryEventLog } from "./memory-event-log.ts";
import { memoryResults } from "./memory-results.ts";

export function memoryStores(clock: Clock): Stores {
  const log = memoryEventLog(clock);
  return { log, catalog: memoryCatalog(), results: memoryResults(), close: () => log.close() };
}
