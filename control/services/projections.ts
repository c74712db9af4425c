// Brings projections up to the log: from events that a reader has at hand, or from the log itself
// where some of them are missing. An event counts once, however often and by whomever it is given.

import {
  initialProjection,
  type Projection,
  project,
  projectionMemory,
  resumedProjection,
  takeChanges,
} from "#core/engine/project";
import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { EventLog } from "#core/ports/event-log";
import type {
  ProjectionRow,
  ProjectionStore,
  ProjectionUpdate,
} from "#core/ports/projection-store";

export interface ProjectionPorts {
  readonly log: Pick<EventLog, "events">;
  readonly projections: ProjectionStore;
  /** Told of executions that could not be projected; the others are. */
  readonly report: (message: string) => void;
}

const pageEvents = 500;

/** Projects events in the order of their executions' logs; those that were projected change nothing. */
export async function projectEvents(
  ports: ProjectionPorts,
  events: readonly Event[],
): Promise<void> {
  const byId = Map.groupBy(events, ({ execution_id }) => execution_id);
  const rows = await ports.projections.rows([...byId.keys()]);
  const known = new Map(rows.map((row) => [row.executionId, row]));
  const updates: ProjectionUpdate[] = [];
  const behind: ExecutionId[] = [];
  for (const [id, own] of byId) {
    const projection = projectionOf(id, known.get(id));
    const fresh = own.filter(({ seq }) => seq > projection.seq);
    const [first] = fresh;
    if (first === undefined) continue;
    const isDense = fresh.every(({ seq }, index) => seq === projection.seq + 1 + index);
    if (isDense) updates.push(updated(projection, fresh));
    else behind.push(id);
  }
  const verdicts = await ports.projections.apply(updates);
  updates.forEach(({ executionId }, index) => {
    if (verdicts[index] !== "accepted") behind.push(executionId);
  });
  for (const id of behind) await catchUp(ports, id).catch(noticed(ports, id));
}

/** One execution that can't be read keeps nobody waiting; a store that is away does. */
function noticed({ report }: ProjectionPorts, id: ExecutionId) {
  return (thrown: unknown): void => {
    if (thrown instanceof Fault && thrown.retryable) throw thrown;
    report(`execution ${id} could not be projected: ${messageOf(thrown)}`);
  };
}

/** Projects an execution from where its projection stands to the end of its log. */
export async function catchUp(ports: ProjectionPorts, id: ExecutionId): Promise<void> {
  for (;;) {
    const [row] = await ports.projections.rows([id]);
    const projection = projectionOf(id, row);
    const page = await ports.log.events(id, projection.seq, pageEvents);
    if (page.length === 0) return;
    const update = updated(
      projection,
      page.map(({ event }) => event),
    );
    const [verdict] = await ports.projections.apply([update]);
    // After a conflict somebody else has moved it on: from there.
    if (verdict === "accepted" && page.length < pageEvents) return;
  }
}

function projectionOf(id: ExecutionId, row: ProjectionRow | undefined): Projection {
  return row === undefined ? initialProjection(id) : resumedProjection(row, row.memory);
}

function updated(projection: Projection, events: readonly Event[]): ProjectionUpdate {
  const expectedSeq = projection.seq;
  for (const event of events) project(projection, event);
  const { executionId, path, version, seq } = projection;
  const memory = projectionMemory(projection);
  return { executionId, path, version, seq, memory, expectedSeq, ...takeChanges(projection) };
}
