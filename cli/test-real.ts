// The tools of the product, for calls of tested playbooks that run for real: one set for all tests,
// made when the first call asks for it.

import type { BuiltinToolOptions, ToolRegistry } from "#worker/registry";
import type { Tool } from "#worker/tools/tool";

export interface RealTools {
  /** @throws ToolFailure for a kind that no tool has. */
  tool(kind: string): Promise<Tool>;
  close(): Promise<void>;
}

/** Tools without I/O: what they give depends on what they are given alone. */
const pureKinds: ReadonlySet<string> = new Set(["noop", "javascript", "artifact"]);

export function isPureKind(kind: string): boolean {
  return pureKinds.has(kind);
}

/** @param settings of tools with I/O; asked for once, by the first of them. */
export function realTools(settings: () => Promise<BuiltinToolOptions>): RealTools {
  const made: Promise<ToolRegistry>[] = [];
  const once = (make: () => Promise<ToolRegistry>): (() => Promise<ToolRegistry>) => {
    let tools: Promise<ToolRegistry> | undefined;
    return () => {
      tools ??= make();
      made.push(tools);
      return tools;
    };
  };
  const registryOf = async (options: BuiltinToolOptions): Promise<ToolRegistry> =>
    (await import("#worker/registry")).builtinTools(options);
  const pure = once(() => registryOf({}));
  const others = once(async () => registryOf(await settings()));
  return {
    tool: async (kind) => (await (isPureKind(kind) ? pure() : others())).get(kind),
    close: async () => {
      for (const tools of new Set(made)) await (await tools).close();
    },
  };
}
