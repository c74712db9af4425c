// Reads the body of a response as it streams, up to a bound, and decodes it to what JSON can say.

import type { Json } from "#core/model/json";
import { configFailure } from "./call-config.ts";
import { jsonOrText } from "./exact-json.ts";
import { ToolFailure } from "./tool.ts";

export type ResponseType = "json" | "text" | "binary";

export function responseTypeOf(text: string | undefined): ResponseType {
  switch (text) {
    case undefined:
    case "json":
    case "auto":
      return "json";
    case "text":
    case "binary":
      return text;
    default:
      throw configFailure("response_type: expected json, text or binary");
  }
}

function tooLarge(bytesMax: number): ToolFailure {
  return new ToolFailure({
    kind: "result",
    message: `the response body is larger than ${bytesMax} bytes`,
    retryable: false,
  });
}

/**
 * All bytes of a body; stops the transfer as soon as it is known to exceed `bytesMax`.
 * @param refusal what a longer body means; a failure of kind `result` without it.
 */
export async function bodyBytes(
  response: Response,
  bytesMax: number,
  refusal: (bytesMax: number) => ToolFailure = tooLarge,
): Promise<Uint8Array> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  const body = response.body;
  if (body === null) return new Uint8Array();
  if (announced > bytesMax) {
    await body.cancel();
    throw refusal(bytesMax);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the stream, which closes the connection.
    if (bytes > bytesMax) throw refusal(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/**
 * `json`: the value, or the text when it is not JSON; `binary`: base64 (language reference §2.5).
 */
export function decodedBody(
  bytes: Uint8Array,
  type: ResponseType,
  contentType: string | null,
): Json {
  if (type === "binary") return Buffer.from(bytes).toString("base64");
  const text = decoder(contentType).decode(bytes);
  if (type === "text") return text;
  return jsonOrText(text);
}

function decoder(contentType: string | null): { decode(bytes: Uint8Array): string } {
  const charset = /charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset as Bun.Encoding);
  } catch {
    return new TextDecoder();
  }
}
