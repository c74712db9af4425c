// A state as of then: the log folded up to one event, which a number, an id, a time or a position
// names. Event ids and times never go back within a log, so the event is found by halving.

import type { ExecutionState } from "#core/engine/state";
import { checksumsOf, commandSurface, outputSummary, surfacesOf } from "#core/engine/surfaces";
import type { Event } from "#core/model/event";
import { Fault } from "#core/model/fault";
import { type ExecutionId, isSnowflake } from "#core/model/ids";
import type { Head } from "#core/ports/event-log";
import type { Api } from "#core/wire/api";
import type { RouteAnswer } from "#core/wire/route";
import type { ControlContext } from "./context.ts";
import type { Executions } from "./executions.ts";

export interface Cutoff {
  readonly seq?: number;
  readonly eventId?: string;
  readonly timeMs?: number;
  readonly position?: string;
}

type ReplayAnswer = RouteAnswer<Api["replayState"]["parts"]>;

/**
 * The state of an execution as of a cutoff, or now.
 * @throws Fault `not_found` where there is no such execution or it had not started then;
 *   `invalid` for more than one cutoff.
 */
export async function replayState(
  executions: Executions,
  id: ExecutionId,
  cutoff: Cutoff,
): Promise<ReplayAnswer> {
  const head = await executions.context.log.head(id);
  if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
  const seq = await seqOf(executions.context, { id, head, cutoff });
  if (seq < 1) throw new Fault("not_found", `execution ${id} had not started then`);
  return answerOf(executions, await executions.states.replay(id, seq), head);
}

interface Search {
  readonly id: ExecutionId;
  readonly head: Head;
  readonly cutoff: Cutoff;
}

/** The number of the last event within the cutoff; 0 when even the first lies beyond it. */
async function seqOf(context: ControlContext, search: Search): Promise<number> {
  const { head, cutoff } = search;
  if (Object.keys(cutoff).length > 1) {
    throw new Fault("invalid", "expected one of seq, event id, time and position, found several");
  }
  const { seq, eventId, timeMs, position } = cutoff;
  if (seq !== undefined) return Math.min(seq, head.seq);
  if (eventId !== undefined) {
    if (!isSnowflake(eventId)) throw new Fault("invalid", "expected an event id");
    return lastWithin(context, search, (event) => BigInt(event.event_id) <= BigInt(eventId));
  }
  if (timeMs !== undefined) return lastWithin(context, search, ({ time }) => time <= timeMs);
  if (position !== undefined) return lastBefore(context, search, position);
  return head.seq;
}

/** Halves the log: what holds of an event holds of all before it. */
async function lastWithin(
  { log }: ControlContext,
  { id, head }: Search,
  isWithin: (event: Event) => boolean,
): Promise<number> {
  let low = 0;
  let high = head.seq;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [found] = await log.events(id, middle - 1, 1);
    if (found !== undefined && isWithin(found.event)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first event of this execution after the position is the first one that is left out. */
async function lastBefore(
  { feed }: ControlContext,
  { id, head }: Search,
  position: string,
): Promise<number> {
  const { entries } = await feed.after(position, { limit: 1, executionIds: [id] });
  const [next] = entries;
  return next === undefined ? head.seq : next.event.seq - 1;
}

async function answerOf(
  executions: Executions,
  state: ExecutionState,
  head: Head,
): Promise<ReplayAnswer> {
  const surfaces = surfacesOf(state);
  const { execution, variables, loops } = surfaces;
  const { checksum, checksums } = checksumsOf(surfaces, executions.context.sha256);
  const running = [...state.active.keys()][0] ?? state.lastExit;
  const { result, error } = execution;
  return {
    execution_id: state.executionId,
    path: state.started?.path ?? "",
    version: state.started?.version ?? 0,
    as_of: {
      seq: state.seq,
      event_id: state.eventId ?? "",
      time: new Date(state.timeMs).toISOString(),
      digest: state.digest,
    },
    head: head.seq,
    status: state.status.toUpperCase(),
    ...(running === undefined ? {} : { current_step: running }),
    ...(error === undefined ? {} : { error: { ...state.error } }),
    ...(result === undefined ? {} : { result: outputSummary({ status: "ok", data: result }) }),
    failed_steps: [...state.failed.keys()],
    steps: [...state.steps].map(([step, own]) => ({
      step,
      status: own.status,
      visits: own.visits,
      ...(own.output === undefined ? {} : { output: { ...outputSummary(own.output) } }),
      ...(own.stats === undefined ? {} : { stats: { ...own.stats } }),
    })),
    commands: [...state.commands.values()].map(commandSurface),
    loops: loops.map(({ results: _results, ...loop }) => loop) as unknown as ReplayAnswer["loops"],
    variables: { ...variables },
    checksum_algorithm: "sha256",
    checksum,
    checksums,
  };
}
