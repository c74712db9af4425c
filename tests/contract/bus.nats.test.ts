// The bus over a real NATS server holds the contract.

import { afterAll, beforeAll } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { natsBus } from "#core/adapters/nats-bus";
import { commandStream } from "#core/wire/subjects";
import { busContract } from "#tests/contract/bus";
import { type ScratchNats, startNats } from "#tests/support/nats";

let server: ScratchNats;
beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());

busContract("the NATS bus", async () => {
  await withoutStream();
  const bus = natsBus({ servers: server.url, name: "one" });
  const other = natsBus({ servers: server.url, name: "other" });
  return {
    bus,
    other,
    close: async () => {
      await bus.close();
      await other.close();
    },
  };
});

/** Each test begins with nothing kept. */
async function withoutStream(): Promise<void> {
  const connection = await connect({ servers: [server.url] });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.streams.delete(commandStream).catch(() => false);
  await connection.close();
}
