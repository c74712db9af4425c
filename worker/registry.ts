// The tools of a worker by kind. A tool's module is loaded when its kind is first needed: a
// worker that only calls web services never loads a database.

import { type DataToolOptions, dataTools } from "#worker/tools/data-tools";
import type { DuckdbToolOptions } from "#worker/tools/duckdb";
import type { HttpToolOptions } from "#worker/tools/http";
import type { JavascriptToolOptions } from "#worker/tools/javascript";
import type { PostgresToolOptions } from "#worker/tools/postgres";
import type { PythonToolOptions } from "#worker/tools/python";
import { type RunToolOptions, runTools } from "#worker/tools/run-tools";
import type { ShellToolOptions } from "#worker/tools/shell";
import { type Tool, ToolFailure, type ToolLoaders } from "#worker/tools/tool";

export interface ToolRegistry {
  /**
   * The tool of this kind; a promise only while it is being loaded.
   * @throws ToolFailure of kind `config` for a kind that no tool has.
   */
  get(kind: string): Tool | Promise<Tool>;
  /** Ends what the tools keep warm. */
  close(): Promise<void>;
}

export interface BuiltinToolOptions {
  readonly python?: PythonToolOptions;
  readonly javascript?: JavascriptToolOptions;
  readonly shell?: ShellToolOptions;
  readonly http?: HttpToolOptions;
  readonly postgres?: PostgresToolOptions;
  readonly duckdb?: DuckdbToolOptions;
  readonly data?: DataToolOptions;
  readonly run?: RunToolOptions;
}

/** The tools that come with the product (language reference §2.2). */
export function builtinTools(options: BuiltinToolOptions = {}): ToolRegistry {
  return toolRegistry({
    noop: async () => (await import("#worker/tools/noop")).noopTool(),
    artifact: async () => (await import("#worker/tools/artifact")).artifactTool(),
    python: async () => (await import("#worker/tools/python")).pythonTool(options.python),
    javascript: async () =>
      (await import("#worker/tools/javascript")).javascriptTool(options.javascript),
    shell: async () => (await import("#worker/tools/shell")).shellTool(options.shell),
    http: async () => (await import("#worker/tools/http")).httpTool(options.http),
    postgres: async () => (await import("#worker/tools/postgres")).postgresTool(options.postgres),
    duckdb: async () => (await import("#worker/tools/duckdb")).duckdbTool(options.duckdb),
    ...dataTools({ http: options.http, duckdb: options.duckdb, ...options.data }),
    ...runTools(options.run),
  });
}

/** Tools that are already there; for tests and programs that bring their own. */
export function givenTools(tools: readonly Tool[]): ToolRegistry {
  return toolRegistry(Object.fromEntries(tools.map((tool) => [tool.kind, async () => tool])));
}

export function toolRegistry(loaders: ToolLoaders): ToolRegistry {
  const kinds = new Map(Object.entries(loaders));
  const loaded = new Map<string, Tool>();
  const loading = new Map<string, Promise<Tool>>();

  const load = async (kind: string, loader: () => Promise<Tool>): Promise<Tool> => {
    try {
      const tool = await loader();
      loaded.set(kind, tool);
      return tool;
    } finally {
      // One that could not be loaded is tried again by the next call.
      loading.delete(kind);
    }
  };

  const get = (kind: string): Tool | Promise<Tool> => {
    const ready = loaded.get(kind) ?? loading.get(kind);
    if (ready !== undefined) return ready;
    const loader = kinds.get(kind);
    if (loader === undefined) throw unknownKind(kind, [...kinds.keys()]);
    const promise = load(kind, loader);
    if (!loaded.has(kind)) loading.set(kind, promise);
    return promise;
  };

  const close = async (): Promise<void> => {
    await Promise.allSettled(loading.values());
    const tools = [...loaded.values()];
    loaded.clear();
    await Promise.allSettled(tools.map((tool) => tool.close?.()));
  };

  return { get, close };
}

function unknownKind(kind: string, known: readonly string[]): ToolFailure {
  return new ToolFailure({
    kind: "config",
    message: `no tool of kind ${kind} on this worker, expected one of ${known.join(", ")}`,
    retryable: false,
    code: "unknown_kind",
  });
}
