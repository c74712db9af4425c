// Tokens of Google: for a service account by its key, for a person by a refresh token, else for the
// machine by its metadata server. Access tokens, and identity tokens for one audience.

import { Fault } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import {
  bytesOfBase64,
  formOf,
  formType,
  neededText,
  type ProviderParts,
  secondsOf,
  textOf,
} from "./provider.ts";

const tokenUrl = "https://oauth2.googleapis.com/token";
const metadataUrl = "http://metadata.google.internal";
export const cloudScope = "https://www.googleapis.com/auth/cloud-platform";
const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const assertionSeconds = 3_600;

export interface Token {
  readonly token: string;
  readonly expiresInSeconds?: number;
}

export interface GoogleTokenAsk {
  readonly auth: JsonObject;
  readonly scopes?: readonly string[];
}

export async function googleAccessToken(
  parts: ProviderParts,
  { auth, scopes = [cloudScope] }: GoogleTokenAsk,
): Promise<Token> {
  const key = serviceAccountOf(auth);
  if (key !== undefined) {
    const answer = await signedIn(parts, key, { scope: scopes.join(" ") });
    return tokenIn(answer, "access_token");
  }
  if (textOf(auth, "refresh_token") !== undefined) return refreshed(parts, auth);
  const given = textOf(auth, "access_token", "token");
  if (given !== undefined) return { token: given };
  const scope = encodeURIComponent(scopes.join(","));
  const path = `service-accounts/default/token?scopes=${scope}`;
  return tokenIn(await fromMetadata(parts, path), "access_token");
}

/** An identity token of the service account, or of the machine, for the audience. */
export async function googleIdToken(
  parts: ProviderParts,
  { auth, audience }: { readonly auth: JsonObject; readonly audience: string },
): Promise<Token> {
  const key = serviceAccountOf(auth);
  if (key !== undefined) {
    const answer = await signedIn(parts, key, { target_audience: audience });
    return { ...tokenIn(answer, "id_token"), expiresInSeconds: assertionSeconds };
  }
  const path = `service-accounts/default/identity?format=full&audience=${encodeURIComponent(audience)}`;
  const token = await fromMetadata(parts, path, "id_token");
  return { ...tokenIn(token, "id_token"), expiresInSeconds: assertionSeconds };
}

function tokenIn(answer: JsonObject, name: string): Token {
  const token = neededText("the token server's answer", answer, name);
  const expiresInSeconds = secondsOf(answer["expires_in"]);
  return { token, ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }) };
}

/** The key of a service account: among the credential's fields, or as one document in a field. */
function serviceAccountOf(auth: JsonObject): JsonObject | undefined {
  if (textOf(auth, "private_key") !== undefined) return auth;
  for (const name of [
    "service_account",
    "service_account_json",
    "service_account_key",
    "json",
    "key",
    "value",
  ]) {
    const document = documentIn(auth[name]);
    if (document !== undefined && textOf(document, "private_key") !== undefined) return document;
  }
  return undefined;
}

function documentIn(value: Json | undefined): JsonObject | undefined {
  if (typeof value !== "string") return isJsonObject(value) ? value : undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

async function signedIn(
  { ask, clock }: ProviderParts,
  key: JsonObject,
  claims: JsonObject,
): Promise<JsonObject> {
  const issuer = neededText("the service account's key", key, "client_email");
  const audience = textOf(key, "token_uri") ?? tokenUrl;
  const issuedAt = Math.floor(clock.nowMs() / 1_000);
  const claimed = { iss: issuer, sub: issuer, aud: audience, iat: issuedAt, ...claims };
  const assertion = await signedJwt(key, { ...claimed, exp: issuedAt + assertionSeconds });
  return ask({
    what: "Google's token server",
    url: audience,
    method: "POST",
    headers: formType,
    body: formOf({ grant_type: jwtGrant, assertion }),
  });
}

async function refreshed({ ask }: ProviderParts, auth: JsonObject): Promise<Token> {
  const what = "the Google credential";
  const answer = await ask({
    what: "Google's token server",
    url: textOf(auth, "token_uri") ?? tokenUrl,
    method: "POST",
    headers: formType,
    body: formOf({
      grant_type: "refresh_token",
      refresh_token: neededText(what, auth, "refresh_token"),
      client_id: neededText(what, auth, "client_id"),
      client_secret: neededText(what, auth, "client_secret"),
    }),
  });
  return tokenIn(answer, "access_token");
}

async function fromMetadata(
  { ask, settings }: ProviderParts,
  path: string,
  textField?: string,
): Promise<JsonObject> {
  const base = settings.NOETL_GCP_METADATA_URL ?? metadataUrl;
  return ask({
    what: "Google's metadata server",
    url: `${base}/computeMetadata/v1/instance/${path}`,
    trusted: true,
    headers: { "metadata-flavor": "Google" },
    ...(textField === undefined ? {} : { textField }),
  });
}

/** A JSON Web Token by RS256 (RFC 7515), with the service account's key. */
async function signedJwt(key: JsonObject, claims: JsonObject): Promise<string> {
  const kid = textOf(key, "private_key_id");
  const header = { alg: "RS256", typ: "JWT", ...(kid === undefined ? {} : { kid }) };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  try {
    const pem = neededText("the service account's key", key, "private_key");
    const der = bytesOfBase64(pem.replace(/-----[^-]+-----|\\n|\s/g, ""));
    const signer = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
    const bytes = new TextEncoder().encode(signed);
    const signature = new Uint8Array(await crypto.subtle.sign(algorithm, signer, bytes));
    return `${signed}.${base64url(signature)}`;
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw new Fault("invalid", "the service account's private_key is no RSA key in PEM (PKCS #8)");
  }
}

function base64url(value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
