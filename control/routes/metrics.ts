// Routes about the numbers of this process.

import type { Elysia } from "elysia";
import { storeNumbers } from "#control/export/control-metrics";
import type { Executions } from "#control/services/executions";
import { Fault } from "#core/model/fault";
import { api } from "#core/wire/api";
import { mount } from "./mount.ts";

export function metricsRoutes(app: Elysia, { context }: Executions): void {
  const { metrics } = context;
  const look = metrics === undefined ? undefined : storeNumbers(context, metrics);
  mount(app, api.metrics, async () => {
    if (metrics === undefined) throw new Fault("unavailable", "this process counts nothing");
    await look?.();
    return new Response(metrics.text(), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  });
}
