// A TCP proxy in front of a NATS server that can lose acknowledgements of messages, and nothing else:
// each is made a word of the same length that says that the work still goes on.

import { connect, createServer, type Socket } from "node:net";

export interface AckLoser {
  readonly port: number;
  /** From here on they are lost, or not any more. */
  lose(isLosing: boolean): void;
  close(): Promise<void>;
}

const [acknowledged, working] = ["+ACK\r\n", "+WPI\r\n"];

export async function ackLoser(target: { host: string; port: number }): Promise<AckLoser> {
  const sockets = new Set<Socket>();
  let isLosing = false;
  const server = createServer((inner) => {
    const outer = connect(target.port, target.host);
    const pair = [inner, outer] as const;
    const end = (): void => {
      for (const socket of pair) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of pair) {
      sockets.add(socket);
      socket.on("close", end);
      socket.on("error", () => {});
    }
    inner.on("data", (bytes) => {
      // One character a byte, so that whatever else goes by stays as it is.
      const text = isLosing
        ? bytes.toString("latin1").replaceAll(acknowledged, working)
        : undefined;
      outer.write(text === undefined ? bytes : Buffer.from(text, "latin1"));
    });
    outer.on("data", (bytes) => inner.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    lose: (losing) => {
      isLosing = losing;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
