// The heart of the control plane: every change of an execution goes through its desk, where facts
// queue up, are folded and decided upon together, and are stored in one append.
//
// X1  An execution has one append in flight, in this process; the head check guards against others.
// X2  After an append whose outcome is unknown, the state is dropped and rebuilt, never patched.
// X3  A no is answered only from a state that the head confirms in that very request.

import { ReplayError } from "#core/engine/replay-error";
import type { ExecutionState } from "#core/engine/state";
import type { EventBody } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { appendRetriesMax, snapshotEvents as snapshotEventsDefault } from "#core/model/limits";
import type { Plan } from "#core/playbook/plan";
import { commandsCancelled, executionUpdate } from "#core/wire/subjects";
import { Committer } from "./committer.ts";
import type { ControlContext } from "./context.ts";
import { hintsOf } from "./hints.ts";
import { snapshotsOf } from "./snapshots.ts";
import { Standby } from "./standby.ts";
import { StateStore } from "./state-store.ts";
import { type HandOver, TransitionBuilder } from "./transition.ts";
import { WaitingLines } from "./waiting-lines.ts";

/** What a request makes of the state: facts to record, or an answer that changes nothing. */
export interface Ruling<Answer> {
  readonly answer: Answer;
  /** An empty list lets the engine go on; without one nothing happens. */
  readonly events?: readonly EventBody[];
  /** Further work on the transition, such as a row for the next attempt. */
  readonly extend?: (builder: TransitionBuilder) => void;
}

export interface Request<Answer> {
  rule(state: ExecutionState): Ruling<Answer>;
  readonly handOver?: HandOver;
  /**
   * What to record instead when the store refuses what the request would record: without its
   * payload, so that one bad outcome can't keep an execution from going on.
   */
  readonly onRejected?: (reason: string) => Request<Answer>["rule"];
  /** For the first event of an execution, whose plan the state doesn't name yet. */
  readonly plan?: Plan;
  /** Most probably nothing is stored of the execution yet: it isn't asked for before the append. */
  readonly isFirst?: boolean;
}

interface Queued {
  readonly request: Request<unknown>;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

const retryDelayMs = 20;

/** The store said no to what it was given, and will say so again. */
class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";

  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

export interface ExecutionsOptions {
  /** Called after an append that left work for another execution. */
  readonly onCross: () => void;
  /** States that are kept in memory. */
  readonly statesMax: number;
  /** Events of an execution after which its state is written down; the default otherwise. */
  readonly snapshotEvents?: number;
  /** Whether this replica is the one that keeps an execution's state; it keeps all without it. */
  readonly owns?: (id: ExecutionId) => boolean;
}

export class Executions {
  readonly states: StateStore;
  /** What is known here of who waits in which pool. */
  readonly lines: WaitingLines;
  /** Workers that wait here for commands. */
  readonly standby: Standby;
  readonly #committer: Committer;
  readonly #desks = new Map<ExecutionId, Queued[]>();
  readonly #whenIdle: (() => void)[] = [];
  readonly #onCross: () => void;
  readonly #owns: (id: ExecutionId) => boolean;

  constructor(
    readonly context: ControlContext,
    { onCross, statesMax, snapshotEvents = snapshotEventsDefault, owns }: ExecutionsOptions,
  ) {
    this.states = new StateStore(context.log, statesMax, snapshotsOf(context, snapshotEvents));
    this.#committer = new Committer(context.log);
    this.lines = new WaitingLines(() => context.clock.nowMs());
    this.standby = new Standby(context.clock, this.lines);
    this.#onCross = onCross;
    this.#owns = owns ?? (() => true);
  }

  /**
   * Puts a request to an execution and resolves with its answer once that is stored.
   * @throws Fault `unavailable` when the store stays away, `internal` for a quarantined log.
   */
  submit<Answer>(id: ExecutionId, request: Request<Answer>): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const queued: Queued = { request, resolve: resolve as Queued["resolve"], reject };
      const desk = this.#desks.get(id);
      if (desk !== undefined) {
        desk.push(queued);
        return;
      }
      this.#desks.set(id, [queued]);
      void this.#work(id);
    });
  }

  /** Serves the desk until its queue is empty: X1. */
  async #work(id: ExecutionId): Promise<void> {
    // What arrives in the same turn of the event loop is served in one transition.
    await Promise.resolve();
    for (;;) {
      const desk = this.#desks.get(id);
      if (desk === undefined || desk.length === 0) break;
      const batch = desk.splice(0);
      try {
        await this.#serve(id, batch);
      } catch (thrown) {
        this.states.drop(id);
        for (const queued of batch) queued.reject(thrown);
      }
    }
    this.#desks.delete(id);
    // Its owner goes on appending to it: what is known here grows old.
    if (!this.#owns(id)) this.states.drop(id);
    if (this.#desks.size > 0) return;
    for (const tell of this.#whenIdle.splice(0)) tell();
  }

  /** Resolves once no desk has anything to do, what the engine goes on with by itself included. */
  async idle(): Promise<void> {
    while (this.#desks.size > 0) {
      await new Promise<void>((resolve) => void this.#whenIdle.push(resolve));
    }
  }

  async #serve(id: ExecutionId, batch: readonly Queued[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const served = await this.#tryServe(id, batch, attempt);
      if (served) return;
      this.states.drop(id);
      if (attempt >= appendRetriesMax) {
        throw new Fault("unavailable", `execution ${id} could not be stored, try again later`);
      }
    }
  }

  /** The store refused these for good: each is tried alone, and then without its payload. */
  async #serveRejected(id: ExecutionId, batch: readonly Queued[], fault: Fault): Promise<void> {
    const [only] = batch;
    if (batch.length > 1 || only === undefined) {
      for (const queued of batch) {
        await this.#serve(id, [queued]).catch((thrown: unknown) => queued.reject(thrown));
      }
      return;
    }
    const rule = only.request.onRejected?.(fault.message);
    if (rule === undefined) throw fault;
    await this.#serve(id, [{ ...only, request: { rule } }]);
  }

  /** One try; false to reload and try again. */
  async #tryServe(id: ExecutionId, batch: readonly Queued[], attempt: number): Promise<boolean> {
    try {
      return await this.#transact(id, batch, attempt);
    } catch (thrown) {
      if (thrown instanceof StoreRefusal) {
        this.states.drop(id);
        await this.#serveRejected(id, batch, thrown.fault);
        return true;
      }
      const unknown = thrown instanceof Fault && thrown.code === "unavailable";
      // A cached state that doesn't take an event may be stale; a rebuilt one is not.
      const stale = thrown instanceof ReplayError && attempt === 0;
      if (!unknown && !stale) throw thrown;
      if (attempt >= appendRetriesMax) throw thrown;
      await this.context.clock.sleep(retryDelayMs * 2 ** attempt);
      return false;
    }
  }

  async #transact(id: ExecutionId, batch: readonly Queued[], attempt: number): Promise<boolean> {
    const isFirst = attempt === 0 && batch[0]?.request.isFirst === true;
    const state = isFirst ? this.states.first(id) : await this.states.load(id);
    const plan = await this.#planFor(state, batch);
    const builder =
      plan === undefined
        ? undefined
        : new TransitionBuilder(this.context, plan, state, this.standby);
    const answers = await this.#rule(state, builder, batch);
    if (builder !== undefined && builder.events.length > 0) {
      if (!(await this.#append(builder))) return false;
    } else if (!(await this.states.isCurrent(state))) return false; // X3
    batch.forEach((queued, index) => {
      queued.resolve(answers[index]);
    });
    if (builder?.more === true) this.#goOn(id);
    return true;
  }

  async #rule(
    state: ExecutionState,
    builder: TransitionBuilder | undefined,
    batch: readonly Queued[],
  ): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    try {
      for (const { request } of batch) {
        const ruling = request.rule(state);
        answers.push(ruling.answer);
        if (ruling.events === undefined || builder === undefined) continue;
        await builder.advance(ruling.events, request.handOver);
        ruling.extend?.(builder);
      }
    } catch (thrown) {
      builder?.takeBack();
      throw thrown;
    }
    return answers;
  }

  /** The row that the append left takes over when this process can't. */
  #goOn(id: ExecutionId): void {
    this.resume(id).catch((thrown: unknown) => {
      this.context.report(`execution ${id} could not go on: ${messageOf(thrown)}`);
    });
  }

  async #planFor(state: ExecutionState, batch: readonly Queued[]): Promise<Plan | undefined> {
    if (state.started !== undefined) {
      return this.context.plans.byCatalogId(state.started.catalogId);
    }
    return batch.find(({ request }) => request.plan !== undefined)?.request.plan;
  }

  async #append(builder: TransitionBuilder): Promise<boolean> {
    const { state } = builder;
    let accepted = false;
    try {
      await builder.storePuts();
      const verdict = await this.#committer.append(builder.toTransition());
      accepted = verdict !== "conflict";
      if (verdict === "withheld") builder.withhold();
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === "internal") throw new StoreRefusal(thrown);
      throw thrown;
    } finally {
      if (!accepted) builder.takeBack();
    }
    if (!accepted) return false;
    this.states.keep(state);
    this.states.snapshots.keep(state, state.seq - builder.events.length);
    builder.handOver();
    this.#publish(builder);
    return true;
  }

  /** Live messages and hints: nothing but speed depends on them. */
  #publish(builder: TransitionBuilder): void {
    const { bus } = this.context;
    const { executionId } = builder.state;
    for (const { event, text } of builder.events) {
      const name = event.type === "event.emitted" ? event.name : event.type;
      bus.publish(executionUpdate(executionId, name), text);
      if (event.type === "playbook.cancelled") bus.publish(commandsCancelled(executionId), text);
    }
    const waiting = builder.waiting();
    for (const { pool, suspect } of waiting) {
      this.lines.note(pool, suspect === true);
      if (suspect === true) this.standby.dismiss(pool);
    }
    for (const { pool, pointer } of hintsOf(waiting, builder.events, this.context.serverUrl)) {
      bus.hint(pool, pointer);
    }
    if (builder.crossed) this.#onCross();
  }

  /** Lets the engine go on where its bound stopped it, or where a crash left it. */
  async resume(id: ExecutionId): Promise<void> {
    await this.submit(id, { rule: () => ({ answer: undefined, events: [] }) });
  }

  /** What holds of an execution as stored, never of an append under way. */
  read<Answer>(id: ExecutionId, look: (state: ExecutionState) => Answer): Promise<Answer> {
    return this.submit(id, { rule: (state) => ({ answer: look(state) }) });
  }
}
