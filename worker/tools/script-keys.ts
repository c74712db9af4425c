// The keys with which a script's bucket is read: of a credential or of the source itself, never
// those that the worker's own environment holds.

import type { JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import { credentialOf } from "./auth.ts";
import { configFailure, field, scalarText, textField, wrongShape } from "./call-config.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

export interface BucketKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region?: string;
  readonly endpoint: string;
}

const types = {
  s3: ["s3", "aws", "aws_s3"],
  gcs: ["gcs_hmac", "gcs", "s3"],
} as const;

const idNames = ["access_key_id", "aws_access_key_id", "access_key", "key_id"] as const;
const secretNames = ["secret_access_key", "aws_secret_access_key", "secret_key", "secret"] as const;
const tokenNames = ["session_token", "aws_session_token"] as const;

/**
 * Resolves `auth` (an alias, `{credential: alias}` or the keys themselves) for a bucket.
 * @throws ToolFailure of kind `config` or `credential`, which never shows what it found.
 */
export async function bucketKeys(
  store: "s3" | "gcs",
  place: JsonObject,
  context: ToolContext,
): Promise<BucketKeys> {
  const data = { ...(await credentialData(store, place, context)), ...place };
  const accessKeyId = firstText(data, idNames);
  const secretAccessKey = firstText(data, secretNames);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const keys = `${store === "gcs" ? "HMAC keys: " : ""}access_key_id and secret_access_key`;
    const message = `script.source.auth: expected ${keys}`;
    throw new ToolFailure({ kind: "credential", message, retryable: false });
  }
  const sessionToken = firstText(data, tokenNames);
  const region = firstText(data, ["region"]) ?? (store === "gcs" ? "auto" : "us-east-1");
  return {
    accessKeyId,
    secretAccessKey,
    region,
    endpoint: endpointOf(store, data, region),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

function endpointOf(store: "s3" | "gcs", data: JsonObject, region: string): string {
  const given = textField(data, "endpoint", "endpoint_url")?.value;
  const usual =
    store === "gcs" ? "https://storage.googleapis.com" : `https://s3.${region}.amazonaws.com`;
  const url = URL.parse(given ?? usual);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.origin + url.pathname;
  throw configFailure("script.source.endpoint: expected an http or https URL");
}

async function credentialData(
  store: "s3" | "gcs",
  place: JsonObject,
  context: ToolContext,
): Promise<JsonObject> {
  const given = field(place, "auth", "credential");
  if (given === undefined) return {};
  const map = isJsonObject(given.value) ? given.value : undefined;
  const alias = map === undefined ? given.value : field(map, "credential", "alias")?.value;
  if (alias === undefined) return map ?? {};
  if (typeof alias !== "string") throw wrongShape(given.name, "an alias or an object", alias);
  const credential = await credentialOf(alias, context);
  const usable: readonly string[] = types[store];
  if (!usable.includes(credential.type.toLowerCase())) {
    throw new ToolFailure({
      kind: "credential",
      message:
        `a script of ${store} cannot use credential "${credential.name}" of type ` +
        `"${credential.type}", expected ${usable.join(" or ")}`,
      retryable: false,
    });
  }
  return { ...credential.data, ...map };
}

function firstText(data: JsonObject, names: readonly string[]): string | undefined {
  return names
    .map((name) => scalarText(data[name]))
    .find((text) => text !== undefined && text !== "");
}
