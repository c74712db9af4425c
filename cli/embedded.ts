// The embedded shape (DESIGN §1): control plane, worker and bus in one process, over the memory
// stores or over PGlite in a directory. The same services as the distributed shape; only the
// adapters differ.

import type { Fetch } from "#control/app";
import { startControl } from "#control/control";
import type { ControlPorts, CredentialSource } from "#control/services/context";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Bus } from "#core/ports/bus";
import type { Stores } from "#core/ports/stores";
import { startWorker } from "#worker/loop";
import { builtinTools } from "#worker/registry";
import type { WorkerLog } from "#worker/services";
import type { ToolPolicy } from "#worker/tools/tool";
import { version } from "./version.ts";

export interface EmbeddedOptions {
  readonly stores: Stores;
  readonly credentials: CredentialSource;
  readonly policy: ToolPolicy;
  readonly slots: number;
  readonly workerLog?: WorkerLog;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
  readonly documentation?: Parameters<typeof startControl>[1]["documentation"];
}

export interface Embedded {
  readonly fetch: Fetch;
  readonly client: ApiClient;
  readonly bus: Bus;
  /** Lets running tools end within the grace, then stops everything and closes the stores. */
  stop(graceMs: number): Promise<void>;
}

const pools: readonly string[] = ["default", "system"];
const machine = 1;

export function startEmbedded(options: EmbeddedOptions): Embedded {
  const { stores, credentials, policy, slots, report, workerLog, documentation } = options;
  const clock = systemClock();
  const bus = memoryBus();
  const ports: ControlPorts = {
    ...stores,
    bus,
    clock,
    ids: snowflakeMint(clock, machine),
    sha256: (text) => Bun.SHA256.hash(text, "hex"),
    credentials,
    engineVersion: version,
  };
  const control = startControl(ports, {
    report,
    workersAreNew: true,
    ...(documentation === undefined ? {} : { documentation }),
  });
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  const tools = builtinTools();
  const worker = startWorker({
    control: httpControl(client),
    bus,
    clock,
    tools,
    workerId: `embedded-${process.pid}`,
    pools,
    slots,
    policy,
    ...(workerLog === undefined ? {} : { log: workerLog }),
  });
  return {
    fetch: control.fetch,
    client,
    bus,
    stop: async (graceMs) => {
      await worker.stop({ graceMs });
      await tools.close();
      await control.stop();
      await bus.close();
      await stores.close();
    },
  };
}
