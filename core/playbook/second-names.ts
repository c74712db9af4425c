// Fields of tools that have two names: which of a tool's keys are better written otherwise. Where a
// tool has both names, both stay.

import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { commonFields, toolKinds } from "./tool-fields.ts";

/** Keys of this tool with the name to write instead: `args` for input, `endpoint` for url. */
export function secondNames(tool: JsonObject): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const { args, kind } = tool;
  const isInput = toolKinds.get(String(kind))?.fields.args === commonFields.args;
  const isMap = args !== undefined && isJsonObject(args);
  if (isInput && isMap && !Object.hasOwn(tool, "input")) names.set("args", "input");
  if (kind === "http" && typeof tool.endpoint === "string" && !Object.hasOwn(tool, "url")) {
    names.set("endpoint", "url");
  }
  return names;
}
