// Checks a log as anyone can who holds it: dense, chained, nothing after the end, one outcome a
// command, and a fold that takes every event.

import { chainDigest, decodeEvent, genesisDigest, type Sha256 } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { messageOf } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import { evolve } from "./evolve.ts";
import { type ExecutionState, initialState } from "./state.ts";

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

/** Reads a log from its first event; stops at the first event that can't be folded. */
export function verifyLog(id: ExecutionId, lines: Iterable<LogLine>, sha256: Sha256): Verification {
  const state = initialState(id, genesisDigest);
  const problems: string[] = [];
  let events = 0;
  for (const { text, digest } of lines) {
    events++;
    const expected = chainDigest(state.digest, text, sha256);
    if (digest !== expected) {
      problems.push(`event ${events}: digest is ${digest}, expected ${expected}`);
    }
    const problem = foldOne(state, text, id);
    if (problem !== undefined) {
      problems.push(`event ${events}: ${problem}`);
      break;
    }
    state.digest = digest;
  }
  return { events, problems, state };
}

function foldOne(state: ExecutionState, text: string, id: ExecutionId): string | undefined {
  try {
    const event: Event = decodeEvent(text);
    if (event.execution_id !== id) return `execution is ${event.execution_id}, expected ${id}`;
    if (event.time < state.timeMs) return `time ${event.time} is before ${state.timeMs}`;
    const previous = state.eventId;
    if (previous !== undefined && BigInt(event.event_id) <= BigInt(previous)) {
      return `event id ${event.event_id} does not follow ${previous}`;
    }
    evolve(state, event, text.length);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
