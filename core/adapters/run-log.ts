// Keeps a copy of what an event log accepts as files, one for each execution, so that a run in
// memory leaves a log that can be read and checked afterwards. The copy is written before the
// append is answered; it decides nothing and is never read back.

import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LogLine } from "#core/engine/verify";
import { chainDigest, genesisDigest, type Sha256 } from "#core/model/codec";
import type { LoggedEvent } from "#core/model/event";
import { Fault } from "#core/model/fault";
import type { ExecutionId } from "#core/model/ids";
import type { EventLog, Transition } from "#core/ports/event-log";

/** The file of an execution's log. */
export function runLogFile(directory: string, id: ExecutionId): string {
  return join(directory, `${id}.jsonl`);
}

export interface RunLogOptions {
  readonly directory: string;
  /** Told once that the copy can't be written; the log itself goes on without. */
  readonly onError: (thrown: unknown) => void;
}

/** The log, with every accepted event written to `<directory>/<execution_id>.jsonl` as well. */
export function withRunLog(log: EventLog, { directory, onError }: RunLogOptions): EventLog {
  let isBroken = false;
  const write = (transition: Transition): void => {
    if (isBroken) return;
    const { row, events } = transition;
    try {
      mkdirSync(directory, { recursive: true });
      appendFileSync(runLogFile(directory, row.executionId), events.map(line).join(""));
    } catch (thrown) {
      isBroken = true;
      onError(thrown);
    }
  };
  return {
    ...log,
    append: async (transitions) => {
      const verdicts = await log.append(transitions);
      for (const [index, transition] of transitions.entries()) {
        if (verdicts[index] !== "conflict") write(transition);
      }
      return verdicts;
    },
  };
}

/** The event's text stands in the line as it was hashed, to its last character. */
function line({ digest, text }: LoggedEvent): string {
  return `{"digest":"${digest}","event":${text}}\n`;
}

const digestChars = 64;
const beforeText = '{"digest":"'.length + digestChars + '","event":'.length;

/** The lines of a file written by `withRunLog`, oldest first, as they stand: nothing is checked. */
export function runLogLines(content: string): readonly LogLine[] {
  const entries = content.split("\n").filter((entry) => entry !== "");
  return entries.map((entry) => ({
    digest: entry.slice('{"digest":"'.length, '{"digest":"'.length + digestChars),
    text: entry.slice(beforeText, -1),
  }));
}

/**
 * The texts of the events in such a file, oldest first.
 * @throws Fault `invalid` naming the first line whose digest isn't that of the events up to it.
 */
export function readRunLog(content: string, sha256: Sha256): readonly string[] {
  let previous = genesisDigest;
  return runLogLines(content).map(({ digest, text }, index) => {
    previous = chainDigest(previous, text, sha256);
    if (digest === previous) return text;
    throw new Fault("invalid", `line ${index + 1}: the digest does not match the events up to it`);
  });
}
