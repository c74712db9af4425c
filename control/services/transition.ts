// One transition in the making: facts are folded and decided upon, one after the other, and all
// that follows becomes one append.

import { type CommandPayload, workerCommand } from "#core/engine/assemble";
import { decide } from "#core/engine/decide";
import type { Put } from "#core/engine/externalize";
import { type CatalogFact, catalogQuery, type Facts, type Need } from "#core/engine/facts";
import type { IssuedCommand } from "#core/engine/journal";
import type { ExecutionState } from "#core/engine/state";
import type { WorkerCommand } from "#core/model/command";
import { plainTerms } from "#core/model/dispatch";
import type { EventBody, LoggedEvent } from "#core/model/event";
import { invariant } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { Json } from "#core/model/json";
import { acceptMs, decideEventsMax } from "#core/model/limits";
import { parseEventReference } from "#core/model/references";
import type { Plan } from "#core/playbook/plan";
import type { NewDeadLetter } from "#core/ports/dead-letters";
import type { NewCommandRow, Transition } from "#core/ports/event-log";
import type { ControlContext } from "./context.ts";
import { deadLettersOf } from "./dead-letters.ts";
import { dataOf, fetchResults, storePut } from "./results.ts";
import { crossRows, executionRow, resumeRow, tenantOf, toolRow } from "./rows.ts";
import { waitRows } from "./wait-rows.ts";

/** A worker's free slots: the next commands may be handed to it in the same breath. */
export interface HandOver {
  readonly worker: string;
  readonly pools: readonly string[];
  readonly labels: readonly string[];
  /** Whether the execution's next command may skip the line; asked once for each. */
  readonly mayStay: (executionId: ExecutionId, pool: string) => boolean;
  want: number;
  readonly commands: WorkerCommand[];
  /** The append is over: nothing more is put into `commands`. */
  readonly done?: () => void;
}

/** Who can be given commands besides whoever asked. */
export interface Takers {
  takerOf(row: NewCommandRow): HandOver | undefined;
}

/** Everything that `admit` asks of a claim holds for a hand-over too; rules are asked on append. */
export function fits(
  to: HandOver,
  { executionId, pool, terms = plainTerms }: NewCommandRow,
): boolean {
  return (
    to.want > 0 &&
    to.pools.includes(pool) &&
    terms.labels.every((label) => to.labels.includes(label)) &&
    to.mayStay(executionId, pool)
  );
}

interface Handed {
  readonly to: HandOver;
  readonly command: WorkerCommand;
}

export class TransitionBuilder {
  readonly events: LoggedEvent[] = [];
  readonly #puts: Put[] = [];
  readonly #issued: NewCommandRow[] = [];
  readonly #settled = new Set<CommandId>();
  readonly #handed: Handed[] = [];
  /** Those of the takers that are this transition's until its append is over. */
  readonly #taken = new Set<HandOver>();
  readonly #deadLetters: NewDeadLetter[] = [];
  readonly #expectedHead: number;
  readonly #takers: Takers;
  readonly #results = new Map<string, Json>();
  readonly #catalog = new Map<string, CatalogFact | null>();
  #keepsChildren = false;
  #crossed = false;
  /** The engine stopped at its bound: after the append it goes on. */
  more = false;

  constructor(
    readonly context: ControlContext,
    readonly plan: Plan,
    readonly state: ExecutionState,
    takers: Takers,
  ) {
    this.#takers = takers;
    this.#expectedHead = state.seq;
  }

  /** Folds the facts and decides until nothing more follows or the bound is reached. */
  async advance(incoming: readonly EventBody[], handOver: HandOver | undefined): Promise<void> {
    let bodies = incoming;
    for (;;) {
      const open = openCommands(this.state, bodies);
      this.#deadLetters.push(...deadLettersOf(this.state, bodies));
      const decision = decide(this.plan, this.state, this.#facts(), bodies);
      for (const id of open) this.#settled.add(id);
      this.#take(decision.events, decision.puts);
      for (const command of decision.issued) this.#issue(command, handOver);
      this.more = decision.more;
      if (decision.needs.length === 0) return;
      await this.#fetch(decision.needs);
      bodies = [];
    }
  }

  #take(events: readonly LoggedEvent[], puts: readonly Put[]): void {
    this.events.push(...events);
    this.#puts.push(...puts);
    // The turn may need them again before they are stored.
    for (const put of puts) this.#results.set(put.ref.ref, put.value);
    for (const { event } of events) {
      if (event.type === "call.done" || event.type === "call.error") {
        this.#settled.add(event.command_id);
      }
    }
  }

  #issue(command: IssuedCommand, handOver: HandOver | undefined): void {
    if (!this.state.commands.has(command.event.command_id)) return;
    const row = toolRow(this.state, command, 1);
    const to = this.#takerOf(row, handOver);
    if (to === undefined) {
      this.#issued.push(row);
      return;
    }
    this.#issued.push({ ...row, lease: { worker: to.worker, leaseMs: acceptMs } });
    to.want--;
    this.#handed.push({ to, command: this.#assemble(row) });
  }

  #takerOf(row: NewCommandRow, handOver: HandOver | undefined): HandOver | undefined {
    if (handOver !== undefined && fits(handOver, row)) return handOver;
    for (const taken of this.#taken) if (fits(taken, row)) return taken;
    const taker = this.#takers.takerOf(row);
    if (taker !== undefined) this.#taken.add(taker);
    return taker;
  }

  #assemble(row: NewCommandRow): WorkerCommand {
    const payload = row.payload as unknown as CommandPayload;
    const { commandId, executionId, attempt, pool } = row;
    const leased = { commandId, executionId, attempt, pool, leaseMs: acceptMs };
    const command = workerCommand(this.plan, payload, leased);
    invariant(command !== undefined, `plan ${this.plan.digest} has no step ${payload.step}`);
    return command;
  }

  /** A row that replaces the one of its command: the next attempt. */
  reissue(row: NewCommandRow): void {
    this.#issued.push(row);
  }

  /** Stores what the events refer to; must be done before they are appended. */
  async storePuts(): Promise<void> {
    for (const put of this.#puts) await storePut(this.context, put);
  }

  toTransition(): Transition {
    const events = this.events.map(({ event }) => event);
    const cross = crossRows(this.state, events).filter(
      ({ kind }) => kind !== "child.cancel" || !this.#keepsChildren,
    );
    this.#crossed = cross.length > 0;
    const resume = resumeRow(this.state);
    // Only an execution with so many events can have been stopped at the bound before.
    const wasStopped = this.#expectedHead >= decideEventsMax;
    return {
      row: executionRow(this.state),
      expectedHead: this.#expectedHead,
      events: this.events,
      settled: [...this.#settled, ...(wasStopped && !this.more ? [resume.commandId] : [])],
      issued: [
        ...this.#issued.filter((row) => !this.#settled.has(row.commandId)),
        ...waitRows(this.state, events),
        ...cross,
        ...(this.more ? [resume] : []),
      ],
      ...(this.#deadLetters.length === 0 ? {} : { deadLetters: this.#deadLetters }),
    };
  }

  /** After the append: what was promised to workers is theirs, unless it was closed since. */
  handOver(): void {
    for (const { to, command } of this.#handed) {
      if (this.#settled.has(command.command_id)) to.want++;
      else to.commands.push(command);
    }
    this.#letGo();
  }

  /** The append did not hand anything over: the slots are free again, the rows wait. */
  withhold(): void {
    this.takeBack();
    for (const [index, { lease: _, ...row }] of this.#issued.entries()) this.#issued[index] = row;
  }

  /** The append did not happen: the slots are free again. */
  takeBack(): void {
    for (const { to } of this.#handed.splice(0)) to.want++;
    this.#letGo();
  }

  #letGo(): void {
    for (const taken of this.#taken) taken.done?.();
    this.#taken.clear();
  }

  /** Leaves the children of a cancelled execution alone. */
  keepChildren(): void {
    this.#keepsChildren = true;
  }

  /** The transition leaves work for another execution. */
  get crossed(): boolean {
    return this.#crossed;
  }

  /** Rows of tools that wait for a claim. */
  waiting(): readonly NewCommandRow[] {
    return this.#issued.filter(
      ({ lease, kind, commandId }) =>
        lease === undefined && kind === "tool" && !this.#settled.has(commandId),
    );
  }

  #facts(): Facts {
    const { clock, ids, sha256 } = this.context;
    return {
      nowMs: clock.nowMs(),
      sha256,
      eventId: (after) => ids.eventId(after),
      childId: (): ExecutionId => ids.executionId(),
      results: this.#results,
      catalog: this.#catalog,
    };
  }

  async #fetch(needs: readonly Need[]): Promise<void> {
    const refs = needs.flatMap((need) => (need.kind === "result" ? [need.ref] : []));
    const stored: string[] = [];
    for (const ref of refs) {
      const value = this.#unstored(ref);
      if (value === undefined) stored.push(ref);
      else this.#results.set(ref, value);
    }
    for (const [ref, value] of await fetchResults(this.context, stored)) {
      this.#results.set(ref, value);
    }
    for (const need of needs) {
      if (need.kind === "catalog") this.#catalog.set(need.key, await this.#lookUp(need.key));
    }
  }

  /** A value that stands in an event of this very transition: the log doesn't have it yet. */
  #unstored(ref: string): Json | undefined {
    const place = parseEventReference(ref);
    if (place?.executionId !== this.state.executionId) return undefined;
    const logged = this.events[place.seq - this.#expectedHead - 1];
    return logged === undefined ? undefined : dataOf(logged.event);
  }

  async #lookUp(key: string): Promise<CatalogFact | null> {
    const { catalogId, path, version } = catalogQuery(key);
    const { catalog } = this.context;
    const tenant = tenantOf(this.state);
    const entry =
      catalogId !== undefined
        ? await catalog.byId(catalogId as Parameters<typeof catalog.byId>[0])
        : await catalog.byPath(tenant, path ?? "", version);
    // What another tenant has is told from what isn't there by nothing.
    if (entry === undefined || entry.tenant !== tenant) return null;
    // What was put away starts nothing new.
    if (entry.archivedAtMs !== undefined) return null;
    return { catalogId: entry.catalogId, path: entry.path, version: entry.version };
  }
}

/** Commands that a terminal fact closes: their rows go with it. */
function openCommands(state: ExecutionState, bodies: readonly EventBody[]): readonly CommandId[] {
  const ends = bodies.some((body) => body.type === "playbook.cancelled");
  return ends ? [...state.commands.keys()] : [];
}
