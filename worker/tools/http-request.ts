// Builds the request of an http call from its config: URL with parameters, headers, body.
// Refuses other schemes than http and https, and headers that would break out of their line.

import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  configFailure,
  type Field,
  field,
  objectField,
  scalarText,
  textField,
  wrongShape,
} from "./call-config.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
}

interface Body {
  readonly text: string;
  readonly contentType: string;
}

const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const bodiless = new Set(["GET", "HEAD"]);

/** True for the methods that cannot have an effect, and so need no idempotency key. */
export function isSafeMethod(method: string): boolean {
  return bodiless.has(method);
}

/** The request that the config describes; `userinfo` of the URL becomes an authorization header. */
export function httpRequest(config: JsonObject): HttpRequest {
  const method = (textField(config, "method")?.value ?? "GET").toUpperCase();
  if (!tokenPattern.test(method)) throw configFailure("method: expected an HTTP method");
  const headers = headersOf(config);
  const url = urlOf(config, headers);
  const body = bodyOf(config, method);
  if (body !== undefined && !headers.has("content-type")) {
    headers.set("content-type", body.contentType);
  }
  if (!headers.has("user-agent")) headers.set("user-agent", "noetl");
  return { method, url, headers, body: body?.text };
}

function urlOf(config: JsonObject, headers: Headers): URL {
  const given = textField(config, "url", "endpoint");
  if (given === undefined) throw configFailure("url: expected an http or https URL, found nothing");
  const url = URL.parse(given.value.trim());
  if (url === null || !isHttp(url)) {
    throw configFailure(`${given.name}: expected an absolute http or https URL`);
  }
  if (url.username !== "" || url.password !== "") {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    if (!headers.has("authorization")) {
      headers.set("authorization", `Basic ${Buffer.from(pair, "utf8").toString("base64")}`);
    }
    url.username = "";
    url.password = "";
  }
  for (const [name, value] of Object.entries(objectField(config, "params")?.value ?? {})) {
    appendAll(url.searchParams, name, value);
  }
  return url;
}

export function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}

/** Adds scalars as text, lists as repeated names, objects as JSON; nulls are dropped. */
function appendAll(target: URLSearchParams, name: string, value: Json): void {
  for (const item of Array.isArray(value) ? (value as readonly Json[]) : [value]) {
    if (item !== null) target.append(name, scalarText(item) ?? JSON.stringify(item));
  }
}

function headersOf(config: JsonObject): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(objectField(config, "headers")?.value ?? {})) {
    if (value === null) continue;
    const text = scalarText(value);
    if (text === undefined) throw wrongShape(`headers.${name}`, "text", value);
    setHeader(headers, name, text);
  }
  return headers;
}

/** Sets a header, or says which one is not a header without repeating its value. */
export function setHeader(headers: Headers, name: string, value: string): void {
  if (!tokenPattern.test(name)) throw configFailure(`headers: "${name}" is not a header name`);
  if (/[\r\n\0]/.test(value)) {
    throw configFailure(`headers.${name}: expected a value without line breaks`);
  }
  try {
    headers.set(name, value);
  } catch {
    throw configFailure(`headers.${name}: expected characters that a header can carry`);
  }
}

const bodyNames = ["json", "form", "body", "payload", "data"] as const;

function bodyOf(config: JsonObject, method: string): Body | undefined {
  const given = bodyNames.flatMap((name) => field(config, name) ?? []);
  const [first, second] = given;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    throw configFailure(`${second.name}: expected one body, found ${first.name} too`);
  }
  if (bodiless.has(method)) {
    if (isEmptyObject(first.value)) return undefined;
    throw configFailure(`${first.name}: method ${method} cannot carry a body; use params`);
  }
  return encodedBody(first);
}

function isEmptyObject(value: Json): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function encodedBody({ name, value }: Field): Body {
  if (name === "form") return formBody(value);
  const isText = typeof value === "string";
  if (name === "json") {
    // `json: "{{ x | tojson }}"` is the object it spells, not a JSON string of JSON.
    const spelled = isText && /^\s*[[{]/.test(value);
    return {
      text: spelled ? value : JSON.stringify(value),
      contentType: "application/json",
    };
  }
  if (isText) return { text: value, contentType: textType(value) };
  return typeof value === "object"
    ? { text: JSON.stringify(value), contentType: "application/json" }
    : { text: String(value), contentType: "text/plain;charset=utf-8" };
}

function textType(text: string): string {
  return /^\s*[[{]/.test(text) ? "application/json" : "text/plain;charset=utf-8";
}

function formBody(value: Json): Body {
  const contentType = "application/x-www-form-urlencoded";
  if (typeof value === "string") return { text: value, contentType };
  if (!isJsonObject(value)) throw wrongShape("form", "an object or text", value);
  const fields = new URLSearchParams();
  for (const [name, item] of Object.entries(value)) appendAll(fields, name, item);
  return { text: fields.toString(), contentType };
}
