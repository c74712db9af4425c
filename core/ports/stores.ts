// Everything that a control plane keeps, in one place: what a shape of the product opens and closes
// together.

import type { AccessStore } from "./access-store.ts";
import type { AuditStore } from "./audit-store.ts";
import type { CatalogStore } from "./catalog-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { CursorStore } from "./cursor-store.ts";
import type { EventBatches } from "./event-batches.ts";
import type { EventFeed } from "./event-feed.ts";
import type { EventLog } from "./event-log.ts";
import type { KeychainStore } from "./keychain-store.ts";
import type { LogRepair } from "./log-repair.ts";
import type { LogRetention } from "./log-retention.ts";
import type { ProjectionStore } from "./projection-store.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { ResultStore } from "./result-store.ts";
import type { RuntimeRegistry } from "./runtime-registry.ts";
import type { ScheduleStore } from "./schedule-store.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import type { StepLogs } from "./step-logs.ts";
import type { WaitIndex } from "./wait-index.ts";

export interface Stores {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly cursors: CursorStore;
  readonly retention: LogRetention;
  readonly catalog: CatalogStore;
  readonly results: ResultStore;
  readonly repair: LogRepair;
  readonly snapshots: SnapshotStore;
  readonly projections: ProjectionStore;
  readonly runtime: RuntimeRegistry;
  readonly stepLogs: StepLogs;
  readonly requestKeys: RequestKeys;
  readonly eventBatches: EventBatches;
  readonly people: AccessStore;
  readonly audit: AuditStore;
  readonly vault: CredentialStore;
  readonly keychain: KeychainStore;
  readonly schedules: ScheduleStore;
  readonly waits: WaitIndex;
  close(): Promise<void>;
}
