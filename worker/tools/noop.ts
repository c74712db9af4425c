// The tool that does nothing: a named point in the flow, or a constant that later steps read.

import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { scalarText } from "./call-config.ts";
import type { Tool } from "./tool.ts";

/** `result`, when given, is the data (even `null`); else `{status: "ok", message}`. */
export function noopTool(): Tool {
  return { kind: "noop", run: async (config) => noopOutput(config) };
}

function noopOutput(config: JsonObject): Output {
  const result = Object.hasOwn(config, "result") ? config["result"] : undefined;
  if (result !== undefined) return { status: "ok", data: result };
  return { status: "ok", data: { status: "ok", message: scalarText(config["message"]) ?? "" } };
}
