// Puts a fetch handler on a port of this machine: the one wished for, or the next that is free.

import { Fault } from "#core/model/fault";
import { requestBytesMax } from "#core/model/limits";
import { notePeer } from "./peers.ts";
import { type Refusal, type WireServer, type WireState, wireServer } from "./wire-server.ts";

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
  /** Workers may keep a socket to it that carries their requests to the same handler. */
  readonly wire?: boolean;
  /** Why somebody gets no such socket; undefined for who does. Without it everybody does. */
  readonly refusal?: Refusal;
}

/** @throws Fault `unavailable` when none of the ports can be had. */
export function listen(fetch: Fetch, at: ListenAt): Listening {
  const { host, port, exact = false } = at;
  const wire = at.wire === true ? wireServer(fetch, at.refusal) : undefined;
  const last = exact ? port : Math.min(port + portsTriedMax, 65_535);
  for (let tried = port; tried <= last; tried++) {
    const server = serve(fetch, wire, { hostname: host, port: tried });
    if (server === undefined) continue;
    const name = host.includes(":") ? `[${host}]` : host;
    return { url: `http://${name}:${server.port}`, stop: () => stopped(server, wire) };
  }
  const ports = exact ? `port ${port}` : `ports ${port} to ${last}`;
  throw new Fault("unavailable", `${ports} of ${host}: in use by others`);
}

async function stopped(server: Bun.Server<WireState>, wire: WireServer | undefined): Promise<void> {
  const cut = setTimeout(() => void server.stop(true), stopGraceMs);
  wire?.stop();
  await server.stop();
  clearTimeout(cut);
}

interface ServeAt {
  readonly hostname: string;
  readonly port: number;
}

function serve(fetch: Fetch, wire: WireServer | undefined, at: ServeAt) {
  const limits = { maxRequestBodySize: requestBytesMax, idleTimeout };
  const answer = (request: Request, server: Bun.Server<WireState>): Promise<Response> => {
    notePeer(request, () => server.requestIP(request)?.address);
    return fetch(request);
  };
  try {
    if (wire === undefined) return Bun.serve<WireState>({ ...at, ...limits, fetch: answer });
    return Bun.serve<WireState>({
      ...{ ...at, ...limits, websocket: wire.websocket },
      fetch: (request, server) =>
        wire.isAsked(request) ? wire.open(request, server) : answer(request, server),
    });
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "EADDRINUSE") return undefined;
    throw new Fault("unavailable", `${at.hostname}:${at.port} can't be listened on`, {
      cause: thrown,
    });
  }
}
