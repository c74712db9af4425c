// Several replicas of the control plane behind real HTTP, over stores that they share, and workers
// that reach them over the network alone: there is no bus.

import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { openReplica, type Replica } from "#control/services/membership";
import { type ApiClient, apiClient } from "#core/adapters/api-client";
import { memoryBus } from "#core/adapters/memory-bus";
import { type RoutedControl, routedControl } from "#core/adapters/routed-control";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import { Fault, messageOf } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { RuntimeRegistry } from "#core/ports/runtime-registry";
import type { Stores } from "#core/ports/stores";
import { startWorker, type Worker } from "#worker/loop";
import { startRegistration, type WorkerRegistration } from "#worker/registration";
import { givenTools } from "#worker/registry";
import type { Tool } from "#worker/tools/tool";
import { sha256 } from "./control.ts";

export interface RunningReplica {
  readonly url: string;
  readonly control: Control;
  readonly replica: Replica;
  readonly client: ApiClient;
  /** Requests that it answered, by method and path. */
  readonly served: string[];
  /** Executions whose outcomes were reported to it, one for each report of an outcome. */
  readonly reported: ExecutionId[];
  /** Leaves, answers what is under way, ends. */
  stop(): Promise<void>;
  /** Is gone without a word: no port, no heartbeat. */
  vanish(): Promise<void>;
}

export interface ReplicaSetting {
  readonly stores: Stores;
  readonly identity?: () => string | undefined;
}

let replicas = 0;
const clock = systemClock();

/** Starts a replica that has joined the others when this resolves. */
export async function startReplica(setting: ReplicaSetting): Promise<RunningReplica> {
  const { stores, identity } = setting;
  const name = `replica-${++replicas}`;
  let isCut = false;
  const replica = await openReplica({
    registry: cuttable(stores.runtime, () => isCut),
    clock,
    name,
    mint: (machineId) => snowflakeMint(clock, machineId),
    version: "0.0.0-test",
    report: () => {},
  });
  const bus = memoryBus();
  const credentials = async () => undefined;
  const ports = { ...stores, bus, clock, ids: replica.ids, sha256, credentials };
  const control = startControl(
    { ...ports, engineVersion: "0.0.0-test" },
    {
      access: openAccess(),
      report: () => {},
      membership: replica,
      ...(identity === undefined ? {} : { identity }),
    },
  );
  const served: string[] = [];
  const reported: ExecutionId[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      served.push(`${request.method} ${pathname}`);
      if (pathname === "/api/commands/settle") {
        const body = (await request.clone().json()) as {
          readonly outcomes: readonly { readonly command_id: string }[];
        };
        const ids = body.outcomes.map(({ command_id: id }) => executionId(id.split(":")[0] ?? ""));
        reported.push(...ids);
      }
      return control.fetch(request);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  await replica.join(url);
  const end = async (): Promise<void> => {
    await control.stop();
    await replica.close().catch(() => {});
    await bus.close();
  };
  return {
    url,
    control,
    replica,
    served,
    reported,
    client: apiClient({ fetch: (request) => fetch(request), baseUrl: url }),
    stop: async () => {
      await replica.leave();
      control.executions.standby.close();
      await server.stop(false);
      await end();
    },
    vanish: async () => {
      isCut = true;
      await server.stop(true);
      await end();
    },
  };
}

/** The registry as a process has it that may be cut off from the database. */
export function cuttable(registry: RuntimeRegistry, isCut: () => boolean): RuntimeRegistry {
  const calls = Object.entries(registry).map(([name, call]) => [
    name,
    async (...given: readonly unknown[]) => {
      if (isCut()) throw new Fault("unavailable", "the database does not answer");
      return (call as (...all: readonly unknown[]) => unknown)(...given);
    },
  ]);
  return Object.fromEntries(calls) as RuntimeRegistry;
}

export interface RunningWorker {
  readonly worker: Worker;
  readonly control: RoutedControl;
  readonly registration: WorkerRegistration;
  readonly notices: readonly string[];
  stop(): Promise<void>;
}

/** Starts a worker that knows these addresses to begin with. */
export function startRoutedWorker(
  name: string,
  servers: readonly string[],
  tools: readonly Tool[],
): RunningWorker {
  const notices: string[] = [];
  const notice = (message: string, thrown?: unknown): void => {
    notices.push(thrown === undefined ? message : `${message}: ${messageOf(thrown)}`);
  };
  const control = routedControl({
    servers,
    fetch: (request) => fetch(request),
    clock,
    notice,
  });
  const [pools, slots] = [["default"], 16];
  const worker = startWorker({
    control,
    clock,
    tools: givenTools(tools),
    workerId: name,
    pools,
    slots,
    policy: { shell: false, fileRoots: [] },
    log: { notice },
  });
  const registration = startRegistration({
    client: control.client,
    clock,
    name,
    pools,
    labels: ["test"],
    capacity: slots,
    version: "0.0.0-test",
    load: () => worker.load(),
    notice,
  });
  return {
    worker,
    control,
    registration,
    notices,
    stop: async () => {
      await worker.stop({ graceMs: 2_000 });
      await registration.stop();
    },
  };
}
