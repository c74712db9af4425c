// The tools that move data between stores, by kind; each is loaded when its kind is first needed.

import type { ToolLoaders } from "./tool.ts";

/** What the operator of a worker says about these tools. */
export type DataToolOptions = Readonly<Record<string, never>>;

export function dataTools(_options: DataToolOptions = {}): ToolLoaders {
  return {};
}
