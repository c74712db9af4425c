// Runs the engine by itself: given a playbook and what its commands come to, the log that follows.

import { decide } from "#core/engine/decide";
import type { CatalogFact, Facts } from "#core/engine/facts";
import type { IssuedCommand } from "#core/engine/journal";
import { type ExecutionState, initialState } from "#core/engine/state";
import { genesisDigest } from "#core/model/codec";
import type { EventBody, LoggedEvent } from "#core/model/event";
import { type EventId, type ExecutionId, eventId, executionId } from "#core/model/ids";
import type { Json, JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { parseEventReference } from "#core/model/references";
import { compilePlan } from "#core/playbook/compile";
import type { PlaybookDocument } from "#core/playbook/document";
import { parsePlaybook } from "#core/playbook/parse";
import type { Plan } from "#core/playbook/plan";

export const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");

export function planOf(source: string | PlaybookDocument): Plan {
  if (typeof source !== "string") return compilePlan(source, "test");
  const parsed = parsePlaybook(source);
  if (!parsed.ok) {
    throw new Error(parsed.problems.map((p) => `${p.line}:${p.column}: ${p.message}`).join("\n"));
  }
  return compilePlan(parsed.document, sha256(source));
}

export const testExecution: ExecutionId = executionId("100000000000000001");

/** What a command comes to: data, an envelope, or `undefined` to leave it open. */
export type Answer = { readonly output: Output; readonly set?: JsonObject } | undefined;
export type Answers = (command: IssuedCommand) => Answer;

export class EngineRun {
  readonly state: ExecutionState;
  readonly log: LoggedEvent[] = [];
  readonly open: IssuedCommand[] = [];
  readonly stored = new Map<string, Json>();
  readonly catalog = new Map<string, CatalogFact | null>();
  nowMs = 1_750_000_000_000;
  #ids = 0n;

  constructor(
    readonly plan: Plan,
    readonly id: ExecutionId = testExecution,
  ) {
    this.state = initialState(id, genesisDigest);
  }

  facts(): Facts {
    return {
      nowMs: this.nowMs,
      sha256,
      eventId: (): EventId => eventId(String(200_000_000_000_000_000n + ++this.#ids)),
      childId: (): ExecutionId => executionId(String(300_000_000_000_000_000n + ++this.#ids)),
      results: this.stored,
      catalog: this.catalog,
    };
  }

  /** Hands facts to the engine and takes in what it decides, until it needs nothing more. */
  tell(...bodies: readonly EventBody[]): this {
    let incoming = bodies;
    for (;;) {
      const decision = decide(this.plan, this.state, this.facts(), incoming);
      incoming = [];
      this.log.push(...decision.events);
      this.open.push(...decision.issued);
      for (const put of decision.puts) this.stored.set(put.ref.ref, put.value);
      for (const need of decision.needs) {
        if (need.kind === "catalog" && !this.catalog.has(need.key))
          this.catalog.set(need.key, null);
        else if (need.kind === "result") this.#fetch(need.ref);
      }
      if (decision.needs.length === 0 && !decision.more) return this;
    }
  }

  #fetch(ref: string): void {
    const place = parseEventReference(ref);
    const event = place === undefined ? undefined : this.log[place.seq - 1]?.event;
    if (event === undefined || !("output" in event)) throw new Error(`nothing is under ${ref}`);
    this.stored.set(ref, event.output.data ?? null);
  }

  start(workload: JsonObject = {}): this {
    return this.tell({
      type: "playbook.started",
      catalog_id: "400000000000000001" as never,
      path: "test",
      version: 1,
      plan_digest: this.plan.digest,
      engine_version: "test",
      workload: { ...this.plan.workload, ...workload },
    });
  }

  settle(command: IssuedCommand, answer: NonNullable<Answer>): this {
    this.open.splice(this.open.indexOf(command), 1);
    return this.tell({
      type: answer.output.status === "error" ? "call.error" : "call.done",
      command_id: command.event.command_id,
      attempt: 1,
      output: answer.output,
      duration_ms: 1,
      ...(answer.set === undefined ? {} : { set: answer.set }),
    });
  }

  /** Answers what waits under the key, or will. */
  answer(key: string, output: Output): this {
    const id = this.state.waits.get(key);
    const about = id === undefined ? {} : { command_id: id };
    return this.tell({ type: "wait.done", key, ...about, output });
  }

  /** Settles open commands, oldest first, until none is left that the answers settle. */
  run(answers: Answers): this {
    for (let index = 0; index < this.open.length; ) {
      const command = this.open[index];
      const answer = command === undefined ? undefined : answers(command);
      if (command === undefined || answer === undefined) index++;
      else {
        this.settle(command, answer);
        index = 0;
      }
    }
    return this;
  }

  /** `type` of every event, with its step where it has one. */
  story(): string[] {
    return this.log.map(({ event }) =>
      "step" in event ? `${event.type} ${event.step}` : event.type,
    );
  }
}

export const ok = (data: Json = null): NonNullable<Answer> => ({ output: { status: "ok", data } });

export const failed = (message = "boom", kind = "test"): NonNullable<Answer> => ({
  output: { status: "error", error: { kind, message, retryable: false } },
});
