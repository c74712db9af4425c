// Routes that go back to the log: replay, verification, rebuilding.

import type { Elysia } from "elysia";
import type { Executions } from "#control/services/executions";
import { type PageWork, workThrough } from "#control/services/page-work";
import { rebuildExecution } from "#control/services/rebuild";
import { type Cutoff, replayState } from "#control/services/replay";
import { verifyExecution } from "#control/services/verify";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { verifyPageDefault, verifyPageMax } from "#core/model/limits";
import { api } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function replayRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.replayState, ({ params, query }) =>
    replayState(executions, parseExecutionId(params.id), cutoffOf(query)),
  );
  mount(app, api.replayStateOf, ({ query }) =>
    replayState(executions, parseExecutionId(query.execution_id), cutoffOf(query)),
  );
  mount(app, api.verify, async ({ query }) => {
    const { execution_id: one, ...page } = query;
    const verifyOne = (id: ExecutionId) => verifyExecution(context, id);
    const { ids, isFull } = await chosen(executions, {
      ...page,
      ...(one === undefined ? {} : { execution_ids: [one] }),
    });
    const verdicts =
      one === undefined
        ? await workThrough(context, ids, verifyOne)
        : await eachNamed(ids, verifyOne);
    return {
      executions: verdicts.results.map(({ executionId, events, digest, status, problems }) => ({
        execution_id: executionId,
        events,
        digest,
        status,
        problems: [...problems],
      })),
      events: verdicts.results.reduce((sum, { events }) => sum + events, 0),
      next: nextOf(verdicts, isFull),
    };
  });
  rebuildRoutes(app, executions);
}

interface CutoffQuery {
  readonly as_of_seq?: number;
  readonly as_of_event_id?: string;
  readonly as_of_time?: string;
  readonly as_of_position?: string;
}

function cutoffOf({
  as_of_seq: seq,
  as_of_event_id: eventId,
  as_of_time: time,
  as_of_position: position,
}: CutoffQuery): Cutoff {
  return {
    ...(seq === undefined ? {} : { seq }),
    ...(eventId === undefined ? {} : { eventId }),
    ...(time === undefined ? {} : { timeMs: parseTime(time) }),
    ...(position === undefined ? {} : { position }),
  };
}

function rebuildRoutes(app: Elysia, executions: Executions): void {
  const { context } = executions;
  mount(app, api.rebuild, async ({ body }) => {
    const { projections, repair } = body;
    if (projections === false && repair === false) {
      throw new Fault("invalid", "expected projections or repair, found neither");
    }
    const either = projections !== undefined || repair !== undefined;
    const work = { projections: projections ?? !either, repair: repair ?? !either };
    const rebuildOne = (id: ExecutionId) => rebuildExecution(context, id, work);
    const { ids, isFull } = await chosen(executions, body);
    const isNamed = body.execution_ids !== undefined;
    const rebuilt = isNamed
      ? await eachNamed(ids, rebuildOne)
      : await workThrough(context, ids, rebuildOne);
    return {
      executions: rebuilt.results.map(({ executionId, events, repaired, problems }) => ({
        execution_id: executionId,
        events,
        repaired: [...repaired],
        problems: [...problems],
      })),
      next: nextOf(rebuilt, isFull),
    };
  });
}

/** Those that were named are worked on to the last, and have to be there. */
async function eachNamed<Result>(
  ids: readonly ExecutionId[],
  work: (id: ExecutionId) => Promise<Result>,
): Promise<PageWork<Result>> {
  const results: Result[] = [];
  for (const id of ids) results.push(await work(id));
  return { results, last: ids.at(-1), cut: false };
}

/** A page that is not full is the last, unless its time was over before its end. */
const nextOf = ({ last, cut }: PageWork<unknown>, isFull: boolean): string | null =>
  cut || isFull ? (last ?? null) : null;

interface Choice {
  readonly execution_ids?: readonly string[];
  readonly after?: string;
  readonly limit?: number;
}

async function chosen(
  { context }: Executions,
  { execution_ids: named, after, limit }: Choice,
): Promise<{ readonly ids: readonly ExecutionId[]; readonly isFull: boolean }> {
  if (named !== undefined) {
    if (named.length > verifyPageMax) {
      throw new Fault("too_large", `expected at most ${verifyPageMax} executions at once`);
    }
    return { ids: named.map(parseExecutionId), isFull: false };
  }
  const from = after === undefined ? undefined : parseExecutionId(after);
  const size = pageOf(limit);
  const ids = await context.repair.executionIds(from, size);
  return { ids, isFull: ids.length === size };
}

const pageOf = (limit: number | undefined): number =>
  Math.min(Math.max(limit ?? verifyPageDefault, 1), verifyPageMax);

/** @throws Fault `invalid` for text that is no time. */
function parseTime(text: string): number {
  const timeMs = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(timeMs)) return timeMs;
  throw new Fault(
    "invalid",
    `expected a time like 2026-01-31T12:00:00Z or milliseconds, found ${JSON.stringify(text.slice(0, 40))}`,
  );
}
