// The worker's end of one kept socket: requests go out as frames, and their answers come back in
// any order. A request that is under way when the socket is lost may have been done.

import { Fault } from "#core/model/fault";
import { wireDeafMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import {
  type CarriedAnswer,
  type CarriedRequest,
  decodeReply,
  encodeCarried,
  replyBodyType,
} from "#core/wire/carried";

/** Given in place of an answer: the server did not begin with the request, and takes no more. */
export const untaken = "untaken";

type Reply = Response | typeof untaken;

interface Pending {
  resolve(reply: Reply): void;
  reject(reason: unknown): void;
}

export class WireLine {
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #framesHeard = 0;
  #isRetired = false;

  /** @param socket one that is open; nobody else listens to it from here on. */
  constructor(
    readonly socket: WebSocket,
    readonly clock: Pick<Clock, "nowMs">,
  ) {
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#hear(data);
    socket.onclose = () => this.close();
  }

  /** False once it is lost, or not to be trusted: what is under way may still be answered. */
  get isUsable(): boolean {
    return !this.#isRetired && this.socket.readyState === WebSocket.OPEN;
  }

  /**
   * @throws the signal's reason when it aborts; Error with code `ECONNRESET` when the socket is lost
   * before the answer.
   */
  ask(call: Omit<CarriedRequest, "kind" | "id">, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) return Promise.reject(signal.reason);
    this.#lastId += 1;
    const id = this.#lastId;
    const isDeaf = this.#deafSince();
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const giveUp = (): void => {
      this.socket.send(encodeCarried({ kind: "cancel", id }));
      // A network that was cut says nothing: the next requests are not to wait for that as well.
      if (isDeaf()) this.#isRetired = true;
      this.#take(id)?.reject(signal.reason);
    };
    const end = (): void => signal.removeEventListener("abort", giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    this.#pending.set(id, {
      resolve: (reply) => {
        end();
        resolve(reply);
      },
      reject: (reason) => {
        end();
        reject(reason);
      },
    });
    this.socket.send(encodeCarried({ kind: "request", id, ...call }));
    return promise;
  }

  /** What is under way counts as lost. */
  close(): void {
    this.#isRetired = true;
    this.socket.close();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(lost());
  }

  /** Whether nothing at all has come since, for a time in which something should have. */
  #deafSince(): () => boolean {
    const sinceMs = this.clock.nowMs();
    const heardBefore = this.#framesHeard;
    return () => this.#framesHeard === heardBefore && this.clock.nowMs() - sinceMs >= wireDeafMs;
  }

  #hear(data: unknown): void {
    this.#framesHeard += 1;
    const heard = replyOf(data);
    if (heard === undefined) return this.close();
    if (heard.reply === untaken) this.#isRetired = true;
    // Answers to what was given up find nobody.
    this.#take(heard.id)?.resolve(heard.reply);
  }

  /** One that takes nothing new is closed with its last request. */
  #take(id: number): Pending | undefined {
    const found = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#isRetired && this.#pending.size === 0) this.socket.close();
    return found;
  }
}

function lost(): Error {
  const error = new Error("the connection was lost before the answer came");
  return Object.assign(error, { code: "ECONNRESET" });
}

interface HeardReply {
  readonly id: number;
  readonly reply: Reply;
}

/** Undefined for what is no reply, and for one that HTTP can't say. */
function replyOf(data: unknown): HeardReply | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const frame = decodeReply(data);
    const { id } = frame;
    return { id, reply: frame.kind === "untaken" ? untaken : responseOf(frame) };
  } catch (thrown) {
    if (thrown instanceof Fault || thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

function responseOf({ status, headers, body }: CarriedAnswer): Response {
  if (body === "") return new Response(null, { status, headers });
  const typed = { "content-type": replyBodyType, ...headers };
  return new Response(body, { status, headers: typed });
}
