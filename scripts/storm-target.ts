// The world outside as the playbooks of a storm see it: addresses that are slow, that fail once for
// each execution, or that always fail. It is never hit by a fault itself.

export interface StormTarget {
  readonly url: string;
  /** Slow calls that were made more than once, by execution and item. */
  repeated(): readonly string[];
  stop(): Promise<void>;
}

const flakyTimes = 1;

/** The first slow calls, which may be slower than the rest. */
export interface FirstCalls {
  readonly calls: number;
  readonly msMin: number;
  readonly msMax: number;
}

const slow: FirstCalls = { calls: 0, msMin: 1_000, msMax: 3_000 };

export function startTarget(first: FirstCalls = slow): StormTarget {
  let begun = 0;
  const slowMs = (caller: string): number => {
    begun += 1;
    const { msMin, msMax } = begun <= first.calls ? first : slow;
    return msMin + (Bun.hash.crc32(caller) % (msMax - msMin));
  };
  const failures = new Map<string, number>();
  const slowCalls = new Map<string, number>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    // Slow calls are as slow as they are told to be.
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const caller = `${searchParams.get("execution")} item ${searchParams.get("item")}`;
      switch (pathname) {
        case "/first":
          return Response.json({ ok: true });
        case "/slow":
          slowCalls.set(caller, (slowCalls.get(caller) ?? 0) + 1);
          await Bun.sleep(slowMs(caller));
          return Response.json({ ok: true });
        case "/flaky": {
          const failed = failures.get(caller) ?? 0;
          failures.set(caller, failed + 1);
          return Response.json({ failed }, { status: failed < flakyTimes ? 503 : 200 });
        }
        default:
          return Response.json({ ok: false }, { status: 503 });
      }
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    repeated: () => [...slowCalls].flatMap(([caller, calls]) => (calls > 1 ? [caller] : [])),
    stop: () => server.stop(true),
  };
}
