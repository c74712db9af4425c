// What the rows of a cursor storm do to the world: each is told to an address, under the idempotency
// key of its call. A careful receiver does a thing once for each key; this one counts them.

export interface StormEffects {
  readonly url: string;
  /** Rows that were told at least once. */
  rows(): number;
  /** Calls that came again under a key that was known: what a lost worker had done of its frames. */
  repeated(): number;
  /** Rows with more than one key: they would have been done twice. */
  doubled(): readonly string[];
  stop(): Promise<void>;
}

export function startEffects(): StormEffects {
  const keysByRow = new Map<string, Set<string>>();
  let repeated = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const key = request.headers.get("idempotency-key") ?? "";
      if (key === "") return new Response("expected an idempotency key", { status: 400 });
      const row = new URL(request.url).pathname.slice(1);
      const keys = keysByRow.get(row) ?? new Set();
      keysByRow.set(row, keys);
      if (keys.has(key)) repeated += 1;
      keys.add(key);
      return Response.json({ ok: true });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    rows: () => keysByRow.size,
    repeated: () => repeated,
    doubled: () => [...keysByRow].flatMap(([row, { size }]) => (size > 1 ? [row] : [])),
    stop: () => server.stop(true),
  };
}
