// The simulated product: replicas over one store, workers, a network and a bus between them, all
// made of the production code. This file starts them, ends them and starts them again.

import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { soleMember } from "#control/services/membership";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { snowflakeMint } from "#core/adapters/system-clock";
import { messageOf } from "#core/model/fault";
import type { Bus } from "#core/ports/bus";
import type { Transition } from "#core/ports/event-log";
import type { Stores } from "#core/ports/stores";
import { sha256 } from "#tests/support/engine";
import { startWorker, type Worker } from "#worker/loop";
import { givenTools } from "#worker/registry";
import { noopTool } from "#worker/tools/noop";
import { type Disk, durableSpool } from "./durable-spool.ts";
import type { Faults } from "./faults.ts";
import { type Network, network } from "./network.ts";
import type { PlantedBug } from "./planted.ts";
import { newProcess, type Process } from "./process.ts";
import { type Queues, queues, queueTool } from "./queue-tool.ts";
import type { Random } from "./random.ts";
import { recorded, type StoreRecord, type Violation } from "./record.ts";
import { remoteBus } from "./remote-bus.ts";
import { remoteStores } from "./remote-stores.ts";
import { type Effects, effects, scriptedTool } from "./scripted-tool.ts";
import type { Timeline } from "./timeline.ts";
import { type Watch, watch } from "./watch.ts";

export interface Replica {
  readonly process: Process;
  readonly control: Control;
}

export interface WorkerLife {
  readonly process: Process;
  readonly worker: Worker;
}

export interface WorldOptions {
  readonly time: Timeline;
  readonly chance: Random;
  readonly faults: Faults;
  readonly replicas: number;
  readonly workers: number;
  readonly bug?: PlantedBug;
  readonly fail: (violation: Violation) => void;
}

export interface World {
  readonly stores: Stores;
  readonly record: StoreRecord;
  readonly watch: Watch;
  readonly outside: Effects;
  readonly queues: Queues;
  readonly network: Network;
  readonly replicas: (Replica | undefined)[];
  readonly workers: (WorkerLife | undefined)[];
  /** What replicas reported as gone wrong inside. */
  readonly reports: string[];
  readonly client: Process;
  startReplica(place: number): void;
  startWorkerAt(place: number): void;
  setAway(isAway: boolean): void;
  isAway(): boolean;
}

interface Parts extends WorldOptions {
  readonly world: World;
  readonly bus: Bus;
  readonly disks: Map<string, Disk>;
  generation: number;
}

const engineVersion = "0.0.0-simulated";
/** Each keeps every state, so that each grows stale under the others: the head check is all. */
const alone = soleMember();

export function newWorld(options: WorldOptions): World {
  const { time, chance, faults, fail } = options;
  const bus = memoryBus();
  const truth = memoryStores({ nowMs: () => Math.floor(time.nowMs()), sleep: async () => {} });
  const seen = watch({ time, record: () => record, fail });
  const { stores, record } = recorded(truth, { onEvent: seen.onEvent, fail });
  const ways = chance.stream("ways");
  const replicas: (Replica | undefined)[] = Array.from({ length: options.replicas });
  let isAway = false;
  const parts: Parts = {
    ...options,
    bus,
    disks: new Map(),
    generation: 0,
    get world() {
      return world;
    },
  };
  const world: World = {
    stores,
    record,
    watch: seen,
    outside: effects(),
    queues: queues(),
    replicas,
    workers: Array.from({ length: options.workers }),
    reports: [],
    client: newProcess(time, "client", 0),
    network: network({
      time,
      chance: ways,
      faults,
      choose: () => served(replicas[ways.int(replicas.length)], options),
      onServed: seen.onServed,
      onHeard: seen.onHeard,
    }),
    startReplica: (place) => startReplica(parts, place),
    startWorkerAt: (place) => startWorkerAt(parts, place),
    setAway: (away) => {
      isAway = away;
      time.note("store", away ? "goes away" : "is back");
    },
    isAway: () => isAway,
  };
  return world;
}

function served(replica: Replica | undefined, { bug }: WorldOptions) {
  if (replica === undefined) return undefined;
  const { process, control } = replica;
  const fetch = (request: Request): Promise<Response> =>
    bug?.fetch === undefined ? control.fetch(request) : bug.fetch(control.fetch, request);
  return { process, fetch };
}

function startReplica(parts: Parts, place: number): void {
  const { time, chance, faults, world, bug } = parts;
  parts.generation += 1;
  const { generation } = parts;
  const owner = newProcess(time, `c${place + 1}`, generation);
  const { watch: seen, record } = world;
  const near = remoteBus(parts.bus, { time, faults, owner, onPublish: seen.onPublish });
  const stores = remoteStores(
    bug?.stores?.(world.stores, { owner, bus: near, record, time }) ?? world.stores,
    {
      time,
      chance: chance.stream(`store of ${owner.name}`),
      faults,
      owner,
      isAway: world.isAway,
      onAnswer: ({ port, name, args }, answer) => {
        if (port !== "log" || name !== "append") return;
        seen.onAppended(args[0] as readonly Transition[], answer);
        time.after(0, () => seen.compareStates(control.executions, owner.name), owner);
      },
    },
  );
  time.note(owner.name, "starts");
  const control = startControl(
    {
      ...stores,
      bus: near,
      clock: owner.clock,
      ids: snowflakeMint(owner.clock, generation % 1024),
      sha256,
      credentials: async () => undefined,
      engineVersion,
    },
    {
      access: openAccess(),
      membership: alone,
      report: (message) => {
        if (!owner.alive()) return;
        world.reports.push(message);
        time.note(owner.name, `reports ${message.slice(0, 200)}`);
      },
    },
  );
  world.replicas[place] = { process: owner, control };
}

const slotsMax = 6;

function startWorkerAt(parts: Parts, place: number): void {
  const { time, chance, faults, world, bug } = parts;
  parts.generation += 1;
  const owner = newProcess(time, `w${place + 1}`, parts.generation);
  const own = chance.stream(`worker ${owner.name}`);
  const disk = parts.disks.get(owner.machine) ?? new Map();
  parts.disks.set(owner.machine, disk);
  const client = apiClient({
    fetch: world.network.fetchOf(owner),
    baseUrl: "http://control.simulated",
  });
  const control = httpControl(client, { alarm: owner.alarm });
  time.note(owner.name, "starts");
  const tool = scriptedTool({
    owner,
    time,
    chance: own,
    faults,
    outside: world.outside,
    isAlone: ({ commandId, attempt }) => world.watch.isAlone(commandId, attempt),
    fail: parts.fail,
  });
  const queue = queueTool({
    ...{ owner, time, faults, outside: world.queues },
    chance: own.stream("queue"),
  });
  const worker = startWorker({
    control: bug?.control?.(control) ?? control,
    bus: remoteBus(parts.bus, { time, faults, owner, onPublish: () => {} }),
    clock: owner.clock,
    tools: givenTools([tool, queue, noopTool()]),
    // Some come back under the name that they had.
    workerId: own.chance(0.5) ? owner.machine : owner.name,
    pools: ["default"],
    slots: 1 + own.int(slotsMax),
    spool: durableSpool(disk, { time, chance: own, owner }),
    policy: { shell: false, fileRoots: [] },
    defer: owner.defer,
    random: own.stream("waits").next,
    log: {
      notice: (message, thrown) => {
        if (!owner.alive()) return;
        time.note(
          owner.name,
          `notices ${message}${thrown === undefined ? "" : `: ${messageOf(thrown)}`}`,
        );
      },
    },
  });
  world.workers[place] = { process: owner, worker };
}
