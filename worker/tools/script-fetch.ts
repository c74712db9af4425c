// Scripts that lie elsewhere: behind an http address, or as an object of S3 or of Google Cloud
// Storage. Nothing is kept: each call fetches its script, whole, bounded, and as UTF-8.

import type { JsonObject } from "#core/model/json";
import { scriptBytesMax } from "#core/model/limits";
import { httpAuth } from "./auth.ts";
import { configFailure, type Deadline, field, textField } from "./call-config.ts";
import { bodyBytes } from "./http-body.ts";
import { connectionFailure, exchange } from "./http-exchange.ts";
import { type HttpRequest, httpRequest, setHeader } from "./http-request.ts";
import { refuseOwnToken } from "./object-store-s3.ts";
import { bucketKeys } from "./script-keys.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

export interface FetchedFrom {
  /** `script` and `script.source` in one map; the source's own fields win. */
  readonly place: JsonObject;
  readonly context: ToolContext;
  readonly deadline: Deadline;
}

/** A signed address is good for one download; it never leaves this file. */
const signedForSeconds = 900;

/** `{endpoint | url, method: GET | POST, headers, auth}` (language reference §2.2). */
export async function httpScript(from: FetchedFrom): Promise<Uint8Array> {
  const { place, context } = from;
  const url = textField(place, "endpoint", "url", "uri");
  if (url === undefined) throw configFailure("script.source.endpoint: expected a URL, found none");
  const method = (textField(place, "method")?.value ?? "GET").toUpperCase();
  if (method !== "GET" && method !== "POST") {
    throw configFailure("script.source.method: expected GET or POST, found another");
  }
  const headers = field(place, "headers");
  const request = httpRequest({
    url: url.value,
    method,
    ...(headers === undefined ? {} : { headers: headers.value }),
  });
  const auth = await httpAuth(place, context);
  if (auth !== undefined && !request.headers.has(auth.header)) {
    setHeader(request.headers, auth.header, auth.value);
  }
  const credentialHeaders = auth === undefined ? [] : [auth.header];
  return download(request, { ...from, followRedirects: true, credentialHeaders });
}

/** `{bucket, key}` or `uri: s3://bucket/key`, with `endpoint`, `region` and `auth`. */
export async function objectScript(
  store: "s3" | "gcs",
  { place, context, deadline }: FetchedFrom,
): Promise<Uint8Array> {
  const { bucket, key } = objectName(store, place);
  const keys = await bucketKeys(store, place, context);
  if (keys.sessionToken === undefined) refuseOwnToken();
  const client = new Bun.S3Client({ ...keys, bucket });
  const url = new URL(client.presign(key, { method: "GET", expiresIn: signedForSeconds }));
  const request: HttpRequest = { method: "GET", url, headers: new Headers(), body: undefined };
  // The signature is of this host alone: whoever sends elsewhere names the wrong region.
  const rules = { followRedirects: false, credentialHeaders: [] };
  return download(request, { context, deadline, ...rules });
}

const schemes = { s3: "s3://", gcs: "gs://" } as const;

function objectName(store: "s3" | "gcs", place: JsonObject) {
  const bucket = textField(place, "bucket")?.value;
  const key = textField(place, "key", "object")?.value;
  if (bucket !== undefined && key !== undefined) return { bucket, key };
  const uri = textField(place, "uri", "path")?.value;
  const scheme = schemes[store];
  if (uri?.startsWith(scheme) === true) {
    const [, named, rest] = /^([^/]+)\/(.+)$/.exec(uri.slice(scheme.length)) ?? [];
    if (named !== undefined && rest !== undefined) return { bucket: named, key: rest };
  }
  // Beside a bucket, an address without a scheme is the key in it.
  if (bucket !== undefined && uri !== undefined && !uri.includes("://"))
    return { bucket, key: uri };
  throw configFailure(
    `script.uri: expected ${scheme}bucket/key, or a bucket and a key, found neither`,
  );
}

interface Download {
  readonly context: ToolContext;
  readonly deadline: Deadline;
  readonly followRedirects: boolean;
  readonly credentialHeaders: readonly string[];
}

async function download(
  request: HttpRequest,
  { context, deadline, followRedirects, credentialHeaders }: Download,
): Promise<Uint8Array> {
  const { response, url } = await exchange(request, deadline, {
    followRedirects,
    verifySsl: true,
    egress: context.policy.egress ?? (() => true),
    credentialHeaders,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw statusFailure(response.status, url);
  }
  try {
    return await bodyBytes(response, scriptBytesMax, (bytesMax) =>
      configFailure(`script: expected at most ${bytesMax} bytes, found more`),
    );
  } catch (error) {
    if (error instanceof ToolFailure) throw error;
    throw deadline.ended() ?? connectionFailure(url, error);
  }
}

function statusFailure(status: number, { origin }: URL): ToolFailure {
  return new ToolFailure({
    kind: "script",
    code: status,
    message: `the script could not be fetched: ${origin} answered with HTTP ${status}`,
    retryable: status === 408 || status === 429 || status >= 500,
  });
}
