// AWS Secrets Manager: GetSecretValue, signed with Signature Version 4.

import { Fault } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import {
  neededText,
  type ProviderParts,
  type ReadSecret,
  textOf,
  textOfBase64,
} from "./provider.ts";

const what = "AWS Secrets Manager";
const service = "secretsmanager";

export function awsSecrets(parts: ProviderParts): ReadSecret {
  return async ({ ref, version, auth, region: asked }) => {
    const region = asked ?? textOf(auth, "region", "aws_region");
    if (region === undefined || !/^[a-z0-9-]+$/.test(region)) {
      throw new Fault("invalid", `${what}: expected a region`);
    }
    const own = parts.settings.NOETL_AWS_SECRETS_URL;
    const url = `${own ?? `https://${service}.${region}.amazonaws.com`}/`;
    const body = JSON.stringify({ SecretId: ref, ...versionOf(version) });
    const headers = await signedHeaders({ url, body, region, auth, nowMs: parts.clock.nowMs() });
    const asking = { what, url, trusted: own !== undefined, method: "POST", headers, body };
    const answer = await parts.ask(asking);
    const text = textOf(answer, "SecretString");
    if (text !== undefined) return { value: text };
    const binary = neededText(`${what}'s answer`, answer, "SecretString", "SecretBinary");
    return { value: textOfBase64(what, binary) };
  };
}

/** A stage has a name in capitals; anything else is the id of a version. */
function versionOf(version: string | undefined): JsonObject {
  if (version === undefined || version === "latest") return {};
  return /^AWS[A-Z]+$/.test(version) ? { VersionStage: version } : { VersionId: version };
}

interface Signing {
  readonly url: string;
  readonly body: string;
  readonly region: string;
  readonly auth: JsonObject;
  readonly nowMs: number;
}

/** The headers of a POST, its signature among them. */
async function signedHeaders({ url, body, region, auth, nowMs }: Signing) {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const session = textOf(auth, "session_token", "aws_session_token");
  const { host, pathname } = new URL(url);
  const signed: Readonly<Record<string, string>> = {
    "content-type": "application/x-amz-json-1.1",
    host,
    "x-amz-date": time,
    ...(session === undefined ? {} : { "x-amz-security-token": session }),
    "x-amz-target": `${service}.GetSecretValue`,
  };
  const names = Object.keys(signed).join(";");
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const request = ["POST", pathname, "", lines.join(""), names, await digest(body)].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, await digest(request)].join("\n");
  const secret = neededText(what, auth, "secret_access_key", "aws_secret_access_key");
  let key: Uint8Array<ArrayBuffer> = bytesOf(`AWS4${secret}`);
  for (const part of [day, region, service, "aws4_request", toSign]) key = await hmac(key, part);
  const id = neededText(what, auth, "access_key_id", "aws_access_key_id");
  const { host: _, ...sent } = signed;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${hex(key)}`,
  };
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function digest(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(text))));
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const signer = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", signer, bytesOf(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
