// The embedded shape (DESIGN §1): control plane, worker and bus in one process, over the memory
// stores or over PGlite in a directory. The same services as the distributed shape; only the
// adapters differ.

import type { Fetch } from "#control/app";
import type { ControlSettings } from "#control/config";
import { type Control, startControl } from "#control/control";
import { type Platform, platformOf } from "#control/platform";
import { startRoles } from "#control/roles/roles";
import type { Duty } from "#control/roles/system";
import type { ControlPorts, CredentialSource } from "#control/services/context";
import { postgresOutside } from "#control/store/postgres-outside";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { httpStepLogs } from "#core/adapters/http-step-logs";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { localAdmin, machinePrincipal, type Principal } from "#core/model/access";
import type { Bus } from "#core/ports/bus";
import type { Clock, IdMint } from "#core/ports/clock";
import type { Stores } from "#core/ports/stores";
import { logShipper } from "#worker/log-shipper";
import { startWorker } from "#worker/loop";
import { startRegistration } from "#worker/registration";
import { type BuiltinToolOptions, builtinTools, type ToolRegistry } from "#worker/registry";
import { sealingKey } from "#worker/sealing";
import type { WorkerLog } from "#worker/services";
import type { ToolPolicy } from "#worker/tools/tool";
import { version } from "./version.ts";

export interface EmbeddedOptions {
  readonly stores: Stores;
  readonly credentials: CredentialSource;
  readonly policy: ToolPolicy;
  readonly slots: number;
  readonly workerLog?: WorkerLog;
  /** Whether what tools print is kept in the stores; it is unless this says no. */
  readonly keepsStepLogs?: boolean;
  /** Told of what went wrong inside and was dealt with. */
  readonly report: (message: string) => void;
  /** Of a process that stays: what its stores need every few minutes. Without it nothing is kept up. */
  readonly duties?: readonly Duty[];
  readonly documentation?: Parameters<typeof startControl>[1]["documentation"];
  /** In place of the machine's: a test that owns the time. */
  readonly clock?: Clock;
  /** In place of ids made of the clock. */
  readonly ids?: IdMint;
  /** In place of the tools that come with the product; closed with the worker. */
  readonly tools?: ToolRegistry;
  /** Of the tools that come with the product; nothing where `tools` are given. */
  readonly toolOptions?: BuiltinToolOptions;
  /** Of what stands around executions: access, sealing, exports. */
  readonly settings?: Partial<ControlSettings>;
  /** A token for the administrator of this machine, good as long as the process lives. */
  readonly localToken?: string;
}

export interface Embedded {
  readonly fetch: Fetch;
  /** Why somebody gets no socket that carries requests; undefined for who does. */
  readonly refusal: Control["refusal"];
  /** Answers as if all requests came from this one. */
  fetchAs(principal: Principal): Fetch;
  readonly client: ApiClient;
  readonly bus: Bus;
  /** Lets running tools end within the grace, then stops everything and closes the stores. */
  stop(graceMs: number): Promise<void>;
}

const pools: readonly string[] = ["default", "system"];
const machineId = 1;
/** What a process that stays does: requests first, and these besides. */
const lastingRoles = ["api", "projector", "scheduler"] as const;
/** The last lines of tools are few, and on their way already. */
const lastLinesMs = 2_000;

export function startEmbedded(options: EmbeddedOptions): Embedded {
  const { stores, credentials, report, documentation } = options;
  const clock = options.clock ?? systemClock();
  const bus = memoryBus();
  const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
  const { settings = {}, localToken } = options;
  const platform = platformOf(settings, stores, {
    ...{ clock, sha256, credentials, report },
    ...(localToken === undefined ? {} : { localToken }),
  });
  const ports: ControlPorts = {
    ...stores,
    bus,
    clock,
    ids: options.ids ?? snowflakeMint(clock, machineId),
    sha256,
    ...platform.ports,
    outsideSql: postgresOutside(undefined),
    engineVersion: version,
  };
  const control = startControl(ports, {
    access: platform.access,
    report,
    workersAreNew: true,
    ...(documentation === undefined ? {} : { documentation }),
  });
  const client = apiClient({ fetch: control.fetchAs(localAdmin), baseUrl: "http://control" });
  const machine = control.fetchAs(machinePrincipal("embedded"));
  const workerClient = apiClient({ fetch: machine, baseUrl: "http://control" });
  const worker = startEmbeddedWorker(options, { client: workerClient, bus, clock });
  const beside = startBeside(options, { control, ports, platform });
  return {
    fetch: control.fetch,
    refusal: control.refusal,
    fetchAs: control.fetchAs,
    client,
    bus,
    stop: async (graceMs) => {
      await worker.stop(graceMs);
      await beside?.stop();
      await control.stop();
      await bus.close();
      await stores.close();
    },
  };
}

interface Started {
  readonly control: Control;
  readonly ports: ControlPorts;
  readonly platform: Platform;
}

/** What goes on beside requests, in a process that stays. */
function startBeside(
  { duties, report }: EmbeddedOptions,
  { control: { executions }, ports, platform }: Started,
) {
  if (duties === undefined) return undefined;
  const owner = `embedded-${process.pid}`;
  return startRoles(ports, {
    ...{ roles: lastingRoles, owner, report, executions },
    duties: [...duties, ...platform.duties],
    beside: platform.beside(executions, ports),
  });
}

interface Beside {
  readonly client: ApiClient;
  readonly bus: Bus;
  readonly clock: Clock;
}

function startEmbeddedWorker(options: EmbeddedOptions, { client, bus, clock }: Beside) {
  const { policy, slots, report, workerLog = {}, keepsStepLogs = true } = options;
  const tools = options.tools ?? builtinTools(options.toolOptions);
  const workerId = `embedded-${process.pid}`;
  const sink = httpStepLogs([client], `embedded-${Bun.randomUUIDv7()}`);
  const shipper = logShipper({ sink, clock, log: workerLog });
  const worker = startWorker({
    control: httpControl(client, { sealing: sealingKey() }),
    bus,
    clock,
    tools,
    workerId,
    pools,
    slots,
    policy,
    log: keepsStepLogs ? shipper.log : workerLog,
  });
  // Listed beside workers that joined over the network, and known to whoever asks why nothing runs.
  const registration = startRegistration({
    client,
    clock,
    name: workerId,
    pools,
    labels: [],
    capacity: slots,
    version,
    load: () => worker.load(),
    notice: (message) => report(message),
  });
  return {
    stop: async (graceMs: number): Promise<void> => {
      await worker.stop({ graceMs });
      await registration.stop();
      await shipper.close(lastLinesMs);
      await tools.close();
    },
  };
}
