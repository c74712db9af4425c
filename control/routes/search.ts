// Routes of the search over executions.

import type { Elysia } from "elysia";
import { tenantFor } from "#control/access/admission";
import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

const limitDefault = 10;

export function searchRoutes(app: Elysia, { context: { search } }: Executions): void {
  mount(app, api.searchExecutions, async ({ query }, http) => {
    if (search === undefined) {
      throw new Fault("unavailable", "there is no search: expected NOETL_QDRANT_URL to be set");
    }
    const { q: text, limit = limitDefault, status, path } = query;
    const items = await search.find({
      ...{ text, limit, tenant: tenantFor(http) },
      ...(status === undefined ? {} : { status }),
      ...(path === undefined ? {} : { path }),
    });
    return { items };
  });
}
