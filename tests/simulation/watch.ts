// The rules that hold at every moment, each stated where something could break it: when an event
// is stored, when a message leaves, when an answer is given, when a state is kept.

import type { Executions } from "#control/services/executions";
import type { ExecutionState } from "#core/engine/state";
import type { Event } from "#core/model/event";
import { type ExecutionId, executionId, isSnowflake } from "#core/model/ids";
import type { Transition } from "#core/ports/event-log";
import type { Exchange } from "./network.ts";
import type { Process } from "./process.ts";
import { type StoreRecord, Violation } from "./record.ts";
import type { Timeline } from "./timeline.ts";

export interface Watch {
  onEvent(event: Event, state: ExecutionState): void;
  onPublish(subject: string, data: string): void;
  onAppended(transitions: readonly Transition[], verdicts: unknown): void;
  onServed(exchange: Exchange): void;
  onHeard(exchange: Exchange): void;
  /** The states that a replica would act on are what the log comes to. */
  compareStates(executions: Executions, who: string): void;
  /** Attempts that were ended by a lease that ran out. */
  readonly expired: ReadonlySet<string>;
  /** Whether this attempt was given to a worker to run alone. */
  isAlone(commandId: string, attempt: number): boolean;
  /** Executions of which a command failed by that. */
  readonly poisoned: ReadonlySet<ExecutionId>;
}

export interface WatchOptions {
  readonly time: Timeline;
  readonly record: () => StoreRecord;
  readonly fail: (violation: Violation) => void;
}

interface Delivery {
  readonly to: Process;
  readonly atMs: number;
}

interface Outcomes {
  readonly outcomes: readonly {
    readonly command_id: string;
    readonly attempt: number;
    readonly yielded?: unknown;
    readonly claimed?: unknown;
    readonly parked?: unknown;
  }[];
}

interface Handed {
  readonly verdicts?: readonly string[];
  readonly commands?: readonly {
    readonly command_id: string;
    readonly attempt: number;
    readonly alone?: boolean;
  }[];
}

const key = (commandId: string, attempt: number): string => `${attempt} ${commandId}`;

export function watch({ time, record, fail }: WatchOptions): Watch {
  const deliveries = new Map<string, Delivery[]>();
  const alone = new Set<string>();
  const expired = new Set<string>();
  const poisoned = new Set<ExecutionId>();

  const broken = (rule: string, message: string): void => fail(new Violation(rule, message));

  /** A lease may run out only under somebody who never had the command, or was in trouble since. */
  const burnt = (commandId: string, attempt: number): void => {
    expired.add(commandId);
    const sound = (deliveries.get(key(commandId, attempt)) ?? []).find(
      ({ to, atMs }) => !to.troubledSince(atMs),
    );
    if (sound === undefined) return;
    const { name } = sound.to;
    broken(
      "burnt attempt",
      `attempt ${attempt} of ${commandId} was lost under ${name}, who is well`,
    );
  };

  /** Only who held the attempt can have settled it. */
  const settledBy = (commandId: string, attempt: number, worker: string | undefined): void => {
    if (worker === undefined || worker === "control") return;
    const holders = record().holders(commandId, attempt);
    const machine = machineOf(worker);
    if ([...holders].some((holder) => machineOf(holder) === machine)) return;
    const names = [...holders].join(", ");
    broken(
      "fence",
      `attempt ${attempt} of ${commandId}, held by ${names}, was settled by ${worker}`,
    );
  };

  const served = (outcomes: Outcomes["outcomes"], { verdicts = [] }: Handed): void => {
    for (const [index, outcome] of outcomes.entries()) {
      const { command_id: id, attempt } = outcome;
      const state = stateOf(record(), id);
      const verdict = verdicts[index];
      if (verdict === "accepted" || verdict === "duplicate") {
        const events = record().texts(executionIdOf(id));
        const type = recordedAs(outcome);
        const isThere = events.some(
          (text) =>
            text.includes(type) &&
            text.includes(`"${id}"`) &&
            text.includes(`"attempt":${attempt},`),
        );
        if (!isThere) broken("acknowledged outcome", `${verdict} ${id} of attempt ${attempt}`);
      } else if (verdict !== "retry" && outcome.claimed === undefined) {
        // Rows are refused as well where others stand for the frame.
        const open = [...(state?.commands.values() ?? [])].find(
          ({ commandId }) => commandId === id,
        );
        if (open?.attempt === attempt && open.waiting !== true && state?.status === "running") {
          broken("negative answer", `${verdict} ${id}, whose attempt ${attempt} is open`);
        }
      }
    }
  };

  return {
    expired,
    poisoned,
    isAlone: (commandId, attempt) => alone.has(key(commandId, attempt)),
    onEvent: (event, state) => {
      if ("attempt" in event) {
        time.note("log", `${event.type} ${event.command_id} of attempt ${event.attempt}`);
      }
      if (event.type === "command.reissued") {
        const { reason, command_id: id, attempt } = event;
        if (reason === "lease_expired" || reason === "worker_died") burnt(id, attempt - 1);
      }
      if (event.type !== "call.done" && event.type !== "call.error") return;
      if (event.output.error?.kind === "lease_expired") {
        poisoned.add(event.execution_id);
        burnt(event.command_id, event.attempt);
      } else settledBy(event.command_id, event.attempt, event.worker);
      if (state.commands.has(event.command_id)) broken("outcome", `${event.command_id} stays open`);
    },
    onPublish: (subject, data) => {
      const id = /^playbooks\.executions\.(\d+)\.(?!log)/.exec(subject)?.[1];
      if (id === undefined) return;
      const { seq } = JSON.parse(data) as { readonly seq: number };
      if (record().texts(executionId(id))[seq - 1] === data) return;
      broken("publish before commit", `${subject} with event ${seq}, which is not in the log`);
    },
    onAppended: (transitions, verdicts) => {
      for (const [index, { row, events }] of transitions.entries()) {
        if (!Array.isArray(verdicts) || verdicts[index] === "conflict") continue;
        const texts = record().texts(row.executionId);
        const lost = events.find(({ event, text }) => texts[event.seq - 1] !== text);
        if (lost === undefined) continue;
        broken(
          "acknowledged append",
          `event ${lost.event.seq} of ${row.executionId} is not in the log`,
        );
      }
    },
    onServed: ({ path, status, requestText, responseText }) => {
      if (path !== "/api/commands/settle" || status !== 200) return;
      // Both texts are of the contract, which the server has checked.
      served((JSON.parse(requestText) as Outcomes).outcomes, JSON.parse(responseText) as Handed);
    },
    onHeard: ({ path, status, responseText, from }) => {
      const hands = path === "/api/commands/settle" || path === "/api/commands/claim";
      if (!hands || status !== 200) return;
      const { commands = [] } = JSON.parse(responseText) as Handed;
      for (const { command_id: id, attempt, alone: isAlone } of commands) {
        if (isAlone === true) alone.add(key(id, attempt));
        const known = deliveries.get(key(id, attempt)) ?? [];
        deliveries.set(key(id, attempt), [...known, { to: from, atMs: time.nowMs() }]);
        time.note(from.name, `is given ${id} of attempt ${attempt}`);
      }
    },
    compareStates: (executions, who) => {
      for (const [id, state] of record().states) {
        const cached = executions.states.cached(id);
        if (cached === undefined || cached.seq !== state.seq) continue;
        if (cached.digest !== state.digest) continue;
        if (!Bun.deepEquals(cached, state))
          broken("cached state", `${id} at ${state.seq} on ${who}`);
      }
    },
  };
}

/** How the event begins that an outcome is recorded by. */
function recordedAs({ yielded, claimed, parked }: Outcomes["outcomes"][number]): string {
  if (yielded !== undefined) return '"command.yielded"';
  if (claimed !== undefined) return '"cursor.claimed"';
  return parked === undefined ? '"call.' : '"wait.parked"';
}

const machineOf = (worker: string): string => worker.split(".")[0] ?? worker;

function executionIdOf(commandId: string) {
  const id = commandId.slice(0, commandId.indexOf(":"));
  return executionId(isSnowflake(id) ? id : "1");
}

function stateOf(record: StoreRecord, commandId: string): ExecutionState | undefined {
  return record.states.get(executionIdOf(commandId));
}
