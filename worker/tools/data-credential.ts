// The credential of a call to a message system or an object store: its fields under the names the
// tool uses, with what the playbook gave itself on top.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { credentialOf, type MergedConfig } from "./auth.ts";
import { field, scalarText, wrongShape } from "./call-config.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

/** What credentials a tool can use, and how their fields are called. */
export interface CredentialUse {
  readonly tool: string;
  /** Types of credentials that fit; the first is named when another was given. */
  readonly types: readonly string[];
  /** The fields a connection is made of. */
  readonly fields: readonly string[];
  /** Other names of those fields: `nats_url` → `url`. */
  readonly names: Readonly<Record<string, string>>;
  /** Fields whose values no text may repeat. */
  readonly secret: readonly string[];
  /** What to say instead, for types that are known and not usable. */
  readonly instead?: Readonly<Record<string, string>>;
}

/**
 * Resolves `auth`/`credential` (language reference §6): an alias, `{credential: alias, …}`, or the
 * fields themselves. Fields of the config win over those of the map, and these over the alias'.
 * @throws ToolFailure of kind `credential` for an alias that does not fit.
 */
export async function mergedCredential(
  use: CredentialUse,
  config: JsonObject,
  context: ToolContext,
): Promise<MergedConfig> {
  const given = field(config, "auth", "credential");
  if (given !== undefined && typeof given.value !== "string" && !isJsonObject(given.value)) {
    throw wrongShape(given.name, "an alias or an object", given.value);
  }
  const inline = isJsonObject(given?.value) ? given.value : {};
  const alias =
    typeof given?.value === "string"
      ? given.value
      : (scalarText(inline["credential"]) ?? scalarText(inline["alias"]));
  const ofAlias = alias === undefined ? {} : await aliasFields(use, alias, context);
  const fields = { ...ofAlias, ...fieldsOf(use, inline), ...fieldsOf(use, config) };
  const secrets = use.secret.flatMap((name) => {
    const text = scalarText(fields[name]);
    return text === undefined ? [] : [text];
  });
  return { config: { ...config, ...fields }, secrets };
}

async function aliasFields(
  use: CredentialUse,
  alias: string,
  context: ToolContext,
): Promise<Record<string, Json>> {
  const credential = await credentialOf(alias, context);
  const type = credential.type.toLowerCase();
  if (use.types.includes(type)) return fieldsOf(use, credential.data);
  const instead = use.instead?.[type] ?? `expected one of type ${use.types[0]}`;
  throw new ToolFailure({
    kind: "credential",
    message: `tool ${use.tool} cannot use credential "${alias}" of type "${type}": ${instead}`,
    retryable: false,
  });
}

function fieldsOf(use: CredentialUse, data: JsonObject): Record<string, Json> {
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(data)) {
    const target = use.names[name] ?? name;
    if (value === null || value === "" || !use.fields.includes(target)) continue;
    // The plain name is the more deliberate of two spellings.
    if (target !== name && Object.hasOwn(data, target)) continue;
    fields[target] = value;
  }
  return fields;
}
