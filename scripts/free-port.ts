// Ports of this machine that nobody listens on just now; somebody may, a moment later.

import { createServer } from "node:net";

const portMax = 65_535;

/** Any port. */
export async function freePort(): Promise<number> {
  const port = await listenedOn(0);
  if (port === undefined) throw new Error("expected a free port on this machine, found none");
  return port;
}

/** The first free port from this one on. */
export async function freePortFrom(first: number): Promise<number> {
  for (let port = first; port <= portMax; port++) {
    if ((await listenedOn(port)) !== undefined) return port;
  }
  throw new Error(`expected a free port from ${first} on, found none`);
}

function listenedOn(asked: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const server = createServer();
  server.on("error", () => resolve(undefined));
  server.listen(asked, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : undefined;
    server.close(() => resolve(port));
  });
  return promise;
}
