// Connections to NATS are shared by those who know the same secret, and few are kept.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import type { NatsConnection } from "@nats-io/transport-node";

import { natsConnectionsMax } from "#core/model/data-tool-limits";
import { natsServer } from "#scripts/system-packages";
import { natsMissing, type ScratchNats, startNats } from "#tests/support/nats";
import { toolContext } from "#tests/tools/context";
import { type NatsTarget, natsConnections, natsTarget } from "#worker/tools/nats-connections";

const isAvailable = natsServer() !== undefined;
// Without the server's program there is nothing to test against: the skip says how to get it.
if (!isAvailable) test.skip(natsMissing, () => undefined);

// The same reason: no server.
describe.skipIf(!isAvailable)("connections", () => {
  let server: ScratchNats | undefined;
  const connections = natsConnections();
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(async () => {
    await connections.close();
    await server?.stop();
  });

  /** A server that asks for nothing lets everybody in. */
  const targetOf = async (user: string, password = "p"): Promise<NatsTarget> =>
    (await natsTarget({ url: server?.url ?? "", user, password }, toolContext())).target;

  test("are shared by equal targets, also at the same time, and by no others", async () => {
    const [target, other] = [await targetOf("a"), await targetOf("a", "q")];
    const [one, two, three] = await Promise.all(
      [target, target, other].map((each) => connections.lease(each)),
    );
    expect(one?.connection).toBe(two?.connection);
    expect(one?.connection).not.toBe(three?.connection);
    for (const lease of [one, two, three]) lease?.release();
  });

  test("that fell silent for one are left by the others when they are done", async () => {
    const target = await targetOf("b");
    const [one, two] = [await connections.lease(target), await connections.lease(target)];
    one.release({ discard: true });
    await two.connection.flush();
    expect(two.connection.isClosed()).toBe(false);
    const next = await connections.lease(target);
    expect(next.connection).not.toBe(two.connection);
    two.release();
    await two.connection.closed();
    expect(next.connection.isClosed()).toBe(false);
    next.release();
  });

  test("beyond the most that are kept push out the one that was longest unused", async () => {
    const kept: NatsConnection[] = [];
    for (let number = 0; number <= natsConnectionsMax; number++) {
      const lease = await connections.lease(await targetOf(`user-${number}`));
      lease.release();
      kept.push(lease.connection);
    }
    await kept[0]?.closed();
    expect(kept.slice(1).map((connection) => connection.isClosed())).not.toContain(true);
  });
});

describe("an address", () => {
  test("carries user and password, or a token; fields of the call win", async () => {
    const read = async (url: string, more = {}) =>
      (await natsTarget({ url, ...more }, toolContext())).target;
    expect(await read("nats://u:p%40ss@a:1, b")).toEqual({
      servers: ["a:1", "b:4222"],
      isEncrypted: false,
      user: "u",
      password: "p@ss",
    });
    expect(await read("tls://t0ken@a")).toEqual({
      servers: ["a:4222"],
      isEncrypted: true,
      token: "t0ken",
    });
    expect(await read("nats://u:p@a", { user: "me", password: "mine" })).toMatchObject({
      user: "me",
      password: "mine",
    });
    expect(natsTarget({ url: "http://a" }, toolContext())).rejects.toMatchObject({
      failure: { kind: "config" },
    });
  });
});
