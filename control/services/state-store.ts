// States of live executions: kept in a bounded cache, rebuilt from the log by the fold alone.
// A cached state may only justify an append; every no is confirmed by the head (DESIGN §5).

import { evolve } from "#core/engine/evolve";
import { type ExecutionState, initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { EventLog, StoredEvent } from "#core/ports/event-log";
import { BoundedCache } from "./bounded-cache.ts";

const pageEvents = 1_000;

export class StateStore {
  readonly #cache: BoundedCache<ExecutionId, ExecutionState>;

  constructor(
    readonly log: EventLog,
    statesMax: number,
  ) {
    this.#cache = new BoundedCache(statesMax);
  }

  /** The state as cached, or as the log has it; an execution nobody started has seq 0. */
  async load(id: ExecutionId): Promise<ExecutionState> {
    return this.#cache.get(id) ?? this.replay(id);
  }

  /** Rebuilds the state. @throws Fault `internal` for a log that doesn't replay: quarantined. */
  async replay(id: ExecutionId, upToSeq = Number.MAX_SAFE_INTEGER): Promise<ExecutionState> {
    const state = initialState(id, genesisDigest);
    for (;;) {
      const page = await this.#page(state);
      for (const { event, text, digest } of page) {
        if (event.seq > upToSeq) return state;
        await this.#fold(state, event, text.length);
        state.digest = digest;
      }
      if (page.length < pageEvents) return state;
    }
  }

  /** A text that can't be decoded is as bad as an event that can't be folded; a fault is not. */
  async #page(state: ExecutionState): Promise<readonly StoredEvent[]> {
    try {
      return await this.log.events(state.executionId, state.seq, pageEvents);
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      return this.#quarantine(state, `after event ${state.seq}`, thrown);
    }
  }

  async #fold(state: ExecutionState, event: Event, bytes: number): Promise<void> {
    try {
      evolve(state, event, bytes);
    } catch (thrown) {
      await this.#quarantine(state, `event ${event.seq}`, thrown);
    }
  }

  async #quarantine(state: ExecutionState, where: string, thrown: unknown): Promise<never> {
    const reason = `${where}: ${messageOf(thrown)}`;
    await this.log.quarantine(state.executionId, reason);
    throw new Fault("internal", `execution ${state.executionId} is quarantined: ${reason}`, {
      cause: thrown,
    });
  }

  /** Keeps the state after its events were stored; an ended execution needs no state. */
  keep(state: ExecutionState): void {
    if (state.status === "running") this.#cache.set(state.executionId, state);
    else this.#cache.delete(state.executionId);
  }

  drop(id: ExecutionId): void {
    this.#cache.delete(id);
  }

  /** Whether the state is what the log has, now. */
  async isCurrent(state: ExecutionState): Promise<boolean> {
    const head = await this.log.head(state.executionId);
    return (head?.seq ?? 0) === state.seq;
  }
}
