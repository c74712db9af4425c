// States of live executions: kept in a bounded cache, rebuilt from the log by the fold alone.
// A cached state may only justify an append; every no is confirmed by the head (DESIGN §5).

import { evolve } from "#core/engine/evolve";
import { type ExecutionState, initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { EventLog, StoredEvent } from "#core/ports/event-log";
import { BoundedCache } from "./bounded-cache.ts";
import type { Snapshots } from "./snapshots.ts";

const pageEvents = 1_000;

/** A page of the log can't be decoded. */
class UnreadableEvents extends Error {
  override readonly name = "UnreadableEvents";
}

export class StateStore {
  readonly #cache: BoundedCache<ExecutionId, ExecutionState>;

  constructor(
    readonly log: EventLog,
    statesMax: number,
    readonly snapshots: Snapshots,
  ) {
    this.#cache = new BoundedCache(statesMax);
  }

  /** The state as cached, or as the log has it; an execution nobody started has seq 0. */
  async load(id: ExecutionId): Promise<ExecutionState> {
    return this.#cache.get(id) ?? this.replay(id);
  }

  /** The state as cached, or that of an execution nobody started, which the append will confirm. */
  first(id: ExecutionId): ExecutionState {
    return this.#cache.get(id) ?? initialState(id, genesisDigest);
  }

  /** What `load` would give without asking the log, if it can. */
  cached(id: ExecutionId): ExecutionState | undefined {
    return this.#cache.get(id);
  }

  /**
   * Rebuilds the state, from a snapshot where the log is long.
   * @throws Fault `internal` for a log that doesn't replay: quarantined.
   */
  async replay(id: ExecutionId, upToSeq = Number.MAX_SAFE_INTEGER): Promise<ExecutionState> {
    const state = initialState(id, genesisDigest);
    try {
      const first = await this.#page(state);
      // Only a long log is worth the question whether there is a snapshot.
      const isLong = first.length === this.#pageEvents;
      const reached = isLong ? await this.#fromSnapshot(id, upToSeq) : undefined;
      return reached ?? (await this.#foldOn(state, upToSeq, first));
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      return this.#quarantine(state, thrown);
    }
  }

  /** What doesn't follow from a snapshot may follow from the log all the same: that one decides. */
  async #fromSnapshot(id: ExecutionId, upToSeq: number): Promise<ExecutionState | undefined> {
    const restored = await this.snapshots.restore(id, upToSeq);
    if (restored === undefined) return undefined;
    try {
      return await this.#foldOn(restored, upToSeq);
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      await this.snapshots.discard(id);
      return undefined;
    }
  }

  /** Folds what follows in the log; the state is worthless if that throws anything but a fault. */
  async #foldOn(
    state: ExecutionState,
    upToSeq: number,
    first?: readonly StoredEvent[],
  ): Promise<ExecutionState> {
    let page = first ?? (await this.#page(state));
    for (;;) {
      for (const { event, text, digest } of page) {
        if (event.seq > upToSeq) return state;
        evolve(state, event, text.length);
        state.digest = digest;
      }
      if (page.length < this.#pageEvents) return state;
      page = await this.#page(state);
    }
  }

  get #pageEvents(): number {
    return Math.min(pageEvents, this.snapshots.everyEvents);
  }

  /** A text that can't be decoded is as bad as an event that can't be folded; a fault is not. */
  async #page({ executionId: id, seq }: ExecutionState): Promise<readonly StoredEvent[]> {
    try {
      return await this.log.events(id, seq, this.#pageEvents);
    } catch (thrown) {
      throw thrown instanceof Fault ? thrown : new UnreadableEvents(messageOf(thrown));
    }
  }

  async #quarantine(state: ExecutionState, thrown: unknown): Promise<never> {
    const unread = thrown instanceof UnreadableEvents;
    const where = unread ? `after event ${state.seq}` : `event ${state.seq + 1}`;
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
