// A ToolContext made of small in-test values, with what the tool wrote to it laid open.

import { commandId, executionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Failure, Output, ResultRef } from "#core/model/outcome";
import {
  type CommandResources,
  type Credential,
  type LogStream,
  type Tool,
  type ToolContext,
  ToolFailure,
} from "#worker/tools/tool";

export interface LogLine {
  readonly stream: LogStream;
  readonly text: string;
}

export interface TestToolContext extends ToolContext {
  /** Every line that the tool logged, in order. */
  readonly lines: readonly LogLine[];
  /** The values that the tool stored, by their reference. */
  readonly stored: ReadonlyMap<string, Json>;
  /** Closes what the tool opened through `resources`, last opened first. */
  closeResources(): Promise<void>;
}

export interface ToolContextOverrides extends Partial<ToolContext> {
  /** What `credential(alias)` answers; any other alias is a failure of kind `credential`. */
  readonly credentials?: Readonly<Record<string, Credential>>;
  /** What `resolveResult(ref)` answers, besides what the tool stored itself. */
  readonly results?: Readonly<Record<string, Json>>;
}

/** A context in which everything is allowed that a test does not override. */
export function toolContext(overrides: ToolContextOverrides = {}): TestToolContext {
  const { credentials = {}, results = {}, ...given } = overrides;
  const lines: LogLine[] = [];
  const stored = new Map<string, Json>(Object.entries(results));
  const { resources, close } = commandResources();
  return {
    executionId: executionId("478775660589088776"),
    commandId: commandId(executionId("478775660589088776"), "work", 1),
    step: "work",
    label: "work",
    attempt: 1,
    idempotencyKey: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    workerId: "worker-1",
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    policy: { shell: true, fileRoots: [] },
    resources,
    variables: {},
    log: (stream, text) => {
      lines.push({ stream, text });
    },
    credential: async (alias) => {
      const credential = credentials[alias];
      if (credential !== undefined) return credential;
      throw new ToolFailure({
        kind: "credential",
        message: `expected a credential named ${alias}, found none`,
        retryable: false,
      });
    },
    keychain: async (name) => {
      throw new ToolFailure({
        kind: "credential",
        message: `keychain entry ${name} does not exist`,
        retryable: false,
      });
    },
    secret: async () => [],
    callbackToken: async () => "",
    resolveResult: async (ref) => {
      const value = stored.get(ref);
      if (value !== undefined) return value;
      throw new ToolFailure({
        kind: "result",
        message: `expected a stored result ${ref}, found none`,
        retryable: false,
      });
    },
    putResult: async (name, value) => {
      const ref = storedRef(name, value);
      stored.set(ref.ref, value);
      return ref;
    },
    ...given,
    lines,
    stored,
    closeResources: close,
  };
}

/** The text of one stream as logged, line by line. */
export function loggedText(context: TestToolContext, stream: LogStream): string {
  return context.lines
    .filter((line) => line.stream === stream)
    .map((line) => line.text)
    .join("\n");
}

function storedRef(name: string, value: Json): ResultRef {
  const text = JSON.stringify(value);
  return {
    kind: "result_ref",
    ref: `noetl://execution/478775660589088776/result/work/${name}`,
    store: "memory",
    scope: "execution",
    meta: {
      bytes: Buffer.byteLength(text),
      sha256: new Bun.CryptoHasher("sha256").update(text).digest("hex"),
      media_type: "application/json",
    },
  };
}

function commandResources(): { resources: CommandResources; close(): Promise<void> } {
  const open = new Map<string, Promise<{ readonly value: unknown; close(): Promise<void> }>>();
  const resources: CommandResources = {
    use: async <Resource>(
      key: string,
      start: () => Promise<{ readonly value: Resource; close(): Promise<void> }>,
    ): Promise<Resource> => {
      const resource = open.get(key) ?? start();
      open.set(key, resource);
      // The cast rests on callers using one key for one kind of resource, as the contract says.
      return (await resource).value as Resource;
    },
  };
  const close = async (): Promise<void> => {
    for (const resource of [...open.values()].reverse()) await (await resource).close();
    open.clear();
  };
  return { resources, close };
}

/** A JSON object or a readable complaint: tests look into `output.data` through this. */
export function objectData(value: Json | undefined): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new Error(`expected an object as data, found ${JSON.stringify(value)}`);
}

/** Calls of one tool: the whole output, the data of an ok one, the failure of a bad one. */
export function callsOf(tool: Tool) {
  const run = (config: JsonObject, overrides: ToolContextOverrides = {}): Promise<Output> =>
    tool.run(config, toolContext(overrides));
  const data = async (
    config: JsonObject,
    overrides: ToolContextOverrides = {},
  ): Promise<unknown> => {
    const output = await run(config, overrides);
    if (output.status !== "ok") throw new Error(JSON.stringify(output.error));
    return output.data;
  };
  const error = async (
    config: JsonObject,
    overrides: ToolContextOverrides = {},
  ): Promise<Failure> => {
    const output = await run(config, overrides);
    if (output.error === undefined) throw new Error("expected an error, found an ok output");
    return output.error;
  };
  return { run, data, error };
}
