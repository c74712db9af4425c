// Where decisions become events: each is numbered, recorded, and what the record holds is folded,
// so that a cached state and one rebuilt from the log are made of the same values.

import type { IterationBinding } from "#core/model/command";
import {
  type CommandIssued,
  type Event,
  type EventBody,
  eventSchemaVersion,
  type LoggedEvent,
} from "#core/model/event";
import type { Json } from "#core/model/json";
import { evolve } from "./evolve.ts";
import type { Put } from "./externalize.ts";
import type { Facts } from "./facts.ts";
import { encodedRecord, type Recorder } from "./record.ts";
import type { ExecutionState } from "./state.ts";

/** A command that workers can be given, with what its text can't say: the item of its loop. */
export interface IssuedCommand {
  readonly event: CommandIssued;
  readonly iteration?: IterationBinding;
}

export class Journal {
  readonly events: LoggedEvent[] = [];
  readonly puts: Put[] = [];
  readonly issued: IssuedCommand[] = [];
  /** Values stored by this very turn, so that it need not fetch them. */
  readonly #stored: Map<string, Json>;
  readonly #record: Recorder;
  readonly facts: Facts;

  constructor(
    readonly state: ExecutionState,
    facts: Facts,
  ) {
    this.#record = facts.record ?? encodedRecord;
    this.#stored = new Map(facts.results);
    this.facts = { ...facts, results: this.#stored };
  }

  /**
   * Appends one event to the turn and folds it.
   * @throws ReplayError if it can't stand there; the state is then worthless.
   */
  emit(body: EventBody): void {
    const { state, facts } = this;
    const envelope: Event = {
      execution_id: state.executionId,
      seq: state.seq + 1,
      event_id: facts.eventId(state.eventId),
      time: Math.max(facts.nowMs, state.timeMs),
      schema_version: eventSchemaVersion,
      ...body,
    };
    const { logged, puts } = this.#record(envelope, state.digest, facts.sha256);
    for (const put of puts) {
      this.puts.push(put);
      this.#stored.set(put.ref.ref, put.value);
    }
    evolve(state, logged.event, logged.text.length);
    state.digest = logged.digest;
    this.events.push(logged);
  }
}
