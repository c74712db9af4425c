// Follows an execution and its sub-playbooks in their logs until the end. Messages only say when
// to look: what counts is what the log has, in its order, without gaps.

import { type Event, terminalStatus } from "#core/model/event";
import type { ExecutionId } from "#core/model/ids";

export interface EventSource {
  /** Events after this sequence number, oldest first; some of them, none only if there are none. */
  read(id: ExecutionId, afterSeq: number): Promise<readonly Event[]>;
  /**
   * Resolves when there may be news.
   * @param quietLooks how many looks in a row found nothing.
   * @returns the executions that have news, or undefined when it could be any.
   */
  wait(quietLooks: number): Promise<ReadonlySet<ExecutionId> | undefined>;
}

export interface FollowOptions {
  readonly source: EventSource;
  readonly rootId: ExecutionId;
  /** Stay until sub-playbooks that nobody waits for have ended too. */
  readonly untilChildrenEnd: boolean;
  readonly onEvent: (event: Event) => void;
}

/** Resolves when the execution has ended and all its events were handed on. */
export async function follow(options: FollowOptions): Promise<void> {
  const { source, rootId, untilChildrenEnd, onEvent } = options;
  /** Executions that have not ended, with the last sequence number seen of each. */
  const open = new Map<ExecutionId, number>([[rootId, 0]]);
  let quietLooks = 0;
  let news: ReadonlySet<ExecutionId> | undefined;
  while (open.size > 0 && (untilChildrenEnd || open.has(rootId))) {
    const seen: Event[] = [];
    // Sub-playbooks found on the way are added to the map, and so are visited in the same look.
    for (const id of open.keys()) {
      if (news === undefined || news.has(id) || open.get(id) === 0) {
        await look(source, open, { id, seen });
      }
    }
    for (const event of seen.sort(byId)) onEvent(event);
    quietLooks = seen.length === 0 ? quietLooks + 1 : 0;
    if (seen.length === 0) news = await source.wait(quietLooks);
  }
}

/** Ids are minted in the order in which things happen, over all executions. */
function byId(a: Event, b: Event): number {
  return a.event_id.length - b.event_id.length || (a.event_id < b.event_id ? -1 : 1);
}

/** Adds a page of what is new of one execution to `seen`; the next look takes the next page. */
async function look(
  source: EventSource,
  open: Map<ExecutionId, number>,
  { id, seen }: { readonly id: ExecutionId; readonly seen: Event[] },
): Promise<void> {
  for (const event of await source.read(id, open.get(id) ?? 0)) {
    seen.push(event);
    open.set(id, event.seq);
    if (event.type === "child.started") open.set(event.child_id, 0);
    if (terminalStatus(event) !== undefined) open.delete(id);
  }
}
