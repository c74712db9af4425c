// Puts a fetch handler on a port of this machine: the one wished for, or the next that is free.

import type { Fetch } from "#control/app";
import { Fault } from "#core/model/fault";
import { requestBytesMax } from "#core/model/limits";

/** How many ports after the wished one are tried. */
const portsTriedMax = 50;

export interface Listening {
  /** `http://127.0.0.1:8082` */
  readonly url: string;
  /** Takes no new requests; resolves when those under way are answered. */
  stop(): Promise<void>;
}

/** @throws Fault `unavailable` when none of the ports can be had. */
export function listen(fetch: Fetch, host: string, port: number): Listening {
  const last = Math.min(port + portsTriedMax, 65_535);
  for (let tried = port; tried <= last; tried++) {
    const server = serve(fetch, host, tried);
    if (server === undefined) continue;
    const name = host.includes(":") ? `[${host}]` : host;
    return { url: `http://${name}:${server.port}`, stop: () => server.stop() };
  }
  throw new Fault("unavailable", `no free port on ${host} from ${port} to ${last}`);
}

function serve(fetch: Fetch, hostname: string, port: number) {
  try {
    return Bun.serve({ hostname, port, fetch, maxRequestBodySize: requestBytesMax });
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "EADDRINUSE") return undefined;
    throw new Fault("unavailable", `${hostname}:${port} can't be listened on`, { cause: thrown });
  }
}
