// A token from any server that gives them, asked for as the entry says.

import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { formOf, formType, type ProviderParts } from "./provider.ts";

export interface TokenRequest {
  readonly endpoint: string;
  readonly method?: string;
  readonly headers: JsonObject;
  /** A form, unless the headers say JSON; a text is sent as it is. */
  readonly data?: Json;
}

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH"]);

/**
 * What the server answers.
 * @throws Fault as of `AskOutside`, `forbidden` for an answer that is an error under a good status.
 */
export async function tokenAnswer(
  { ask }: ProviderParts,
  { endpoint, method = "POST", headers: given, data }: TokenRequest,
): Promise<JsonObject> {
  const what = "the token endpoint";
  const verb = method.toUpperCase();
  if (!methods.has(verb)) {
    throw new Fault("invalid", `method: expected ${[...methods].join(", ")}`);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given))
    headers[name.toLowerCase()] = textOfField(value);
  const body = data === undefined || verb === "GET" ? undefined : bodyOf(data, headers);
  const answer = await ask({
    what,
    url: endpoint,
    method: verb,
    headers: { ...(body === undefined || typeof data === "string" ? {} : formType), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  if (typeof answer["error"] === "string") {
    throw new Fault("forbidden", `${what} answered with an error under a good status`);
  }
  return answer;
}

function bodyOf(data: Json, headers: Readonly<Record<string, string>>): string {
  if (typeof data === "string") return data;
  if (headers["content-type"]?.includes("json") === true) return JSON.stringify(data);
  if (!isJsonObject(data)) throw new Fault("invalid", "data: expected a map");
  return formOf(
    Object.fromEntries(Object.entries(data).map(([name, value]) => [name, textOfField(value)])),
  );
}

function textOfField(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
