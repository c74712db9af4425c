// `GET /healthz` for whoever watches the process: that it lives, what it does, and nothing else;
// `GET /metrics` for its numbers, where it counts.
// An outage of the control plane is no reason to end a worker, so it isn't told as ill health.
// What is `failing` is answered with 503, for those who look at nothing else.

import { Fault } from "#core/model/fault";

export interface HealthServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The status of a process that needs somebody to look at it. */
export const failing = "failing";

export interface HealthStatus {
  readonly status: string;
}

const prometheus = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/**
 * Answers on all addresses of the machine.
 * @param numbers the process's numbers, as Prometheus reads them.
 * @throws Fault `unavailable` when the port can't be had.
 */
export function serveHealth(
  port: number,
  status: () => HealthStatus,
  numbers?: () => string,
): HealthServer {
  const answer = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    if (pathname === "/metrics" && numbers !== undefined) {
      return new Response(numbers(), { headers: prometheus });
    }
    if (pathname !== "/healthz") return new Response("not found\n", { status: 404 });
    const now = status();
    return Response.json(now, { status: now.status === failing ? 503 : 200 });
  };
  try {
    const server = Bun.serve({ hostname: "0.0.0.0", port, fetch: answer });
    return {
      url: `http://127.0.0.1:${server.port}/healthz`,
      stop: () => server.stop(true),
    };
  } catch (thrown) {
    throw new Fault("unavailable", `health port ${port} can't be listened on`, { cause: thrown });
  }
}
