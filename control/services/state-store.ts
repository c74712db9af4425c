// States of live executions: kept in a bounded cache, rebuilt from the log by the fold alone.
// A cached state may only justify an append; every no is confirmed by the head (DESIGN §5).

import { evolve, ReplayError } from "#core/engine/evolve";
import { type ExecutionState, initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { stateCacheEntriesMax } from "#core/model/limits";
import type { EventLog } from "#core/ports/event-log";
import { BoundedCache } from "./bounded-cache.ts";

const pageEvents = 1_000;

export class StateStore {
  readonly #cache = new BoundedCache<ExecutionId, ExecutionState>(stateCacheEntriesMax);

  constructor(readonly log: EventLog) {}

  /** The state as cached, or as the log has it; an execution nobody started has seq 0. */
  async load(id: ExecutionId): Promise<ExecutionState> {
    return this.#cache.get(id) ?? this.replay(id);
  }

  /** Rebuilds the state. @throws Fault `internal` for a log that doesn't replay: quarantined. */
  async replay(id: ExecutionId, upToSeq = Number.MAX_SAFE_INTEGER): Promise<ExecutionState> {
    const state = initialState(id, genesisDigest);
    for (;;) {
      const page = await this.log.events(id, state.seq, pageEvents);
      for (const { event, text, digest } of page) {
        if (event.seq > upToSeq) return state;
        await this.#fold(state, event, text.length);
        state.digest = digest;
      }
      if (page.length < pageEvents) return state;
    }
  }

  async #fold(state: ExecutionState, event: Event, bytes: number): Promise<void> {
    try {
      evolve(state, event, bytes);
    } catch (thrown) {
      if (!(thrown instanceof ReplayError)) throw thrown;
      const reason = `event ${event.seq}: ${messageOf(thrown)}`;
      await this.log.quarantine(state.executionId, reason);
      throw new Fault("internal", `execution ${state.executionId} is quarantined: ${reason}`, {
        cause: thrown,
      });
    }
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
