// Calls of the nats tool against a scratch server of the test file's own.

import { afterAll, beforeAll } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { natsServer } from "#scripts/system-packages";
import { type NatsOptions, type ScratchNats, startNats } from "#tests/support/nats";
import { objectData, type ToolContextOverrides, toolContext } from "#tests/tools/context";
import { failureOf, outcomeOf } from "#tests/tools/outcome-of";
import { natsTool } from "#worker/tools/nats";

/** False where the server is not installed: the tests that need it are skipped and say so. */
export const natsAvailable = natsServer() !== undefined;

export function natsCalls(options: NatsOptions = {}) {
  const tool = natsTool();
  let started: ScratchNats | undefined;
  beforeAll(async () => {
    if (natsAvailable) started = await startNats(options);
  });
  afterAll(async () => {
    await tool.close?.();
    await started?.stop();
  });
  const server = (): ScratchNats => {
    if (started === undefined) throw new Error("expected a running server");
    return started;
  };
  const context = (overrides: ToolContextOverrides = {}) =>
    toolContext({
      credentials: { bus: { name: "bus", type: "nats", data: { nats_url: server().url } } },
      ...overrides,
    });
  const outcome = (config: JsonObject, overrides: ToolContextOverrides = {}) =>
    outcomeOf(tool, { auth: "bus", ...config }, context(overrides));
  const failure = (config: JsonObject, overrides: ToolContextOverrides = {}) =>
    failureOf(tool, { auth: "bus", ...config }, context(overrides));
  const run = async (config: JsonObject, overrides: ToolContextOverrides = {}) => {
    const output = await outcome(config, overrides);
    if (output.status === "error") throw new Error(JSON.stringify(output.error));
    return objectData(output.data);
  };
  return { tool, server, context, outcome, failure, run };
}
