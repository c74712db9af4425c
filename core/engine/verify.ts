// Checks a log as anyone can who holds it: dense, chained, nothing after the end, one outcome a
// command, and a fold that takes every event.

import { chainDigest, decodeEvent, genesisDigest, type Sha256 } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { evolve } from "./evolve.ts";
import { type ExecutionState, initialState, isTerminal } from "./state.ts";

export interface LogLine {
  readonly text: string;
  /** Hexadecimal. */
  readonly digest: string;
}

export interface Verification {
  readonly events: number;
  /** What is wrong, each with the number of its event; empty for a log that is whole. */
  readonly problems: readonly string[];
  /** The state that the sound part of the log comes to. */
  readonly state: ExecutionState;
}

/** A log that is checked as it is read, line by line, from its first event. */
export interface LogCheck {
  readonly state: ExecutionState;
  readonly problems: readonly string[];
  /** Lines that were given. */
  readonly events: number;
  /** An event could not be folded: what follows means nothing. */
  readonly stopped: boolean;
  /** Checks the next line; gives its event, if that follows from those before it. */
  add(line: LogLine): Event | undefined;
}

export function logCheck(id: ExecutionId, sha256: Sha256): LogCheck {
  const state = initialState(id, genesisDigest);
  const problems: string[] = [];
  let events = 0;
  let stopped = false;
  return {
    state,
    problems,
    get events() {
      return events;
    },
    get stopped() {
      return stopped;
    },
    add: ({ text, digest }) => {
      if (stopped) return undefined;
      events++;
      const expected = chainDigest(state.digest, text, sha256);
      if (digest !== expected) {
        problems.push(`event ${events}: digest is ${digest}, expected ${expected}`);
      }
      const folded = foldOne(state, text, id);
      if ("problem" in folded) {
        problems.push(`event ${events}: ${folded.problem}`);
        stopped = true;
        return undefined;
      }
      state.digest = digest;
      return folded.event;
    },
  };
}

/** Reads a log from its first event; stops at the first event that can't be folded. */
export function verifyLog(id: ExecutionId, lines: Iterable<LogLine>, sha256: Sha256): Verification {
  const check = logCheck(id, sha256);
  for (const line of lines) {
    check.add(line);
    if (check.stopped) break;
  }
  const { events, problems, state, stopped } = check;
  return { events, problems: stopped ? problems : [...problems, ...cutProblems(state)], state };
}

/** Kinds that wait inside the log: what they wait for is said in the append that issues them. */
const waitingKinds: ReadonlySet<string> = new Set(["wait", "playbook", "agent"]);

/**
 * Where a log ends in the middle of an append: commands that were to wait, and nothing says for
 * what. Appends are whole, so this is a log of which a part was lost, and it can't go on.
 */
export function cutProblems(state: ExecutionState): readonly string[] {
  if (isTerminal(state)) return [];
  return [...state.commands.values()].flatMap(
    ({ commandId, kind, issuedSeq, wait, child, answer }) => {
      const isWhole = wait !== undefined || child !== undefined || answer !== undefined;
      if (isWhole || !waitingKinds.has(kind)) return [];
      const after = `the log is cut after event ${issuedSeq}`;
      return [`${after}: command ${commandId} (${kind}) was issued, what it waits for is missing`];
    },
  );
}

type Folded = { readonly event: Event } | { readonly problem: string };

function foldOne(state: ExecutionState, text: string, id: ExecutionId): Folded {
  try {
    const event: Event = decodeEvent(text);
    if (event.execution_id !== id) {
      return { problem: `execution is ${event.execution_id}, expected ${id}` };
    }
    if (event.time < state.timeMs) {
      return { problem: `time ${event.time} is before ${state.timeMs}` };
    }
    const previous = state.eventId;
    if (previous !== undefined && BigInt(event.event_id) <= BigInt(previous)) {
      return { problem: `event id ${event.event_id} does not follow ${previous}` };
    }
    evolve(state, event, text.length);
    return { event };
  } catch (thrown) {
    return { problem: messageOf(thrown) };
  }
}
