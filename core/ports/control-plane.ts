// What a worker needs of the control plane. One implementation speaks HTTP over an injected
// fetch: embedded, that fetch is the control app itself.

import type { WorkerCommand } from "#core/model/command";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Outcome, ResultRef } from "#core/model/outcome";
import type { LeaseRef, RenewVerdict } from "./event-log.ts";

export interface ClaimWork {
  readonly worker: string;
  readonly pools: readonly string[];
  /** What the worker has, for commands that ask for it. */
  readonly labels?: readonly string[];
  /** Free slots: at most so many commands are wanted. */
  readonly want: number;
  /** The worker holds nothing, and asks nobody else meanwhile: it may be given a suspect. */
  readonly idle?: boolean;
}

/**
 * `accepted` and `duplicate`: it is recorded. `refused` (an older attempt) and `gone` (nothing
 * waits for it any more): discard it. `retry`: keep it and report it again later.
 */
export type SettleVerdict = "accepted" | "duplicate" | "refused" | "gone" | "retry";

export interface Settle extends ClaimWork {
  readonly outcomes: readonly Outcome[];
}

export interface Settled {
  /** One per outcome, in order. */
  readonly verdicts: readonly SettleVerdict[];
  /** The next commands, already leased to this worker; at most `want`. */
  readonly commands: readonly WorkerCommand[];
  /** Ask for nothing more until nothing is held, and then as an idle worker. */
  readonly quiesce?: boolean;
}

export interface StandbyAnswer {
  /** Leased to this worker; none when it has stood by long enough. */
  readonly commands: readonly WorkerCommand[];
  /** Milliseconds before it is worth asking again; at once without it. */
  readonly againMs?: number;
}

export interface CredentialRecord {
  readonly name: string;
  readonly type: string;
  readonly data: JsonObject;
}

/** A secret of a provider, asked for by a step. */
export interface WantedSecret {
  /** The name that it is read by afterwards. */
  readonly as: string;
  /** Which one, as the step says it. */
  readonly ask: JsonObject;
}

export interface ControlPlane {
  claim(work: ClaimWork, signal?: AbortSignal): Promise<readonly WorkerCommand[]>;
  /**
   * Waits for commands that are not there yet; `want` slots are kept free for them. With `want` 0
   * it ends the wait that there is, which is answered with what it has come to.
   */
  standby(work: ClaimWork, signal?: AbortSignal): Promise<StandbyAnswer>;
  settle(settle: Settle, signal?: AbortSignal): Promise<Settled>;
  /** `lost`: another attempt is open; `gone`: the execution was cancelled or has ended. */
  renew(worker: string, leases: readonly LeaseRef[]): Promise<readonly RenewVerdict[]>;
  release(worker: string, leases: readonly LeaseRef[]): Promise<void>;
  putResult(executionId: ExecutionId, name: string, value: Json): Promise<ResultRef>;
  /** @throws Fault `not_found` for a reference that nothing is stored under. */
  resolveResult(ref: string): Promise<Json>;
  /** Only for a command that this worker has leased. @throws Fault `not_found`, `forbidden`. */
  credential(worker: string, commandId: CommandId, alias: string): Promise<CredentialRecord>;
  /** An entry of the playbook's keychain, likewise. @throws Fault `not_found`, `forbidden`. */
  keychain(worker: string, commandId: CommandId, name: string): Promise<CredentialRecord>;
  /**
   * Has a secret read and kept for the rest of the execution under the name `as`, where an entry of
   * the keychain would be; likewise. Of the secret itself only the names of its fields come back.
   * @throws Fault `not_found`, `forbidden`, `invalid` for what can't be asked.
   */
  secret(worker: string, commandId: CommandId, wanted: WantedSecret): Promise<readonly string[]>;
  /**
   * The token by which a call that goes on elsewhere may tell of its end, likewise.
   * @throws Fault `forbidden`, `unavailable` where there is nothing to sign it with.
   */
  callbackToken(worker: string, commandId: CommandId): Promise<string>;
}
