// Snapshots of long executions: one for each, a cache beside the log. What comes out is not to be
// believed before it was compared with the log that it claims to stand for.

import type { ExecutionId } from "#core/model/ids";

export interface Snapshot {
  readonly executionId: ExecutionId;
  /** The last event that is folded into it. */
  readonly seq: number;
  /** Of the log at that event, hexadecimal. */
  readonly digest: string;
  /** How the text is to be read. */
  readonly schema: number;
  /** The build that made it. */
  readonly engine: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
  readonly text: string;
}

export interface SnapshotStore {
  /** Keeps it in place of an older one, or of one that another build made. */
  put(snapshot: Snapshot): Promise<void>;
  latest(executionId: ExecutionId): Promise<Snapshot | undefined>;
  remove(executionIds: readonly ExecutionId[]): Promise<void>;
}
