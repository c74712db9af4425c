// Answers that are streams of server-sent events. The body is bytes of our own making: helpers of
// frameworks fail on other runtimes than the one they were made for.

/** Bytes as they come: neither kept nor gathered on the way. */
export function eventStream(body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

/**
 * The frames as a body; nothing is made before the client has taken what was made.
 * @param closing aborted when the client goes away: what the frames wait for must end then.
 */
export function framedBody(
  frames: AsyncGenerator<string, void>,
  closing: AbortController,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await frames.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      cancel: async () => {
        closing.abort();
        await frames.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Whether the client asked for a stream. */
export function wantsStream(request: Request): boolean {
  return request.headers.get("accept")?.includes("text/event-stream") === true;
}
