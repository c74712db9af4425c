// One reading of an execution's log from its first event on: checked as it goes, in bounded memory,
// with what its open commands need to be put together again.

import { type LogCheck, logCheck } from "#core/engine/verify";
import type { Event } from "#core/model/event";
import { Fault, messageOf } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { StoredEvent } from "#core/ports/event-log";
import type { ControlContext } from "./context.ts";

const pageEvents = 500;

/** Told of every event that the check folded, page by page, before the next page is read. */
export type PageReader = (events: readonly Event[]) => Promise<void>;

export class LogPass {
  readonly check: LogCheck;
  /** Where open commands yielded last: the numbers of those events. */
  readonly yields = new Map<CommandId, number>();
  /** What kept the log from being read on; nothing follows it. */
  unreadable: string | undefined;

  constructor(
    readonly context: Pick<ControlContext, "log" | "sha256">,
    readonly id: ExecutionId,
  ) {
    this.check = logCheck(id, context.sha256);
  }

  get problems(): readonly string[] {
    const { problems } = this.check;
    return this.unreadable === undefined ? problems : [...problems, this.unreadable];
  }

  get stopped(): boolean {
    return this.check.stopped || this.unreadable !== undefined;
  }

  /** Reads on to this event, or to where the log ends or can't be read. */
  async readTo(seq: number, read?: PageReader): Promise<void> {
    while (!this.stopped && this.check.events < seq) {
      const limit = Math.min(pageEvents, seq - this.check.events);
      const page = await this.#page(limit);
      const events = page.flatMap((line) => this.check.add(line) ?? []);
      for (const event of events) this.#note(event);
      if (events.length > 0) await read?.(events);
      if (page.length < limit) return;
    }
  }

  async #page(limit: number): Promise<readonly StoredEvent[]> {
    try {
      return await this.context.log.events(this.id, this.check.events, limit);
    } catch (thrown) {
      if (thrown instanceof Fault) throw thrown;
      this.unreadable = `after event ${this.check.events}: ${messageOf(thrown)}`;
      return [];
    }
  }

  #note(event: Event): void {
    if (event.type === "command.yielded") this.yields.set(event.command_id, event.seq);
    else if (event.type === "call.done" || event.type === "call.error") {
      this.yields.delete(event.command_id);
    }
  }
}
