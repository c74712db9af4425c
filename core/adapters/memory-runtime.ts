// The registry of processes in memory: the reference implementation of the port, for one process
// and for tests.

import { Fault } from "#core/model/fault";
import { snowflakeMachineMax } from "#core/model/ids";
import { machineLeaseMs, machineRestMs, runtimeKeepMs } from "#core/model/limits";
import type { Clock } from "#core/ports/clock";
import type {
  RuntimeKind,
  RuntimeLoad,
  RuntimeProcess,
  RuntimeRegistry,
  RuntimeRow,
} from "#core/ports/runtime-registry";

interface Entry {
  readonly runtimeId: string;
  process: RuntimeProcess;
  load: RuntimeLoad | undefined;
  startedAtMs: number;
  heartbeatAtMs: number;
  expiresAtMs: number;
  hasLeft: boolean;
}

type Processes = Omit<RuntimeRegistry, "leaseMachineId" | "renewMachineId" | "returnMachineId">;

/** An empty registry whose times are the clock's. */
export function memoryRuntime(clock: Pick<Clock, "nowMs">): RuntimeRegistry {
  return { ...processes(clock), ...machineIds(clock) };
}

function processes({ nowMs }: Pick<Clock, "nowMs">): Processes {
  const entries = new Map<string, Entry>();
  let ids = 0;
  const key = (kind: RuntimeKind, name: string): string => `${kind} ${name}`;
  const isLive = (entry: Entry): boolean => !entry.hasLeft && entry.expiresAtMs > nowMs();
  const rowOf = (entry: Entry): RuntimeRow => ({
    ...structuredClone(entry.process),
    runtimeId: entry.runtimeId,
    status: isLive(entry) ? "ready" : "offline",
    startedAtMs: entry.startedAtMs,
    heartbeatAtMs: entry.heartbeatAtMs,
    silentMs: Math.max(0, nowMs() - entry.heartbeatAtMs),
    ...(entry.load === undefined ? {} : { load: entry.load }),
  });
  const rows = (kind: RuntimeKind, wanted: (entry: Entry) => boolean): readonly RuntimeRow[] =>
    [...entries.values()]
      .filter((entry) => entry.process.kind === kind && wanted(entry))
      .sort((a, b) => (a.process.name < b.process.name ? -1 : 1))
      .map(rowOf);
  const isKept = (entry: Entry): boolean => entry.expiresAtMs >= nowMs() - runtimeKeepMs;

  return {
    register: async (process, load) => {
      const own = key(process.kind, process.name);
      for (const [other, entry] of entries) {
        if (other !== own && !isKept(entry)) entries.delete(other);
      }
      const before = entries.get(own);
      const isSame = before?.process.pid !== undefined && before.process.pid === process.pid;
      const entry: Entry = {
        runtimeId: before?.runtimeId ?? String(++ids),
        process: structuredClone(process),
        load: load ?? (isSame ? before.load : undefined),
        startedAtMs: isSame && !before.hasLeft ? before.startedAtMs : nowMs(),
        heartbeatAtMs: nowMs(),
        expiresAtMs: nowMs() + process.offlineMs,
        hasLeft: false,
      };
      entries.set(own, entry);
      return rowOf(entry);
    },

    heartbeat: async (kind, name, load) => {
      const entry = entries.get(key(kind, name));
      if (entry === undefined || entry.hasLeft) return undefined;
      entry.heartbeatAtMs = nowMs();
      entry.expiresAtMs = nowMs() + entry.process.offlineMs;
      entry.load = load ?? entry.load;
      return rowOf(entry);
    },

    leave: async (kind, name) => {
      const entry = entries.get(key(kind, name));
      if (entry === undefined || entry.hasLeft) return false;
      entry.hasLeft = true;
      entry.heartbeatAtMs = nowMs();
      entry.expiresAtMs = nowMs();
      return true;
    },

    live: async (kind) => rows(kind, isLive),
    list: async (kind, limit) => rows(kind, isKept).slice(0, limit),
  };
}

interface Machine {
  readonly id: number;
  holder: string | undefined;
  heldUntilMs: number;
  freeAtMs: number;
}

type MachineIds = Pick<RuntimeRegistry, "leaseMachineId" | "renewMachineId" | "returnMachineId">;

function machineIds({ nowMs }: Pick<Clock, "nowMs">): MachineIds {
  const never = Number.NEGATIVE_INFINITY;
  const machines = Array.from({ length: snowflakeMachineMax + 1 }, (_, id): Machine => {
    return { id, holder: undefined, heldUntilMs: never, freeAtMs: never };
  });
  const hold = (machine: Machine, name: string): void => {
    machine.holder = name;
    machine.heldUntilMs = nowMs() + machineLeaseMs;
    machine.freeAtMs = machine.heldUntilMs + machineRestMs;
  };
  const rested = (): Machine | undefined =>
    machines
      .filter(({ freeAtMs }) => freeAtMs <= nowMs())
      .reduce<Machine | undefined>(
        (best, machine) =>
          best === undefined || machine.freeAtMs < best.freeAtMs ? machine : best,
        undefined,
      );

  return {
    leaseMachineId: async (name) => {
      const own = machines.find(
        ({ holder, heldUntilMs }) => holder === name && heldUntilMs > nowMs(),
      );
      const machine = own ?? rested();
      if (machine === undefined) {
        throw new Fault(
          "unavailable",
          "expected a machine id that is free, found all 1024 held or at rest",
        );
      }
      hold(machine, name);
      return machine.id;
    },

    renewMachineId: async (name, machineId) => {
      const machine = machines[machineId];
      if (machine?.holder !== name) return false;
      hold(machine, name);
      return true;
    },

    returnMachineId: async (name) => {
      for (const machine of machines) {
        if (machine.holder !== name) continue;
        machine.holder = undefined;
        machine.heldUntilMs = nowMs();
        machine.freeAtMs = nowMs() + machineRestMs;
      }
    },
  };
}
