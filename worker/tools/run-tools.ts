// The tools that run something elsewhere, by kind; each is loaded when its kind is first needed.

import type { ToolLoaders } from "./tool.ts";

/** What the operator of a worker says about these tools. */
export type RunToolOptions = Readonly<Record<string, never>>;

export function runTools(_options: RunToolOptions = {}): ToolLoaders {
  return {};
}
