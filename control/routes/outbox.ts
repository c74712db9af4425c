// Routes of the outbox, and of bringing projections up to the log.

import type { Elysia } from "elysia";
import type { ControlContext } from "#control/services/context";
import type { Executions } from "#control/services/executions";
import { catchUp } from "#control/services/projections";
import { outboxOf } from "#control/system/outbox";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { api } from "#core/wire/api";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

const consumerDefault = "default";
const claimDefault = 100;
const delaySecondsDefault = 300;

export function outboxRoutes(app: Elysia, { context }: Executions): void {
  const outbox = outboxOf(context);
  mount(app, api.claimOutbox, async ({ body }) => {
    const { limit = claimDefault, consumer = consumerDefault } = body ?? {};
    const rows = await outbox.claim(consumer, limit);
    return {
      rows: rows.map((row) => ({ ...row, payload: { ...row.payload } })),
      claimed: rows.length,
    };
  });
  mount(app, api.markPublished, async ({ body }) => {
    const { outbox_ids: ids, consumer = consumerDefault } = body;
    return { marked: await outbox.markPublished(consumer, ids.map(String)) };
  });
  mount(app, api.markFailed, async ({ body }) => {
    const { outbox_id: id, attempts, consumer = consumerDefault } = body;
    const { max_delay_seconds: seconds = delaySecondsDefault } = body;
    const delayMs = await outbox.markFailed(consumer, {
      id: String(id),
      delayMsMax: seconds * 1_000,
      ...(attempts === undefined ? {} : { attempts }),
    });
    return {
      marked: delayMs === undefined ? 0 : 1,
      available_at_in: Math.ceil((delayMs ?? 0) / 1_000),
    };
  });
  mount(app, api.pendingCount, async ({ query }) => ({
    pending: await outbox.pending(query.consumer ?? consumerDefault),
  }));
  mount(app, api.projectEvents, ({ body }) => projected(context, body.events));
}

interface GivenEvent {
  readonly execution_id: string;
  readonly [field: string]: unknown;
}

/** What is projected is read from the log: what the request says of its events counts for nothing. */
async function projected(context: ControlContext, events: readonly GivenEvent[]) {
  const ids = [...new Set(events.map(({ execution_id: id }) => parseExecutionId(id)))];
  const before = await seqs(context, ids);
  for (const id of ids) {
    if ((await context.log.head(id)) === undefined) {
      throw new Fault("not_found", `execution ${id} does not exist`);
    }
    await catchUp(context, id);
  }
  const isNew = ({ execution_id: id, stream_version: version, seq = version }: GivenEvent) =>
    typeof seq === "number" && seq > (before.get(id) ?? 0);
  const fresh = events.filter(isNew).length;
  return { projected: fresh, duplicates: events.length - fresh };
}

async function seqs(
  { projections }: ControlContext,
  ids: readonly ExecutionId[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await projections.rows(ids);
  return new Map(rows.map(({ executionId, seq }) => [executionId, seq]));
}
