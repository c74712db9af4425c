// Puts a fetch handler on a port of this machine: the one wished for, or the next that is free.

import { Fault } from "#core/model/fault";
import { requestBytesMax } from "#core/model/limits";

/** Seconds that an answer may be in the making; the most that the runtime takes. */
const idleTimeout = 255;

type Fetch = (request: Request) => Promise<Response>;

/** How many ports after the wished one are tried. */
const portsTriedMax = 50;
/** Answers that have not ended by then are streams: they are cut, and their readers ask again. */
const stopGraceMs = 2_000;

export interface Listening {
  /** `http://127.0.0.1:8082` */
  readonly url: string;
  /** Takes no new requests; resolves when those under way are answered. */
  stop(): Promise<void>;
}

export interface ListenAt {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Only this port will do: others were told of it. */
  readonly exact?: boolean;
}

/** @throws Fault `unavailable` when none of the ports can be had. */
export function listen(fetch: Fetch, { host, port, exact = false }: ListenAt): Listening {
  const last = exact ? port : Math.min(port + portsTriedMax, 65_535);
  for (let tried = port; tried <= last; tried++) {
    const server = serve(fetch, host, tried);
    if (server === undefined) continue;
    const name = host.includes(":") ? `[${host}]` : host;
    return { url: `http://${name}:${server.port}`, stop: () => stopped(server) };
  }
  const ports = exact ? `port ${port}` : `ports ${port} to ${last}`;
  throw new Fault("unavailable", `${ports} of ${host}: in use by others`);
}

async function stopped(server: Bun.Server<undefined>): Promise<void> {
  const cut = setTimeout(() => void server.stop(true), stopGraceMs);
  await server.stop();
  clearTimeout(cut);
}

function serve(fetch: Fetch, hostname: string, port: number) {
  try {
    const maxRequestBodySize = requestBytesMax;
    return Bun.serve({ hostname, port, fetch, maxRequestBodySize, idleTimeout });
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "EADDRINUSE") return undefined;
    throw new Fault("unavailable", `${hostname}:${port} can't be listened on`, { cause: thrown });
  }
}
