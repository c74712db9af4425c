// A control plane on a port of this machine, over stores in memory, that can be away for a while:
// what worker processes are started against.

import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Event } from "#core/model/event";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Stores } from "#core/ports/stores";

export interface ControlServer {
  readonly url: string;
  readonly client: ApiClient;
  readonly stores: Stores;
  /** Registers a playbook and starts it. */
  start(playbook: string): Promise<ExecutionId>;
  events(id: ExecutionId): Promise<readonly Event[]>;
  /** Nobody reaches it any more; its stores are as they were. */
  leave(): Promise<void>;
  /** It is there again, at the same address. */
  comeBack(): void;
  close(): Promise<void>;
}

export interface ControlServerOptions {
  /** The database that its replies name; none without it. */
  readonly cluster?: string;
  /** Any free one without it. */
  readonly port?: number;
}

export function controlServer(options: ControlServerOptions = {}): ControlServer {
  const { cluster } = options;
  const clock = systemClock();
  const stores = memoryStores(clock);
  const control: Control = startControl(
    {
      ...stores,
      bus: memoryBus(),
      clock,
      ids: snowflakeMint(clock, 5),
      sha256: (text) => Bun.SHA256.hash(text, "hex"),
      credentials: async () => undefined,
      engineVersion: "0.0.0-test",
    },
    {
      access: openAccess(),
      report: () => {},
      ...(cluster === undefined ? {} : { identity: () => cluster }),
    },
  );
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  const serve = (port: number) =>
    Bun.serve({ hostname: "127.0.0.1", port, fetch: control.fetch, idleTimeout: 60 });
  let server = serve(options.port ?? 0);
  const port = Number(server.port);
  return {
    url: `http://127.0.0.1:${port}`,
    client,
    stores,
    start: async (content) => {
      const { path } = await client.registerCatalog({ body: { content } });
      return executionId((await client.execute({ body: { path } })).execution_id);
    },
    events: async (id) => (await stores.log.events(id, 0, 1_000)).map(({ event }) => event),
    leave: () => server.stop(true),
    comeBack: () => {
      server = serve(port);
    },
    close: async () => {
      await server.stop(true);
      await control.stop();
      await stores.close();
    },
  };
}
