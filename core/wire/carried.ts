// How a request and its answer travel as text frames of one kept socket: a line that says which
// request it is about, a line of headers, and the body as it is. Nothing here knows what they mean.
//
//   17 POST /api/commands/settle     17 CANCEL     17 200     17 UNTAKEN
//   {"x-noetl-cluster":"…"}                        {}
//   {"worker":…}                                   {"verdicts":…}

import { Fault, unreachable } from "#core/model/fault";

/** Where a worker asks for the socket, at the address of a control plane. */
export const wirePath = "/api/wire";

/** The `content-type` of a body whose headers name none. */
export const callBodyType = "application/json";
export const replyBodyType = "application/json;charset=utf-8";

/** Lower-case names; of `content-type` only what differs from the above. */
export type CarriedHeaders = Readonly<Record<string, string>>;

/** Ids are chosen by the side that asks: whole numbers, each once for a socket. */
export interface CarriedRequest {
  readonly kind: "request";
  readonly id: number;
  readonly method: string;
  /** With its query; begins with a slash. */
  readonly path: string;
  readonly headers: CarriedHeaders;
  /** Empty without one. */
  readonly body: string;
}

/** Nobody waits for the answer any more. */
export interface CarriedCancel {
  readonly kind: "cancel";
  readonly id: number;
}

export interface CarriedAnswer {
  readonly kind: "answer";
  readonly id: number;
  readonly status: number;
  readonly headers: CarriedHeaders;
  readonly body: string;
}

/** The request was not begun, and never will be: it is to be made some other way. */
export interface CarriedUntaken {
  readonly kind: "untaken";
  readonly id: number;
}

/** What the side that asks sends. */
export type CarriedCall = CarriedRequest | CarriedCancel;
/** What the other side sends. */
export type CarriedReply = CarriedAnswer | CarriedUntaken;

export function encodeCarried(frame: CarriedCall | CarriedReply): string {
  switch (frame.kind) {
    case "request":
      return `${frame.id} ${frame.method} ${frame.path}\n${headerLine(frame.headers)}\n${frame.body}`;
    case "answer":
      return `${frame.id} ${frame.status}\n${headerLine(frame.headers)}\n${frame.body}`;
    case "cancel":
      return `${frame.id} CANCEL`;
    case "untaken":
      return `${frame.id} UNTAKEN`;
    default:
      return unreachable(frame);
  }
}

/** @throws Fault `invalid` for a frame that is neither a request nor the end of one. */
export function decodeCall(text: string): CarriedCall {
  const first = firstLine(text);
  const [, id = "", method = "", path] = callLine.exec(first) ?? [];
  if (method === "CANCEL" && path === undefined && first.length === text.length) {
    return { kind: "cancel", id: Number(id) };
  }
  if (path === undefined || method === "CANCEL") {
    throw malformed("'<id> <METHOD> </path>' or '<id> CANCEL'", first);
  }
  return { kind: "request", id: Number(id), method, path, ...afterFirst(text, first.length) };
}

/** @throws Fault `invalid` for a frame that is not about the end of a request. */
export function decodeReply(text: string): CarriedReply {
  const first = firstLine(text);
  const [, id = "", end = ""] = replyLine.exec(first) ?? [];
  if (end === "UNTAKEN" && first.length === text.length) return { kind: "untaken", id: Number(id) };
  if (end === "UNTAKEN" || end === "") {
    throw malformed("'<id> <status>' or '<id> UNTAKEN'", first);
  }
  const parts = afterFirst(text, first.length);
  return { kind: "answer", id: Number(id), status: Number(end), ...parts };
}

/** Fifteen digits: a double counts them exactly. */
const callLine = /^(\d{1,15}) ([A-Z]{1,16})(?: (\/[\x21-\x7e]*))?$/;
/** Answers only: what comes before one (1xx) is never sent. */
const replyLine = /^(\d{1,15}) ([2-5]\d\d|UNTAKEN)$/;

const noHeaders = "{}";

function headerLine(headers: CarriedHeaders): string {
  for (const _name in headers) return JSON.stringify(headers);
  return noHeaders;
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

function afterFirst(text: string, firstLength: number): { headers: CarriedHeaders; body: string } {
  const start = firstLength + 1;
  const end = text.indexOf("\n", start);
  if (end < 0) throw malformed("a line of headers and a body", `${text.length} characters`);
  return { headers: headersOf(text.slice(start, end)), body: text.slice(end + 1) };
}

function headersOf(line: string): CarriedHeaders {
  if (line === noHeaders) return {};
  const value = parsed(line);
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isMap && Object.values(value).every((one) => typeof one === "string")) {
    return value as CarriedHeaders;
  }
  // Headers may hold secrets: what was found is not said.
  throw malformed("a JSON object of texts as headers", `${line.length} characters`);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function malformed(expected: string, found: string): Fault {
  const shown = found.length > shownCharsMax ? `${found.slice(0, shownCharsMax)}…` : found;
  return new Fault("invalid", `expected ${expected} in a frame, found ${JSON.stringify(shown)}`);
}

const shownCharsMax = 60;
