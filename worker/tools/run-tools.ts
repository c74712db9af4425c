// The tools that run something elsewhere, by kind; each is loaded when its kind is first needed.

import type { ContainerToolOptions } from "./container.ts";
import type { McpToolOptions } from "./mcp.ts";
import type { ToolLoaders } from "./tool.ts";

/** What the operator of a worker says about these tools. */
export interface RunToolOptions {
  readonly mcp?: McpToolOptions;
  readonly container?: ContainerToolOptions;
}

export function runTools(options: RunToolOptions = {}): ToolLoaders {
  return {
    mcp: async () => (await import("./mcp.ts")).mcpTool(options.mcp),
    container: async () => (await import("./container.ts")).containerTool(options.container),
    secrets: async () => (await import("./secrets.ts")).secretsTool(),
    snowflake: async () => (await import("./snowflake.ts")).snowflakeTool(),
  };
}
