// `bun run examples-api [--port N]`: the small HTTP API that the examples talk to, so that every
// one of them runs without the internet. Listens on this machine only.
import { examplesApi, requestBodyBytesMax, type SeenRequest } from "../examples/api/api.ts";
import { type ApiClock, wallClock } from "../examples/api/clock.ts";

export interface ExamplesApiOptions {
  /** Exactly this port; 0 is any free one. Without it, 8099 or the next free one. */
  readonly port?: number;
  readonly clock?: ApiClock;
}

export interface RunningExamplesApi {
  /** `http://127.0.0.1:8099`, without a trailing slash. */
  readonly url: string;
  /** The latest requests, oldest first. */
  seen(): readonly SeenRequest[];
  stop(): Promise<void>;
}

const portDefault = 8_099;
const portsTried = 100;
const usage = "usage: bun run examples-api [--port N]";

/** @throws when the port, or every port from 8099 on that is tried, is taken. */
export function startExamplesApi(options: ExamplesApiOptions = {}): RunningExamplesApi {
  const api = examplesApi(options.clock ?? wallClock);
  const server = listen(options.port, api.fetch);
  return {
    url: `http://127.0.0.1:${server.port}`,
    seen: api.seen,
    stop: () => server.stop(true),
  };
}

function listen(port: number | undefined, fetch: (request: Request) => Promise<Response>) {
  const serve = (wanted: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: wanted,
      fetch,
      maxRequestBodySize: requestBodyBytesMax,
      // Longer than the longest delay that a route may be asked for.
      idleTimeout: 30,
    });
  if (port !== undefined) return serve(port);
  for (let wanted = portDefault; ; wanted++) {
    try {
      return serve(wanted);
    } catch (thrown) {
      if (!isTaken(thrown) || wanted >= portDefault + portsTried) throw thrown;
    }
  }
}

function isTaken(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EADDRINUSE";
}

/** The port that the command line names; undefined for none, an error's text for a wrong one. */
function portOf(argv: readonly string[]): number | undefined | string {
  const [flag, value, ...rest] = argv;
  if (flag === undefined) return undefined;
  if (flag !== "--port" || rest.length > 0) return `expected --port N, found ${argv.join(" ")}`;
  const port = Number(value ?? "");
  if (value !== undefined && /^\d+$/.test(value) && port <= 65_535) return port;
  return `--port: expected a number from 0 to 65535, found ${value ?? "nothing"}`;
}

/** Serves until the process is told to end. Answers 2 for wrong arguments, 1 for a taken port. */
function main(argv: readonly string[]): number {
  const port = portOf(argv);
  if (typeof port === "string") {
    console.error(`${port}\n${usage}`);
    return 2;
  }
  try {
    const api = startExamplesApi(port === undefined ? {} : { port });
    console.log(`the examples API listens on ${api.url}; GET / lists its routes`);
    if (api.url.endsWith(`:${portDefault}`)) return 0;
    console.log(`tell examples so: noetl run examples/hello.yaml --set api=${api.url}`);
    return 0;
  } catch (thrown) {
    if (!isTaken(thrown)) throw thrown;
    console.error(`port ${port ?? portDefault} is taken; choose another one with --port N`);
    return 1;
  }
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
