// Routes of stored values, by their addresses of today and by older ones.

import type { Elysia } from "elysia";
import { principalOf } from "#control/access/admission";
import { audited } from "#control/access/audit";
import type { Executions } from "#control/services/executions";
import { fetchResult, storeResult } from "#control/services/results";
import { removeResults, stepResult, storedResults } from "#control/services/stored-results";
import { resultsListedMax } from "#core/model/api-limits";
import { Fault } from "#core/model/fault";
import type { Json } from "#core/model/json";
import { api, pageSize } from "#core/wire/api";
import type { RouteRequest } from "#core/wire/route";
import { parseExecutionId } from "./executions.ts";
import { mount } from "./mount.ts";

export function resultRoutes(app: Elysia, executions: Executions): void {
  const put = async ({ params, body }: RouteRequest<typeof api.putResult.parts>) => {
    const id = parseExecutionId(params.id);
    if ((await executions.context.log.head(id)) === undefined) {
      throw new Fault("not_found", `execution ${id} does not exist`);
    }
    const ref = await storeResult(executions.context, id, body.name, body.data as Json);
    const { store, scope, meta } = ref;
    const { bytes, sha256 = "" } = meta;
    const about = { store, scope, bytes, sha256, expires_at: null };
    return { ref: ref.ref, ...about, result_ref: { ...ref } };
  };
  mount(app, api.putResult, put);
  mount(app, api.putTemp, put);
  mount(app, api.resolveResult, ({ query }) => fetchResult(executions.context, query.ref));
  mount(app, api.resolveTemp, ({ query }) => fetchResult(executions.context, query.ref));
  lookRoutes(app, executions);
  removeRoutes(app, executions);
}

function lookRoutes(app: Elysia, executions: Executions): void {
  const list = async ({ params, query }: RouteRequest<typeof api.listResults.parts>) => {
    const id = parseExecutionId(params.id);
    const { step_name: name } = query;
    const found = await storedResults(executions, id, { name, limit: pageSize(query.limit) });
    const results = found.map((one) => ({ ...one }));
    return { execution_id: id, results, count: results.length };
  };
  const ofStep = async ({ params, query }: RouteRequest<typeof api.stepResult.parts>) => {
    const id = parseExecutionId(params.id);
    const { step } = params;
    const isResolved = query.resolve === "true";
    const found = await stepResult(executions, id, { step, isResolved });
    return { execution_id: id, step, ...found };
  };
  mount(app, api.listResults, list);
  mount(app, api.listTemp, list);
  mount(app, api.stepResult, ofStep);
  mount(app, api.stepTemp, ofStep);
  mount(app, api.resultStats, async ({ query }) => {
    const id = parseExecutionId(query.execution_id);
    const found = await storedResults(executions, id, { limit: resultsListedMax });
    return {
      execution_id: id,
      count: found.length,
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      more: found.length === resultsListedMax,
    };
  });
}

function removeRoutes(app: Elysia, executions: Executions): void {
  const remove = async (text: string, http: Request, name?: string) => {
    const id = parseExecutionId(text);
    const count = await removeResults(executions, id, name);
    await audited(executions.context, principalOf(http), {
      action: "results.delete",
      object: `execution/${id}`,
      about: { count },
    });
    return { execution_id: id, deleted_count: count };
  };
  mount(app, api.deleteResults, ({ params }, http) => remove(params.id, http));
  mount(app, api.deleteStepResults, ({ params }, http) => remove(params.id, http, params.step));
}
