// Snapshots of long executions: written beside the commits, read when a state has to be rebuilt.
// They are a cache: one that the log doesn't confirm is removed, and none at all costs only time.

import { decodeState, encodeState, snapshotSchema } from "#core/engine/snapshot";
import { type ExecutionState, isTerminal } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { snapshotPartsMax } from "#core/model/limits";
import type { Snapshot } from "#core/ports/snapshot-store";
import type { ControlContext } from "./context.ts";

type SnapshotContext = Pick<
  ControlContext,
  "snapshots" | "log" | "sha256" | "engineVersion" | "report"
>;

export interface Snapshots {
  /** Events after which a snapshot is written again. */
  readonly everyEvents: number;
  /** A state that the log confirms, at this event or before it. */
  restore(id: ExecutionId, upToSeq: number): Promise<ExecutionState | undefined>;
  /** Removes one that turned out to be of no use. */
  discard(id: ExecutionId): Promise<void>;
  /** Writes one if the events since `previousSeq` are worth it; nobody waits for it. */
  keep(state: ExecutionState, previousSeq: number): void;
}

export function snapshotsOf(context: SnapshotContext, everyEvents: number): Snapshots {
  const { snapshots, engineVersion, sha256, report } = context;
  const failed = (what: string, id: ExecutionId) => (thrown: unknown) => {
    report(`snapshot of execution ${id} could not be ${what}: ${messageOf(thrown)}`);
    return undefined;
  };

  const restore = async (id: ExecutionId, upToSeq: number) => {
    const snapshot = await snapshots.latest(id);
    if (snapshot === undefined || snapshot.seq > upToSeq) return undefined;
    const state = await confirmedState(context, snapshot);
    if (state !== undefined) return state;
    report(`snapshot of execution ${id} does not fit its log or this build, it is removed`);
    await snapshots.remove([id]);
    return undefined;
  };

  const keep = async (state: ExecutionState, previousSeq: number): Promise<void> => {
    const due = Math.floor(state.seq / everyEvents) > Math.floor(previousSeq / everyEvents);
    // The state of an ended execution is not kept in memory: every look at it is a replay.
    const last = isTerminal(state) && state.seq > everyEvents;
    // Made before anything is awaited: the state goes on to change.
    const text = due || last ? encodeState(state, snapshotPartsMax) : undefined;
    if (text === undefined) return;
    const { executionId, seq, digest } = state;
    const checksum = sha256(text);
    const kind = { schema: snapshotSchema, engine: engineVersion };
    await snapshots.put({ executionId, seq, digest, ...kind, checksum, text });
  };

  return {
    everyEvents,
    restore: (id, upToSeq) => restore(id, upToSeq).catch(failed("read", id)),
    discard: (id) => snapshots.remove([id]).catch(failed("removed", id)),
    keep: (state, previousSeq) => {
      void keep(state, previousSeq).catch(failed("written", state.executionId));
    },
  };
}

/** Whether this build can read it at all; another build's says nothing about the log. */
export function isOwnSnapshot(snapshot: Snapshot, engineVersion: string): boolean {
  return snapshot.schema === snapshotSchema && snapshot.engine === engineVersion;
}

/** The snapshot's state, if its text is whole and it stands for the log as it is. */
async function confirmedState(
  { log, sha256, engineVersion }: SnapshotContext,
  snapshot: Snapshot,
): Promise<ExecutionState | undefined> {
  const { executionId: id, seq, digest, checksum, text } = snapshot;
  if (!isOwnSnapshot(snapshot, engineVersion) || sha256(text) !== checksum) return undefined;
  const state = decodeState(id, genesisDigest, text);
  if (state?.seq !== seq || state.digest !== digest) return undefined;
  const [last] = await log.events(id, seq - 1, 1);
  return last?.event.seq === seq && last.digest === digest ? state : undefined;
}
