// The artifact tool: fetches the value behind a result reference, or stores a value and gives its
// reference (language reference §5).

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { Output, ResultRef } from "#core/model/outcome";
import { configFailure, type Field, field, textField, wrongShape } from "./call-config.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

/** `get` (default): data is the value itself. `put`: data is the reference. */
export function artifactTool(): Tool {
  return {
    kind: "artifact",
    run: async (config, context) => {
      const action = textField(config, "action")?.value ?? "get";
      switch (action) {
        case "get":
          return fetched(config, context);
        case "put":
          return stored(config, context);
        default:
          throw configFailure(`action: expected get or put, found "${action}"`);
      }
    },
  };
}

function inputOf(config: JsonObject): JsonObject {
  const input = field(config, "input", "args")?.value;
  return isJsonObject(input) ? input : {};
}

const refNames = ["result_ref", "uri", "ref"] as const;

async function fetched(config: JsonObject, context: ToolContext): Promise<Output> {
  const given = field(inputOf(config), ...refNames) ?? field(config, ...refNames);
  if (given === undefined) {
    throw configFailure("result_ref: expected a reference, found nothing");
  }
  const ref = refText(given);
  try {
    return { status: "ok", data: await context.resolveResult(ref) };
  } catch (error) {
    throw resultFailure(`result ${ref} could not be read`, error);
  }
}

/** The key of a reference given as its text, or as the reference object of another step. */
function refText({ name, value }: Field): string {
  const text = isJsonObject(value) ? (value["ref"] ?? value["uri"]) : value;
  if (typeof text !== "string") throw wrongShape(name, "a reference", value);
  if (!text.startsWith("noetl://")) {
    throw new ToolFailure({
      kind: "result",
      message: `${name}: expected a noetl:// reference`,
      retryable: false,
    });
  }
  return text;
}

async function stored(config: JsonObject, context: ToolContext): Promise<Output> {
  const input = inputOf(config);
  const value = Object.hasOwn(config, "data") ? config["data"] : input["data"];
  if (value === undefined) throw configFailure("data: expected a value to store, found nothing");
  const name = (textField(config, "name") ?? textField(input, "name"))?.value ?? context.label;
  try {
    return { status: "ok", data: asJson(await context.putResult(name, value)) };
  } catch (error) {
    throw resultFailure(`result "${name}" could not be stored`, error);
  }
}

function asJson(ref: ResultRef): Json {
  const { extracted, ...rest } = ref;
  return {
    ...rest,
    meta: { ...ref.meta },
    ...(extracted === undefined ? {} : { extracted }),
  };
}

function resultFailure(message: string, cause: unknown): ToolFailure {
  if (cause instanceof ToolFailure) return cause;
  return new ToolFailure({ kind: "result", message, retryable: false }, { cause });
}
