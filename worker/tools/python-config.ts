// Reads the config of a python step (language reference §2.3) into what the runner needs.

import type { JsonObject } from "#core/model/json";
import { errorMessageCharsMax, errorTracebackCharsMax, resultBytesMax } from "#core/model/limits";
import { configFailure, field, objectField, textField, wrongShape } from "./call-config.ts";
import { callInput, folder } from "./code-call.ts";
import { callEnvironment, stepEnvironment } from "./process-group.ts";
import { programText } from "./script-source.ts";
import type { ToolContext } from "./tool.ts";

export interface PythonCall {
  /** Absolute path or name of the interpreter. */
  readonly interpreter: string;
  /** One line of the protocol, but for its id and marker. */
  readonly request: JsonObject;
}

export interface PythonDefaults {
  readonly interpreter: string;
  readonly cwd: string;
  readonly serverUrl: string;
  readonly resultBytesMax?: number;
}

export async function pythonCall(
  config: JsonObject,
  context: ToolContext,
  defaults: PythonDefaults,
): Promise<PythonCall> {
  const request = {
    code: await programText(config, context),
    file: `<${context.step}>`,
    args: callInput(config),
    variables: context.variables,
    execution_id: context.executionId,
    step: context.step,
    server_url: defaults.serverUrl,
    idempotency_key: context.idempotencyKey,
    libs: libraries(config),
    env: { ...callEnvironment(context), ...stepEnvironment(config) },
    cwd: (await folder(config, defaults.cwd)) ?? null,
    result_bytes_max: defaults.resultBytesMax ?? resultBytesMax,
    message_chars_max: errorMessageCharsMax,
    traceback_chars_max: errorTracebackCharsMax,
  };
  return { interpreter: interpreter(config) ?? defaults.interpreter, request };
}

/** `libs: {pd: pandas}` or `libs: [json]`, as a map of names to modules. */
function libraries(config: JsonObject): JsonObject {
  const libs = field(config, "libs");
  if (libs === undefined) return {};
  const pairs = Array.isArray(libs.value)
    ? libs.value.map((name) => [String(name).split(".")[0] ?? "", name] as const)
    : Object.entries(objectField(config, "libs")?.value ?? {});
  for (const [alias, module] of pairs) {
    if (typeof module !== "string") throw wrongShape(`libs.${alias}`, "a module's name", module);
    if (!/^[^\W\d]\w*(\.[^\W\d]\w*)*$/u.test(module)) {
      throw configFailure(`libs.${alias}: expected a module's name, found other text`);
    }
  }
  return Object.fromEntries(pairs);
}

/** A step's code can start any program already, so naming its interpreter adds no power. */
function interpreter(config: JsonObject): string | undefined {
  const python = textField(config, "python");
  if (python === undefined) return undefined;
  const isPath = python.value.startsWith("/") && !python.value.includes("\0");
  if (isPath || /^python[0-9.]*$/.test(python.value)) return python.value;
  throw configFailure("python: expected an absolute path or a name like python3.12");
}
