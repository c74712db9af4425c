// Google's Secret Manager: one version of one secret, its checksum compared.

import { Fault } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { googleAccessToken, type Token } from "./google-token.ts";
import {
  bytesOfBase64,
  neededText,
  onceFor,
  type ProviderParts,
  pathOf,
  type ReadSecret,
  textOf,
  textOfBase64,
} from "./provider.ts";

const what = "Google's Secret Manager";

/** `projects/P/secrets/S/versions/V`, or parts of it. */
export function gcpSecrets(parts: ProviderParts): ReadSecret {
  const tokens = new WeakMap<JsonObject, Promise<Token>>();
  return async ({ ref, version, auth, project, region }) => {
    const name = resourceOf(ref, {
      version,
      project: project ?? textOf(auth, "project_id"),
      region,
    });
    const base = parts.settings.NOETL_GCP_SECRETS_URL ?? addressIn(region);
    const { token } = await onceFor(tokens, auth, () => googleAccessToken(parts, { auth }));
    const answer = await parts.ask({
      what,
      url: `${base}/v1/${pathOf(what, name)}:access`,
      trusted: parts.settings.NOETL_GCP_SECRETS_URL !== undefined,
      headers: { authorization: `Bearer ${token}` },
    });
    const { payload } = answer;
    const data = isJsonObject(payload) ? payload : {};
    const base64 = neededText(`${what}'s answer`, data, "data");
    checkSum(base64, textOf(data, "dataCrc32c"));
    return { value: textOfBase64(what, base64) };
  };
}

function addressIn(region: string | undefined): string {
  if (region === undefined) return "https://secretmanager.googleapis.com";
  if (!/^[a-z0-9-]+$/.test(region)) throw new Fault("invalid", `${what}: expected a region`);
  return `https://secretmanager.${region}.rep.googleapis.com`;
}

interface Place {
  readonly version: string | undefined;
  readonly project: string | undefined;
  readonly region: string | undefined;
}

function resourceOf(ref: string, { version = "latest", project, region }: Place): string {
  if (/\/versions\/[^/]+$/.test(ref)) return ref;
  if (/^projects\/.+\/secrets\/[^/]+$/.test(ref)) return `${ref}/versions/${version}`;
  if (project === undefined) {
    throw new Fault("invalid", `${what}: expected project_id, or projects/P/secrets/S as ref`);
  }
  const location = region === undefined ? "" : `/locations/${region}`;
  return `projects/${project}${location}/secrets/${ref}/versions/${version}`;
}

/** @throws Fault `unavailable` for bytes that are not those that were sent. */
function checkSum(base64: string, told: string | undefined): void {
  if (told === undefined || String(crc32c(bytesOfBase64(base64))) === told) return;
  throw new Fault("unavailable", `${what} answered with a checksum that differs`);
}

/** Castagnoli's polynomial, reflected (RFC 3720 §12.1). */
const polynomial = 0x82f6_3b78;

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? polynomial : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
