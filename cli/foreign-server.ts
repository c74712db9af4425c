// Another NoETL server that is read from: older versions and other makes answer in shapes of their
// own, and may answer anything at all. What is not as expected is told of the entry it was found at.

import { type } from "arktype";
import { importAnswerBytesMax, importAnswerMs, tokenCharsMax } from "#core/model/cli-limits";
import { messageOf } from "#core/model/fault";
import { parseJsonExactly } from "#core/wire/problem";
import { UsageError } from "./arguments.ts";

export interface ForeignServer {
  readonly url: string;
  /** The JSON that it answers. @throws Error saying what it answered instead, in one line. */
  ask(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown>;
}

/** An answer that is no answer to what was asked. */
export class ForeignAnswer extends Error {
  override readonly name = "ForeignAnswer";
  constructor(
    message: string,
    readonly status?: number,
  ) {
    super(message);
  }
}

/** @throws UsageError for text that isn't an address, or a token that no header carries. */
export function foreignServer(text: string, token?: string): ForeignServer {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(
      `--from: expected an http or https address, found ${JSON.stringify(text.slice(0, 200))}`,
    );
  }
  if (token !== undefined && (!/^[\x21-\x7e]+$/.test(token) || token.length > tokenCharsMax)) {
    throw new UsageError("expected a token of visible ASCII characters without spaces");
  }
  const url = text.replace(/\/+$/, "");
  return {
    url,
    ask: async (method, path, body) => {
      const response = await sent(`${url}${path}`, {
        method,
        redirect: "manual",
        signal: AbortSignal.timeout(importAnswerMs),
        headers: {
          accept: "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return answerOf(response);
    },
  };
}

async function sent(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (thrown) {
    throw new ForeignAnswer(`no answer: ${messageOf(thrown)}`);
  }
}

async function answerOf(response: Response): Promise<unknown> {
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new ForeignAnswer(`it redirects (${status}): expected the address itself`, status);
  }
  const text = await boundedText(response);
  if (!response.ok) throw new ForeignAnswer(`it answered ${status}`, status);
  try {
    return parseJsonExactly(text);
  } catch {
    throw new ForeignAnswer(`it answered ${status} with something else than JSON`, status);
  }
}

async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.byteLength;
      if (size > importAnswerBytesMax) {
        throw new ForeignAnswer(`its answer is longer than ${importAnswerBytesMax} bytes`);
      }
      parts.push(part);
    }
  } catch (thrown) {
    if (thrown instanceof ForeignAnswer) throw thrown;
    throw new ForeignAnswer(`its answer broke off: ${messageOf(thrown)}`);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

const entryShape = type({
  path: "0 < string <= 500",
  "version?": "number.integer | string.integer.parse",
  "kind?": "string | null",
  "resource_type?": "string | null",
  "content?": "string | null",
});

export type ForeignEntry = typeof entryShape.infer;

/** One entry of a list or an answer of its own; undefined for what is none. */
export function entryIn(value: unknown): ForeignEntry | undefined {
  const entry = entryShape(value);
  return entry instanceof type.errors ? undefined : entry;
}

/** The list in an answer, under whichever name; undefined where there is none. */
export function listIn(
  answer: unknown,
  ...names: readonly string[]
): readonly unknown[] | undefined {
  if (Array.isArray(answer)) return answer;
  if (typeof answer !== "object" || answer === null) return undefined;
  for (const name of names) {
    const found: unknown = Reflect.get(answer, name);
    if (Array.isArray(found)) return found;
  }
  return undefined;
}

/** YAML as it is, or out of base64, in which some servers keep it. */
export function plainContent(content: string): string {
  const packed = content.trim();
  if (/[:{]/.test(packed) || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(packed)) return content;
  const bytes = Buffer.from(packed, "base64");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return content;
  }
}
