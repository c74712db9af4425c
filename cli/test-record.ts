// What the log of a tested house has taken in, in the order in which it did: who called what, and
// whose child is whose. It is also where the store can be made to refuse a result.

import {
  type ChildStarted,
  type CommandIssued,
  type Event,
  terminalStatus,
  type WaitParked,
} from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { CommandId, ExecutionId } from "#core/model/ids";
import type { EventLog, Transition } from "#core/ports/event-log";

/** What waits for an answer. */
export interface OpenWait {
  readonly executionId: ExecutionId;
  readonly step: string;
  readonly key: string;
  readonly parkedMs: number;
}

export interface TestRecord {
  /** The log to give to the house: it stores what the given one stores. */
  readonly log: EventLog;
  /** Of all executions, in one order. */
  readonly events: readonly Event[];
  /** The playbook that an execution runs. */
  pathOf(id: ExecutionId): string | undefined;
  /** What issued a command. */
  issued(id: CommandId): (CommandIssued & Pick<Event, "execution_id">) | undefined;
  /** What started a sub-playbook. */
  started(child: ExecutionId): (ChildStarted & Pick<Event, "execution_id">) | undefined;
  /** Oldest first. */
  waits(): readonly OpenWait[];
  /** The store refuses what this command gives, until something else is put in its place. */
  refuse(id: CommandId): void;
}

export function testRecord(log: EventLog): TestRecord {
  const events: Event[] = [];
  const paths = new Map<ExecutionId, string>();
  const issued = new Map<CommandId, CommandIssued & Event>();
  const started = new Map<ExecutionId, ChildStarted & Event>();
  const refused = new Set<CommandId>();
  const waits = new Map<string, OpenWait>();
  const nameOf = ({ execution_id: id }: Event, key: string): string => `${id} ${key}`;

  const note = (event: Event): void => {
    events.push(event);
    if (event.type === "playbook.started") paths.set(event.execution_id, event.path);
    else if (event.type === "command.issued") issued.set(event.command_id, event);
    else if (event.type === "child.started") started.set(event.child_id, event);
    else if (event.type === "wait.parked") park(event);
    else if (event.type === "wait.done") waits.delete(nameOf(event, event.key));
    if (terminalStatus(event) === undefined) return;
    for (const [name, { executionId }] of waits) {
      if (executionId === event.execution_id) waits.delete(name);
    }
  };
  const park = (event: WaitParked & Event): void => {
    if (event.for === "timer") return;
    const { execution_id: executionId, key, time: parkedMs } = event;
    const step = issued.get(event.command_id)?.step ?? "";
    waits.set(nameOf(event, key), { executionId, step, key, parkedMs });
  };
  const isRefused = (transition: Transition): boolean =>
    transition.events.some(
      ({ event }) =>
        (event.type === "call.done" || event.type === "call.error") &&
        refused.has(event.command_id) &&
        event.output.error?.code !== "result_rejected",
    );
  const append: EventLog["append"] = async (transitions) => {
    if (transitions.some(isRefused)) {
      throw new Fault("internal", "the test has the store refuse this result");
    }
    const verdicts = await log.append(transitions);
    for (const [index, verdict] of verdicts.entries()) {
      if (verdict === "conflict") continue;
      for (const { event } of transitions[index]?.events ?? []) note(event);
    }
    return verdicts;
  };
  return {
    log: { ...log, append },
    events,
    pathOf: (id) => paths.get(id),
    issued: (id) => issued.get(id),
    started: (child) => started.get(child),
    waits: () => [...waits.values()],
    refuse: (id) => void refused.add(id),
  };
}
