// The log of an execution as it was hashed, for those who check it themselves.

import type { Elysia } from "elysia";
import { parseExecutionId } from "#control/routes/executions";
import { mount } from "#control/routes/mount";
import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import { api, pageSize } from "#core/wire/api";

export function logRoutes(app: Elysia, executions: Executions): void {
  mount(app, api.executionLog, async ({ params, query }) => {
    const id = parseExecutionId(params.id);
    const { log } = executions.context;
    const head = await log.head(id);
    if (head === undefined) throw new Fault("not_found", `execution ${id} does not exist`);
    const page = await log.events(id, query.after ?? 0, pageSize(query.limit));
    const lines = page.map(({ event, text, digest }) => ({ seq: event.seq, digest, text }));
    return { execution_id: id, head: head.seq, lines };
  });
}
