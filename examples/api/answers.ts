// What every route of the examples API shares: how a request looks to it, JSON answers, and
// numbers from the query within their bounds. Refuses what is out of bounds with 400.

export interface Call {
  readonly method: string;
  readonly url: URL;
  /** What stood in the path in place of `:name`. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Headers;
  /** The body as text; empty if there is none. */
  readonly body: string;
}

export type Handler = (call: Call) => Response | Promise<Response>;

/** Thrown by handlers: the request is answered with this status and message. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

export function refused(refusal: Refusal): Response {
  return json({ error: { code: refusal.status, message: refusal.message } }, refusal.status);
}

export interface Bounds {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/** A whole number of the query. @throws Refusal 400 */
export function numberOf({ url }: Call, name: string, { fallback, min, max }: Bounds): number {
  const text = url.searchParams.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Refusal(400, `${name}: expected a whole number from ${min} to ${max}`);
}

/** The body as JSON. @throws Refusal 400 */
export function jsonBody({ body }: Call): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(400, "expected a JSON body");
  }
}
