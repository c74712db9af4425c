// Variables as clients of three dialects send them: a map or a list under `variables`, or a bare map.

import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";

export interface VarsInput {
  readonly set: JsonObject;
  readonly sourceStep?: string;
}

/** @throws Fault `invalid` for what is none of the three, or a name that can't be one. */
export function varsInput(body: JsonObject): VarsInput {
  const { variables, source_step: step } = body;
  if (!Object.hasOwn(body, "variables")) return { set: checked(body) };
  const source = typeof step === "string" ? { sourceStep: step } : {};
  if (variables !== undefined && isJsonObject(variables)) {
    return { set: checked(variables), ...source };
  }
  if (!Array.isArray(variables)) {
    throw new Fault("invalid", "variables: expected a map or a list");
  }
  const entries = variables.map(entryOf);
  const named = variables.find((entry) => isJsonObject(entry) && entry.source_step !== undefined);
  const own = named !== undefined && isJsonObject(named) ? named.source_step : undefined;
  return {
    set: checked(Object.fromEntries(entries)),
    ...(typeof own === "string" ? { sourceStep: own } : source),
  };
}

function entryOf(entry: Json): readonly [string, Json] {
  const map = isJsonObject(entry) ? entry : {};
  const name = map.var_name ?? map.name;
  if (typeof name !== "string") {
    throw new Fault("invalid", "variables: expected a list of maps with a var_name");
  }
  return [name, map.var_value ?? map.value ?? null];
}

function checked(set: JsonObject): JsonObject {
  for (const name of Object.keys(set)) {
    if (name !== "" && !name.includes("\0")) continue;
    throw new Fault("invalid", "variables: expected names of plain text");
  }
  return set;
}
