// Requests between processes: lost on either way, late, or cut off because a side died. Whoever
// waits is told by a broken connection, or never.

import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** Somebody who answers, in the life that he has now. */
export interface Server {
  readonly process: Process;
  fetch(request: Request): Promise<Response>;
}

export interface Exchange {
  readonly path: string;
  readonly from: Process;
  readonly to: Process;
  readonly requestText: string;
  readonly responseText: string;
  readonly status: number;
}

export interface NetworkOptions {
  readonly time: Timeline;
  readonly chance: Random;
  readonly faults: Faults;
  /** One of those that a request may be sent to, dead or alive. */
  readonly choose: () => Server | undefined;
  /** Before the answer is on its way, and once it was heard. */
  readonly onServed: (exchange: Exchange) => void;
  readonly onHeard: (exchange: Exchange) => void;
}

export interface Network {
  /** The way out of this process. */
  fetchOf(from: Process): (request: Request) => Promise<Response>;
}

/** A late message of so many milliseconds may cost a renewal. */
const lateMs = 1_000;

export function network(options: NetworkOptions): Network {
  return {
    fetchOf: (from) => async (request) => {
      if (!from.alive()) return new Promise(() => {});
      const text = await request.text();
      return exchange(options, { from, request, text });
    },
  };
}

interface Sent {
  readonly from: Process;
  readonly request: Request;
  readonly text: string;
}

function exchange(options: NetworkOptions, { from, request, text }: Sent): Promise<Response> {
  const { time, chance, faults } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const path = new URL(request.url).pathname;
  const isWorker = from.machine.startsWith("w");
  const broken = (why: string): void => {
    from.trouble(1);
    time.note(from.name, `${path}: ${why}`);
    // Half of those who wait are told; the others wait for as long as they have patience.
    if (chance.chance(0.5)) {
      time.after(chance.scale(1, 500), () => reject(new TypeError(why)), from);
    }
  };
  const abort = (): void => reject(new DOMException("the request was aborted", "AbortError"));
  request.signal.addEventListener("abort", abort, { once: true });
  if (isWorker && faults.happens("worker crash")) {
    from.kill(`before ${path}`);
    return promise;
  }
  const arrive = (): void => {
    const server = options.choose();
    if (server?.process.alive() !== true) return broken("connection refused");
    serve(server);
  };
  const serve = (server: Server): void => {
    const to = server.process;
    if (to.status === "paused") from.trouble(1);
    const forget = to.onDeath(() => broken("connection reset"));
    const answer = async (): Promise<void> => {
      const init = { method: request.method, headers: request.headers };
      const inner = new Request(request.url, text === "" ? init : { ...init, body: text });
      const response = await server.fetch(inner);
      const responseText = await response.text();
      if (!to.alive()) return;
      forget();
      const done = { path, from, to, requestText: text, responseText, status: response.status };
      options.onServed(done);
      if (faults.happens("reply lost")) return broken("reply lost");
      time.after(wayMs(options, from), () => hear(done), from);
    };
    time.after(0, () => void answer(), to);
  };
  const hear = (done: Exchange): void => {
    if (isWorker && faults.happens("worker crash")) return from.kill(`at the answer to ${path}`);
    time.note(from.name, `${path} → ${done.status} of ${done.to.name}`);
    const { status, responseText } = done;
    const headers = { "content-type": "application/json" };
    if (!request.signal.aborted) options.onHeard(done);
    resolve(new Response(responseText, { status, headers }));
  };
  if (faults.happens("request lost")) broken("request lost");
  else time.after(wayMs(options, from), arrive);
  return promise;
}

function wayMs({ faults, chance }: NetworkOptions, from: Process): number {
  if (!faults.happens("network slow")) return chance.scale(0.1, 3);
  const delayMs = faults.of("network slow").scale(20, 8_000);
  if (delayMs > lateMs) from.trouble(1);
  return delayMs;
}
