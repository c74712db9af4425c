// Requests to providers of secrets: bounded in time and size, never redirected, and told of by status
// alone. What a provider answers is a secret until it is sealed, so nothing quotes it.

import { Fault } from "#core/model/fault";
import { isJsonObject, type JsonObject } from "#core/model/json";
import { providerAnswerBytesMax, providerRequestMs } from "#core/model/keychain-limits";
import type { Clock } from "#core/ports/clock";
import type { OutsideFetch } from "./options.ts";

export interface OutsideRequest {
  /** What messages call whoever is asked. */
  readonly what: string;
  readonly url: string;
  /** The operator has named the address: any will do. */
  readonly trusted?: boolean;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whom the server's certificate must come from, in place of the usual authorities. */
  readonly ca?: string;
  /** The answer is a text, which is given under this name. */
  readonly textField?: string;
}

/**
 * The answer's JSON.
 * @throws Fault by the status; `unavailable` for what may go well later, `invalid` for an address
 * that may not be asked or an answer that is no JSON object.
 */
export type AskOutside = (request: OutsideRequest) => Promise<JsonObject>;

export interface OutsideParts {
  readonly fetch: OutsideFetch;
  readonly clock: Clock;
  /** Hosts that may be asked without TLS or inside of the own network. */
  readonly hostsAllowed: readonly string[];
}

export function outside({ fetch, clock, hostsAllowed }: OutsideParts): AskOutside {
  return async (request) => {
    const { what, url, trusted = false } = request;
    checkAddress(what, url, trusted ? undefined : hostsAllowed);
    const ending = new AbortController();
    const over = new AbortController();
    const late = clock.sleep(providerRequestMs, over.signal).then((): never => {
      ending.abort();
      throw new Fault("unavailable", `${what} did not answer within ${providerRequestMs} ms`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([answerOf(fetch, request, ending.signal), late]);
    } finally {
      over.abort();
      ending.abort();
    }
  };
}

async function answerOf(
  fetch: OutsideFetch,
  request: OutsideRequest,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { what, url, method = "GET", headers = {}, body, ca } = request;
  let response: Response;
  let text: string | undefined;
  try {
    response = await fetch(url, {
      method,
      headers: { accept: "application/json", ...headers },
      ...(body === undefined ? {} : { body }),
      ...(ca === undefined ? {} : { tls: { ca } }),
      redirect: "manual",
      signal,
    });
    text = await boundedText(response);
  } catch (thrown) {
    // The runtime's message may name the address with its query.
    throw new Fault("unavailable", `${what} can't be reached`, { cause: thrown });
  }
  if (response.status < 200 || response.status > 299) throw refusal(what, response.status);
  if (text === undefined) {
    throw new Fault("invalid", `${what} answered more than ${providerAnswerBytesMax} bytes`);
  }
  const { textField } = request;
  const value = textField === undefined ? parsed(text) : { [textField]: text.trim() };
  if (value !== undefined) return value;
  throw new Fault("invalid", `${what} answered ${response.status} with what is no JSON object`);
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The whole body, or undefined when it is longer than one may be: the rest is not read. */
async function boundedText(response: Response): Promise<string | undefined> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > providerAnswerBytesMax) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function refusal(what: string, status: number): Fault {
  const message = `${what} answered ${status}`;
  if (status >= 300 && status < 400) {
    return new Fault("invalid", `${message}: redirects are not followed`);
  }
  if (status === 429 || status >= 500) return new Fault("unavailable", message);
  if (status === 401 || status === 403) return new Fault("forbidden", message);
  return new Fault(status === 404 ? "not_found" : "invalid", message);
}

/** @param hostsAllowed undefined for an address that the operator has named. */
function checkAddress(
  what: string,
  url: string,
  hostsAllowed: readonly string[] | undefined,
): void {
  if (!URL.canParse(url)) throw new Fault("invalid", `${what}: expected an https address`);
  const { protocol, host, hostname, username, password } = new URL(url);
  if (username !== "" || password !== "") {
    throw new Fault("invalid", `${what}: expected an address without a user`);
  }
  if (hostsAllowed === undefined || hostsAllowed.includes(host)) return;
  if (protocol !== "https:") {
    throw new Fault("invalid", `${what}: expected an https address, or a host that is allowed`);
  }
  if (isInside(hostname)) {
    const expected = "expected an address outside of the own network, or a host that is allowed";
    throw new Fault("invalid", `${what}: ${expected}`);
  }
}

const insideNames = /(^|\.)(localhost|internal|local|svc)$/;
const insideAddresses =
  /^(0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;

/** Names and addresses that are nobody's outside; what other names lead to is not looked up. */
function isInside(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[")) return /^\[(::|::1|::ffff:.*|f[cd].*|fe[89ab].*)\]$/.test(name);
  return insideNames.test(name) || insideAddresses.test(name) || !name.includes(".");
}
