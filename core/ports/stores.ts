// Everything that a control plane keeps, in one place: what a shape of the product opens and closes
// together.

import type { CatalogStore } from "./catalog-store.ts";
import type { EventLog } from "./event-log.ts";
import type { ResultStore } from "./result-store.ts";

export interface Stores {
  readonly log: EventLog;
  readonly catalog: CatalogStore;
  readonly results: ResultStore;
  close(): Promise<void>;
}
