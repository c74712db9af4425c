// Stores in memory, for a single run: fast to start, gone with the process.

import { memoryCatalog } from "#core/adapters/memory-catalog";
import { memoryEventLog } from "#core/adapters/memory-event-log";
import { memoryResults } from "#core/adapters/memory-results";
import { systemClock } from "#core/adapters/system-clock";
import type { Stores } from "./embedded.ts";

export function memoryStores(): Stores {
  const log = memoryEventLog(systemClock());
  return { log, catalog: memoryCatalog(), results: memoryResults(), close: () => log.close() };
}
