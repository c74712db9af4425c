// Messages between processes. The bus is a hint and never the truth: every message may be lost,
// doubled or late, and nothing but speed depends on it.

import type { CommandId, EventId, ExecutionId } from "#core/model/ids";

export interface BusMessage {
  readonly subject: string;
  readonly data: string;
}

export interface Subscription {
  close(): void;
}

/** Where work is to be found: nothing of the work itself, and no secret. */
export interface CommandPointer {
  readonly execution_id: ExecutionId;
  /** The event that made this attempt. */
  readonly event_id: EventId;
  readonly command_id: CommandId;
  readonly attempt: number;
  readonly step: string;
  /** Where the control plane that knows of it can be reached, if that is known. */
  readonly server_url?: string;
}

/** Somebody of a pool who can use hints now and then. */
export interface HintTaker {
  /** How many hints could be of use now: at 0 none is fetched, and `wake` tells of more. */
  room(): number;
  /** False when it comes at a bad time: another taker of the pool gets it. Must not throw. */
  take(pointer: CommandPointer): boolean;
}

export interface HintSubscription extends Subscription {
  /** There may be room again; cheap enough to be called whenever anything changed. */
  wake(): void;
}

export interface BusStatus {
  readonly state: "connected" | "connecting" | "closed";
  /** What stands in the way, without addresses that carry passwords. */
  readonly reason?: string;
  /** Which server it is, where there is one. */
  readonly server?: string;
  /** Messages that were given up before anybody could have heard them. */
  readonly messagesLost: number;
  /** Hints of which it is not known that they were stored. */
  readonly hintsLost: number;
}

export interface Bus {
  /** Hands the message on without waiting; never throws for a bus that is down. */
  publish(subject: string, data: string): void;
  /**
   * Messages whose subject matches: tokens separated by dots, `*` one token, `>` the rest.
   * With a `group`, each message goes to one of its subscribers. A handler must not throw.
   */
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options?: { readonly group?: string },
  ): Subscription;
  /**
   * Says that a command of the pool waits for a claim. Kept for a while when nobody has room
   * for it. Like `publish` it neither waits nor throws.
   */
  hint(pool: string, pointer: CommandPointer): void;
  /** Each hint of the pool goes to one of its takers, who has it when `take` says so. */
  hints(pool: string, taker: HintTaker): HintSubscription;
  status(): BusStatus;
  close(): Promise<void>;
}
