// Keeps the index of open waits up with the log, by reading what parks and ends waits from a position
// on. Applying a stretch again changes nothing, so the cursor only saves reading.

import { holdRole, type Role, type RoleOptions } from "#control/roles/lease";
import type { Executions } from "#control/services/executions";
import { type Event, terminalStatus } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import { projectorWaitMsMax } from "#core/model/limits";
import { waitIndexEntriesMax, waitIndexLookMs } from "#core/model/schedule-limits";
import type { HeldCursor } from "#core/ports/cursor-store";
import type { FeedPage } from "#core/ports/event-feed";
import type { EarlyAnswer, IndexedWait, WaitChanges } from "#core/ports/wait-index";

export const waitIndexRole = "waits";

export interface WaitIndexerOptions extends Pick<RoleOptions, "owner" | "report"> {
  readonly leaseMs?: number;
}

const types = [
  ...["wait.parked", "wait.done"],
  ...["playbook.completed", "playbook.failed", "playbook.cancelled"],
];

/** Keeps the index as long as this process has the role. */
export function waitIndexer(executions: Executions, options: WaitIndexerOptions): Role {
  const { cursors, clock } = executions.context;
  const role = { ...options, name: waitIndexRole, cursors, clock };
  return holdRole(role, (hold, ended) =>
    indexFrom({ executions, report: options.report, hold, ended }),
  );
}

interface Indexing {
  readonly executions: Executions;
  readonly report: (message: string) => void;
  readonly hold: HeldCursor;
  readonly ended: AbortSignal;
}

async function indexFrom({ executions, report, hold, ended }: Indexing): Promise<void> {
  const { clock, cursors } = executions.context;
  let { position } = hold;
  for (let failures = 0; !ended.aborted; ) {
    try {
      const page = await indexPage(executions, position);
      // Another process has the role by now, and goes on from the cursor.
      if (page.next !== position && !(await cursors.advance(hold, page.next))) return;
      position = page.next;
      failures = 0;
      if (!page.more) await clock.sleep(waitIndexLookMs, ended);
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.retryable)) throw thrown;
      if (failures === 0) report(`index of waits: ${messageOf(thrown)}`);
      failures += 1;
      await clock.sleep(Math.min(waitIndexLookMs * 2 ** failures, projectorWaitMsMax), ended);
    }
  }
}

/** Applies what stands behind the position; without one the index is made anew. */
export async function indexPage(
  { context }: Pick<Executions, "context">,
  position: string | undefined,
): Promise<FeedPage> {
  const { feed, waits } = context;
  const query = { limit: waitIndexEntriesMax, types };
  let page: FeedPage;
  try {
    if (position === undefined) await waits.clear();
    page = await feed.after(position, query);
  } catch (thrown) {
    // The log went back to an earlier time: what it says now is all there is.
    if (!(thrown instanceof Fault && thrown.code === "conflict")) throw thrown;
    await waits.clear();
    page = await feed.after(undefined, query);
  }
  for (const changes of stretches(page.entries.map(({ event }) => event))) {
    await waits.apply(changes);
  }
  return page;
}

interface Stretch {
  readonly early: EarlyAnswer[];
  readonly opened: IndexedWait[];
  readonly closed: CommandId[];
  readonly ended: ExecutionId[];
}

/** In pieces of which each may be applied in one go: an early answer is for what comes behind it. */
export function stretches(events: readonly Event[]): readonly WaitChanges[] {
  const pieces: Stretch[] = [];
  for (const event of events) {
    const last = pieces.at(-1);
    const isEarly = event.type === "wait.done" && event.command_id === undefined;
    if (last === undefined || (isEarly && last.opened.length > 0)) {
      pieces.push({ early: [], opened: [], closed: [], ended: [] });
    }
    const piece = pieces.at(-1);
    if (piece !== undefined) note(piece, event);
  }
  return pieces;
}

function note(piece: Stretch, event: Event): void {
  const { execution_id: executionId, seq } = event;
  if (event.type === "wait.parked") {
    const { command_id: commandId, key, for: kind, who, about, due } = event;
    piece.opened.push({
      ...{ commandId, executionId, for: kind, key, step: stepOf(commandId), sinceMs: event.time },
      ...(who === undefined ? {} : { who }),
      ...(about === undefined ? {} : { about }),
      ...(due === undefined ? {} : { dueMs: due }),
    });
  } else if (event.type === "wait.done") {
    const { command_id: commandId, key, for: kind = "callback" } = event;
    if (commandId === undefined) piece.early.push({ executionId, seq, for: kind, key });
    else piece.closed.push(commandId);
  } else if (terminalStatus(event) !== undefined) piece.ended.push(executionId);
}

/** A command's id has its step between that of its execution and its visit. */
function stepOf(commandId: CommandId): string {
  return /^[^:]*:(.*?):\d+(?::[a-z]\d+)?$/s.exec(commandId)?.[1] ?? "";
}
