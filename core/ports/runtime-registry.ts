// Which processes there are: control planes and workers, by the database's clock. Knowing them
// serves speed and status pages; nothing that is stored depends on who is listed here.
//
// R1  A process is live until `offlineMs` after its last word, or until it leaves.
// R2  A machine id has one holder: it is given to another only `machineRestMs` after the lease of
//     the one before has run out or was given back.

import type { JsonObject } from "#core/model/json";

export type RuntimeKind = "server_api" | "worker_pool";

export interface RuntimeLoad {
  /** Commands that hold a slot. */
  readonly running: number;
  readonly free: number;
  /** Outcomes that wait to be reported. */
  readonly waiting: number;
}

/** What a process says of itself when it registers. */
export interface RuntimeProcess {
  readonly kind: RuntimeKind;
  /** Unique for its kind. */
  readonly name: string;
  /** Where it is reached; workers usually have none. */
  readonly uri?: string;
  readonly pools: readonly string[];
  readonly labels: readonly string[];
  /** Commands it may run at once; 0 for a control plane. */
  readonly capacity: number;
  readonly version?: string;
  readonly pid?: number;
  readonly hostname?: string;
  /** What else it said, as it came. */
  readonly details: JsonObject;
  /** It counts as gone when it has said nothing for so many milliseconds. */
  readonly offlineMs: number;
}

export interface RuntimeRow extends RuntimeProcess {
  readonly runtimeId: string;
  readonly status: "ready" | "offline";
  readonly load?: RuntimeLoad;
  /** Milliseconds since 1970, by the database's clock. */
  readonly startedAtMs: number;
  readonly heartbeatAtMs: number;
  /** Milliseconds since its last word. */
  readonly silentMs: number;
}

export interface RuntimeRegistry {
  /** Adds the process, or puts what it says now over what it said before. */
  register(process: RuntimeProcess, load?: RuntimeLoad): Promise<RuntimeRow>;

  /** Undefined for a process that never registered or has left: it must register again. */
  heartbeat(kind: RuntimeKind, name: string, load?: RuntimeLoad): Promise<RuntimeRow | undefined>;

  /** False when there was nothing to leave. */
  leave(kind: RuntimeKind, name: string): Promise<boolean>;

  /** Who is there now, by name. */
  live(kind: RuntimeKind): Promise<readonly RuntimeRow[]>;

  /** Also those who left or fell silent within the last day, by name, at most `limit`. */
  list(kind: RuntimeKind, limit: number): Promise<readonly RuntimeRow[]>;

  /**
   * A machine id (0 to 1023) that nobody else holds, for `machineLeaseMs`; the same one again for
   * a name that holds one. Those that have rested longest come first.
   * @throws Fault `unavailable` when all are held or at rest.
   */
  leaseMachineId(name: string): Promise<number>;

  /** False when the id is not this name's any more: it must mint no more ids with it. */
  renewMachineId(name: string, machineId: number): Promise<boolean>;

  /** Gives back whatever the name holds. */
  returnMachineId(name: string): Promise<void>;
}
