// A TCP proxy on loopback whose line can be cut: bytes stop, and nobody is told; or the peers are
// told by a reset; or answers come late. For networks that fail.

import { connect, createServer, type Server, type Socket } from "node:net";

export interface CutProxy {
  readonly port: number;
  /** Bytes of existing and new connections go nowhere, without a word. */
  silence(): void;
  /** Everything goes through again; what was silent before is reset. */
  heal(): void;
  /** What the target says comes so much later from here on, in its order. */
  delay(delayMs: number): void;
  /** Resets every connection there is. */
  reset(): void;
  close(): Promise<void>;
}

export async function cutProxy(target: { host: string; port: number }): Promise<CutProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isSilent = false;
  let answersDelayMs = 0;
  const server: Server = createServer((inner) => {
    const outer = connect(target.port, target.host);
    const pair = [inner, outer] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      inner.destroy();
      outer.destroy();
    };
    const answers: (Uint8Array | string)[] = [];
    const answer = (): void => {
      const bytes = answers.shift();
      if (bytes !== undefined && !isSilent && !inner.destroyed) inner.write(bytes);
    };
    inner.on("data", (bytes) => {
      if (!isSilent) outer.write(bytes);
    });
    outer.on("data", (bytes) => {
      answers.push(bytes);
      // One that is to come at once still waits for those that came before it.
      if (answersDelayMs > 0 || answers.length > 1) setTimeout(answer, answersDelayMs);
      else answer();
    });
    for (const from of pair) {
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
    delay: (delayMs) => {
      answersDelayMs = delayMs;
    },
    reset,
    close: async () => {
      reset();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
