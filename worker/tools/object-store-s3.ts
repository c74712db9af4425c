// Objects in stores that speak S3, Google Cloud Storage among them. Reads nothing from the worker's
// own environment, so that a playbook cannot borrow the worker's keys.

import { messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { errorMessageCharsMax } from "#core/model/limits";
import { redactor } from "./auth.ts";
import { configFailure, scalarText, textField } from "./call-config.ts";
import { type CredentialUse, mergedCredential } from "./data-credential.ts";
import type { ObjectStore, StoredObject } from "./object-store.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

export type BucketKind = "s3" | "gcs";

const keyNames = {
  aws_access_key_id: "access_key_id",
  access_key: "access_key_id",
  hmac_key_id: "access_key_id",
  key_id: "access_key_id",
  aws_secret_access_key: "secret_access_key",
  secret_key: "secret_access_key",
  hmac_secret: "secret_access_key",
  secret: "secret_access_key",
  aws_session_token: "session_token",
  endpoint_url: "endpoint",
  region_name: "region",
};

const fields = ["access_key_id", "secret_access_key", "session_token", "endpoint", "region"];
const useHmac = "use HMAC keys (a credential of type gcs_hmac)";

const uses: Readonly<Record<BucketKind, CredentialUse>> = {
  s3: {
    tool: "s3",
    types: ["s3", "aws"],
    fields,
    names: keyNames,
    secret: ["secret_access_key", "session_token"],
  },
  gcs: {
    tool: "gcs",
    types: ["gcs_hmac", "gcs", "s3"],
    fields,
    names: keyNames,
    secret: ["secret_access_key", "session_token"],
    instead: { google_service_account: useHmac, google_oauth: useHmac },
  },
};

const googleEndpoint = "https://storage.googleapis.com";
const schemes: Readonly<Record<BucketKind, string>> = { s3: "s3://", gcs: "gs://" };

interface Place {
  readonly bucket: string;
  readonly key: string;
}

/** @param egress whether this worker may reach the store's address. */
export async function bucketStore(
  kind: BucketKind,
  config: JsonObject,
  options: { readonly context: ToolContext; readonly egress?: (url: URL) => boolean },
): Promise<ObjectStore> {
  const merged = await mergedCredential(uses[kind], config, options.context);
  const keys = merged.config;
  const accessKeyId = scalarText(keys["access_key_id"]);
  const secretAccessKey = scalarText(keys["secret_access_key"]);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const more = kind === "gcs" ? `; ${useHmac}` : "";
    throw new ToolFailure({
      kind: "credential",
      message: `auth: expected access_key_id and secret_access_key${more}`,
      retryable: false,
    });
  }
  const region = textField(keys, "region")?.value ?? (kind === "gcs" ? "auto" : "us-east-1");
  const endpoint = endpointOf(kind, keys, region);
  if (options.egress?.(endpoint) === false) {
    const message = `endpoint: this worker may not reach ${endpoint.host}`;
    throw new ToolFailure({ kind: "forbidden", message, retryable: false });
  }
  const sessionToken = scalarText(keys["session_token"]);
  if (sessionToken === undefined) refuseOwnToken();
  const client = new Bun.S3Client({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    endpoint: endpoint.href.replace(/\/$/, ""),
  });
  return storeOn(client, { kind, redact: redactor(merged.secrets), host: endpoint.host });
}

const tokenVariables = ["S3_SESSION_TOKEN", "AWS_SESSION_TOKEN"] as const;

/**
 * Where a call brings no session token, the client takes the worker's own, and nothing can tell it
 * not to: the token would go to whatever address a playbook names.
 * @throws ToolFailure of kind `forbidden` on a worker that was started with one.
 */
export function refuseOwnToken(): void {
  const found = tokenVariables.find((name) => (process.env[name] ?? "") !== "");
  if (found === undefined) return;
  throw new ToolFailure({
    kind: "forbidden",
    message: `this worker's own ${found} would be sent along; start it without, or give session_token`,
    retryable: false,
  });
}

function endpointOf(kind: BucketKind, config: JsonObject, region: string): URL {
  const given = textField(config, "endpoint")?.value;
  const text = given ?? (kind === "gcs" ? googleEndpoint : `https://s3.${region}.amazonaws.com`);
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw configFailure("endpoint: expected an address like https://host");
  }
  return url;
}

interface StoreParts {
  readonly kind: BucketKind;
  readonly redact: (text: string) => string;
  readonly host: string;
}

function storeOn(client: Bun.S3Client, { kind, redact, host }: StoreParts): ObjectStore {
  const scheme = schemes[kind];
  const placeOf = (uri: string, needsKey = true): Place => {
    const [, bucket = "", key = ""] = /^([^/]+)\/?(.*)$/s.exec(uri.slice(scheme.length)) ?? [];
    if (!uri.startsWith(scheme) || bucket === "" || (needsKey && key === "")) {
      throw configFailure(`uri: expected ${scheme}bucket/key`);
    }
    return { bucket, key };
  };
  const fileAt = ({ bucket, key }: Place, type?: string) =>
    client.file(key, { bucket, ...(type === undefined ? {} : { type }) });
  const head = async (uri: string): Promise<StoredObject> => {
    const stat = await fileAt(placeOf(uri)).stat();
    return {
      uri,
      size: stat.size,
      contentType: stat.type,
      etag: stat.etag.replaceAll('"', ""),
      // Not every store says when an object was written.
      ...(Number.isNaN(stat.lastModified.getTime())
        ? {}
        : { modified: stat.lastModified.toISOString() }),
    };
  };
  return {
    head,
    put: async (uri, content, contentType) => {
      const body = content.kind === "bytes" ? content.bytes : Bun.file(content.path);
      await fileAt(placeOf(uri), contentType).write(body);
      return head(uri);
    },
    get: (uri) => fileAt(placeOf(uri)).bytes(),
    list: async (uri, { prefix, delimiter, limit, startAfter }) => {
      const { bucket, key } = placeOf(uri, false);
      const found = await client.list(
        {
          prefix: key + prefix,
          maxKeys: limit,
          ...(delimiter === undefined ? {} : { delimiter }),
          ...(startAfter === undefined ? {} : { startAfter }),
        },
        { bucket },
      );
      const objects = (found.contents ?? []).map((object) => ({
        uri: `${scheme}${bucket}/${object.key}`,
        size: object.size ?? 0,
        ...(object.lastModified === undefined ? {} : { modified: object.lastModified }),
      }));
      const prefixes = (found.commonPrefixes ?? []).map(({ prefix: folder }) => folder);
      const last = [...(found.contents ?? []).map((object) => object.key), ...prefixes]
        .sort()
        .at(-1);
      return { objects, prefixes, next: found.isTruncated === true ? last : undefined };
    },
    delete: async (uri) => {
      await fileAt(placeOf(uri)).delete();
    },
    copy: async (from, to) => {
      const { size, contentType } = await head(from);
      const target = fileAt(placeOf(to), contentType);
      // An empty stream has no part to upload.
      if (size === 0) await target.write(new Uint8Array());
      else await target.write(fileAt(placeOf(from)));
      return head(to);
    },
    failure: (error) => bucketFailure(error, { kind, redact, host }),
  };
}

const passing = /^(?:SlowDown|InternalError|ServiceUnavailable|RequestTimeout|Throttl|5\d\d)/;
const connection = /^(?:Connection|ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|FailedToOpenSocket|Timeout)/;

function bucketFailure(error: unknown, { kind, redact, host }: StoreParts): ToolFailure {
  if (error instanceof ToolFailure) return error;
  const given = error instanceof Error ? Reflect.get(error, "code") : undefined;
  const code = typeof given === "string" ? given : undefined;
  const text = redact(messageOf(error)).slice(0, errorMessageCharsMax);
  const isAway = code !== undefined && connection.test(code);
  return new ToolFailure(
    {
      kind: isAway ? "connection" : kind,
      message: isAway ? `cannot use ${kind} at ${host}: ${code}` : text,
      retryable: isAway || (code !== undefined && passing.test(code)),
      ...(code === undefined ? {} : { code }),
    },
    { cause: error },
  );
}
