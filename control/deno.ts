// The control plane of the edge on Deno, which keeps its environment and its cron calls to itself.

import edge, { type EdgeContext } from "./edge.ts";

/** The runtime's own, as far as we use it. */
interface DenoRuntime {
  readonly env: { toObject(): Readonly<Record<string, string>> };
  /** Only where cron calls are to be had. */
  readonly cron?: (name: string, schedule: string, handler: () => Promise<void>) => unknown;
}

// Absent everywhere but on Deno, whose types are not ours to load.
const { Deno: deno } = globalThis as unknown as { readonly Deno: DenoRuntime };

/** The process stays: what a request leaves for later needs nobody's leave. */
const context: EdgeContext = { waitUntil: () => {} };

const environment = deno.env.toObject();

deno.cron?.("noetl sweep", "* * * * *", () => edge.scheduled(undefined, environment, context));

export default {
  fetch: (request: Request): Promise<Response> => edge.fetch(request, environment, context),
};
