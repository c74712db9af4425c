// The lines that the tools of an execution print, as a server streams them: from a position on,
// over lost connections, until the server says that nothing more comes.

import { Fault } from "#core/model/fault";
import type { ShownLogLine } from "#core/wire/api-step-logs";
import { faultOf, parseJsonExactly } from "#core/wire/problem";

export interface LogStreamOptions {
  /** `http://127.0.0.1:8082` */
  readonly baseUrl: string;
  readonly executionId: string;
  /** Further parts of the query: `step`, `stream`. */
  readonly query?: Readonly<Record<string, string>>;
  readonly onLine: (line: ShownLogLine) => void;
  readonly signal?: AbortSignal;
  /** As the server is asked; without credentials by default. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

const retryMs = 500;
/** A server that is restarted is waited for this long. */
const outageMsMax = 60_000;

/**
 * Resolves when the execution has ended and all its lines were handed on, or with the signal.
 * @throws Fault of a server that refuses, or that has not answered for a minute.
 */
export async function followLogs(options: LogStreamOptions): Promise<void> {
  const isStopped = (): boolean => options.signal?.aborted === true;
  let after = 0;
  let heardAtMs = performance.now();
  const heard = (line: ShownLogLine): void => {
    after = line.position;
    options.onLine(line);
  };
  while (!isStopped()) {
    try {
      const isOver = await oneStream(options, after, heard);
      if (isOver) return;
      heardAtMs = performance.now();
    } catch (thrown) {
      if (isStopped()) return;
      const mayCome = !(thrown instanceof Fault) || thrown.retryable;
      if (!mayCome || performance.now() > heardAtMs + outageMsMax) throw thrown;
    }
    await Bun.sleep(retryMs);
  }
}

/** @returns whether the server said that this was all. */
async function oneStream(
  options: LogStreamOptions,
  after: number,
  onLine: (line: ShownLogLine) => void,
): Promise<boolean> {
  const { baseUrl, executionId, query, signal } = options;
  const search = new URLSearchParams({ ...query, follow: "true", after: String(after) });
  const url = `${baseUrl}/api/executions/${executionId}/logs?${search}`;
  const send = options.fetch ?? ((request: Request) => fetch(request));
  const request = new Request(url, {
    headers: { accept: "text/event-stream" },
    ...(signal === undefined ? {} : { signal }),
  });
  const response = await send(request);
  if (!response.ok) throw faultOf(response.status, parsedProblem(await response.text()));
  if (response.body === null) return false;
  for await (const event of sseEvents(response.body)) {
    if (event.name === "end") return true;
    if (event.name === "line") onLine(parseJsonExactly(event.data) as ShownLogLine);
  }
  return false;
}

function parsedProblem(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface SseEvent {
  readonly name: string;
  readonly data: string;
}

/** Events as they are separated by empty lines; comments are passed over. */
async function* sseEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const blocks = `${rest}${decoder.decode(bytes, { stream: true })}`.split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string): string => {
        const row = block.split("\n").find((one) => one.startsWith(`${name}: `));
        return row?.slice(name.length + 2) ?? "";
      };
      if (field("event") !== "") yield { name: field("event"), data: field("data") };
    }
  }
}
