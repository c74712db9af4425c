// One request to a place outside: bounded in time, followed nowhere else, and read only as far as
// anybody looks. What is said about it never holds the address's secrets, nor what was sent.

import {
  exportAnswerCharsMax,
  exportPatienceMsMax,
  exportRequestMsMax,
} from "#core/model/export-limits";
import { Fault } from "#core/model/fault";
import type { Ask, ExportAnswer, ExportRequest } from "./sink.ts";

export interface AskOptions {
  /** Given up when this aborts. */
  readonly signal?: AbortSignal;
  readonly requestMsMax?: number;
  /** Of the answer; more is cut. */
  readonly answerCharsMax?: number;
}

export function askOver(options: AskOptions = {}): Ask {
  const {
    signal,
    requestMsMax = exportRequestMsMax,
    answerCharsMax = exportAnswerCharsMax,
  } = options;
  return async (request) => {
    const over = AbortSignal.timeout(requestMsMax);
    const ended = signal === undefined ? over : AbortSignal.any([signal, over]);
    try {
      const response = await fetch(...partsOf(request, ended));
      return await answerOf(response, answerCharsMax);
    } catch (thrown) {
      const { host } = new URL(request.url);
      throw new Fault("unavailable", `${host} gave no whole answer`, { cause: thrown });
    }
  };
}

/** User and password of an address go into a header: not every client takes them from there. */
function partsOf(request: ExportRequest, signal: AbortSignal): [string, RequestInit] {
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  if (url.username !== "" || url.password !== "") {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set("authorization", `Basic ${btoa(pair)}`);
    url.username = "";
    url.password = "";
  }
  const { method, body } = request;
  const given = method === "GET" ? {} : { body };
  // A redirect would take secrets along to where nobody sent them.
  return [url.href, { method, headers, redirect: "manual", signal, ...given }];
}

async function answerOf(response: Response, charsMax: number): Promise<ExportAnswer> {
  const text = await beginning(response, charsMax);
  const retryAfterMs = patienceMs(response.headers.get("retry-after"));
  return {
    status: response.status,
    text,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

async function beginning(response: Response, charsMax: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    // What is left is not waited for.
    if (text.length >= charsMax) return text.slice(0, charsMax);
  }
  return text + decoder.decode();
}

/** Seconds or a date, as HTTP has it. */
function patienceMs(text: string | null): number | undefined {
  if (text === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), exportPatienceMsMax);
}
