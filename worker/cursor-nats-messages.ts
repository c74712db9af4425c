// Takes messages of a JetStream consumer: as many as a frame may have, and none that are not there
// yet. Messages that somebody has and has not acknowledged may come back, so an empty stream is
// only believed once nobody has any.

import type { Consumer, JsMsg } from "@nats-io/jetstream";
import type { Json } from "#core/model/json";
import { natsValue } from "#worker/tools/nats-values";
import { ToolFailure } from "#worker/tools/tool";

/** A message that this worker has, and the row that it is. */
export interface Message {
  readonly row: Json;
  /** Tells the server that it is still in hand. */
  hold(): void;
}

export interface FetchBounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** On the monotonic clock. */
  readonly endsAtMs: number;
}

/** The client refuses shorter waits. */
const fetchMs = 1_000;

/** @throws ToolFailure of kind `result` for a single message that is too large. */
export async function fetched(
  consumer: Consumer,
  bounds: FetchBounds,
): Promise<readonly Message[]> {
  for (;;) {
    const taken = await fetchOnce(consumer, bounds);
    if (taken.length > 0) return taken;
    const { num_pending: waiting, num_ack_pending: inHand } = await consumer.info();
    if (waiting === 0 && inHand === 0) return [];
    if (performance.now() + fetchMs >= bounds.endsAtMs) return [];
  }
}

async function fetchOnce(
  consumer: Consumer,
  { rowsMax, bytesMax }: FetchBounds,
): Promise<readonly Message[]> {
  const taken: Message[] = [];
  const left: JsMsg[] = [];
  let bytes = 0;
  const messages = await consumer.fetch({ max_messages: rowsMax, expires: fetchMs });
  for await (const message of messages) {
    bytes += message.data.length;
    if (bytes > bytesMax) left.push(message);
    else taken.push({ row: rowOf(message), hold: () => message.working() });
    if (taken.length + left.length === rowsMax) break;
    // What comes after the last one would have to be waited for. One that comes again says nothing of
    // the others that do: those that are left unread would come once more only after their time.
    if (message.info.pending === 0 && !message.redelivered) break;
  }
  // Only now: a message that is let go of while the fetch goes on comes back to it.
  for (const message of left) message.nak();
  const [first] = left;
  if (taken.length === 0 && first !== undefined) throw tooLarge(first, bytesMax);
  return taken;
}

function rowOf(message: JsMsg): Json {
  const { value, encoding } = natsValue(message.data, "json");
  const names = message.headers?.keys() ?? [];
  return {
    stream: message.info.stream,
    subject: message.subject,
    seq: message.seq,
    data: value,
    ...(encoding === "base64" ? { encoding } : {}),
    headers: Object.fromEntries(names.map((name) => [name, message.headers?.get(name) ?? ""])),
    timestamp: message.timestamp,
    _ack: replyOf(message),
  };
}

/** The client's messages know where they are acknowledged, and their type does not say so. */
function replyOf(message: JsMsg): string {
  const { reply } = message as JsMsg & { readonly reply?: unknown };
  return typeof reply === "string" ? reply : "";
}

function tooLarge({ seq, data }: JsMsg, bytesMax: number): ToolFailure {
  return new ToolFailure({
    kind: "result",
    code: "too_large",
    message: `message ${seq} has ${data.length} bytes, expected at most ${bytesMax}`,
    retryable: false,
  });
}
