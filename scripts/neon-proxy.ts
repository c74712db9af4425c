// What Neon puts in front of a database, on this machine alone and in front of any PostgreSQL: its
// WebSocket, which hands bytes on, and its statements over HTTP. For tests and for trying the edge;
// it asks for no password, so it listens on the loopback address only.

import { createConnection, type Socket } from "node:net";
import type { ServerWebSocket } from "bun";
import { neonStatements } from "./neon-statements.ts";

export interface NeonProxy {
  /** For the driver's `fetchEndpoint`: where statements are sent. */
  readonly fetchEndpoint: string;
  /** For the driver's `wsProxy`: host, port and path. */
  readonly wsProxy: string;
  /** The next statement with this in its text is done, and its caller sees an error all the same. */
  loseReplyOnce(part: string): void;
  /** Cuts every connection; those that follow are served. */
  cut(): void;
  stop(): Promise<void>;
}

export interface NeonProxyOptions {
  /** The server behind: `postgres://user@host:port/database`; it must trust connections. */
  readonly postgresUrl: string;
  /** A free one by default. */
  readonly port?: number;
}

/** One connection: what the server says goes to the socket as fast as that takes it. */
interface Tunnel {
  readonly server: Socket;
  /** The last bytes that the server sent: they tell whether it has ended what it was asked. */
  tail: Buffer;
  /** Whether the server has let the client in. */
  isReady: boolean;
  /** Whether the reply to what the client asked last is the one to lose. */
  isLosing: boolean;
}

type TunnelSocket = ServerWebSocket<{ tunnel?: Tunnel }>;

const statementsPath = "/sql";
const socketPath = "/v1";

/** Starts the proxy; nothing is connected to the server before somebody asks. */
export function startNeonProxy(options: NeonProxyOptions): NeonProxy {
  const target = new URL(options.postgresUrl);
  const statements = neonStatements(target);
  const open = new Set<TunnelSocket>();
  let losing: string | undefined;
  const takeLoss = (asked: string): boolean => {
    if (losing === undefined || !asked.includes(losing)) return false;
    losing = undefined;
    return true;
  };

  const proxy = Bun.serve<{ tunnel?: Tunnel }>({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    fetch: async (request, server) => {
      const { pathname } = new URL(request.url);
      if (pathname === socketPath && server.upgrade(request, { data: {} })) return;
      if (pathname !== statementsPath) return new Response("no such path", { status: 404 });
      const document = await request.text();
      const isLost = takeLoss(document);
      const answer = await statements.answer(document, request.headers);
      return isLost ? new Response("the reply was lost", { status: 502 }) : answer;
    },
    websocket: {
      open: (socket) => {
        open.add(socket);
        socket.data.tunnel = tunnel(socket, target);
      },
      message: (socket, message) => {
        const { tunnel: asking } = socket.data;
        // The greeting of a new connection asks for nothing that could be done twice.
        if (asking?.isReady === true) asking.isLosing ||= takeLoss(Buffer.from(message).toString());
        asking?.server.write(message);
      },
      drain: (socket) => void socket.data.tunnel?.server.resume(),
      close: (socket) => {
        open.delete(socket);
        socket.data.tunnel?.server.destroy();
      },
    },
  });
  const cut = (): void => {
    for (const socket of open) socket.terminate();
  };
  return {
    fetchEndpoint: `http://127.0.0.1:${proxy.port}${statementsPath}`,
    wsProxy: `127.0.0.1:${proxy.port}${socketPath}`,
    loseReplyOnce: (part) => {
      losing = part;
    },
    cut,
    stop: async () => {
      cut();
      await proxy.stop(true);
      await statements.close();
    },
  };
}

function tunnel(socket: TunnelSocket, target: URL): Tunnel {
  const server = createConnection({
    host: target.hostname,
    port: Number(target.port || 5432),
    noDelay: true,
  });
  const made: Tunnel = { server, tail: Buffer.alloc(0), isReady: false, isLosing: false };
  const hand = (bytes: Buffer): void => {
    // Anything but a positive number: queued, and more would only lie in memory.
    if (socket.sendBinary(bytes) <= 0) server.pause();
  };
  server.on("data", (bytes: Buffer) => {
    made.tail = Buffer.concat([made.tail, bytes.subarray(-readyBytes)]).subarray(-readyBytes);
    const hasEnded = isReadyForQuery(made.tail);
    if (!made.isLosing) hand(bytes);
    else if (hasEnded) socket.terminate();
    made.isReady ||= hasEnded;
  });
  server.on("error", () => socket.terminate());
  server.on("close", () => socket.close());
  return made;
}

const readyBytes = 6;

/** Outside of a transaction: what came before is committed. */
function isReadyForQuery(last: Buffer): boolean {
  return last.toString("latin1") === "Z\0\0\0\u0005I";
}

if (import.meta.main) {
  const [postgresUrl] = process.argv.slice(2);
  if (postgresUrl === undefined) {
    console.error("usage: bun scripts/neon-proxy.ts postgres://user@127.0.0.1:5432/database");
    process.exitCode = 2;
  } else {
    const { fetchEndpoint, wsProxy } = startNeonProxy({ postgresUrl });
    console.log(`statements at ${fetchEndpoint}, WebSocket at ${wsProxy}`);
  }
}
