// A TCP proxy on loopback whose line can be cut: bytes stop, and nobody is told; or the peers are
// told by a reset. For networks that fail.

import { connect, createServer, type Server, type Socket } from "node:net";

export interface CutProxy {
  readonly port: number;
  /** Bytes of existing and new connections go nowhere, without a word. */
  silence(): void;
  /** Everything goes through again; what was silent before is reset. */
  heal(): void;
  /** Resets every connection there is. */
  reset(): void;
  close(): Promise<void>;
}

export async function cutProxy(target: { host: string; port: number }): Promise<CutProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isSilent = false;
  const server: Server = createServer((inner) => {
    const outer = connect(target.port, target.host);
    const pair = [inner, outer] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      inner.destroy();
      outer.destroy();
    };
    for (const [from, to] of [pair, [outer, inner]] as const) {
      from.on("data", (bytes) => {
        if (!isSilent) to.write(bytes);
      });
      from.on("close", () => {
        if (!isSilent) end();
      });
      from.on("error", () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const reset = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    pairs.clear();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    silence: () => {
      isSilent = true;
    },
    heal: () => {
      reset();
      isSilent = false;
    },
    reset,
    close: async () => {
      reset();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
