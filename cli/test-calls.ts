// Which entry of a test fits a tool call: entries are tried from the top, each counts the calls
// that fit it otherwise, and one that is used up answers no more.

import type { CallSelection } from "#core/playbook/test-document";

/** One call of one tool. */
export interface ToolCall {
  readonly path: string;
  readonly step: string;
  readonly visit: number | undefined;
  /** The iteration or row, from 0. */
  readonly item: number | undefined;
  /** The task's label; undefined where the call stands for a whole sub-playbook. */
  readonly task: string | undefined;
  /** The claim of a cursor loop. */
  readonly isClaim: boolean;
}

export interface Entries<Entry extends CallSelection> {
  /** The entry for this call, and which call of that entry it is, from 1. */
  next(call: ToolCall, isOf?: (entry: Entry) => boolean): Fitting<Entry> | undefined;
  unused(): readonly Entry[];
}

export interface Fitting<Entry> {
  readonly entry: Entry;
  readonly count: number;
}

interface Counted<Entry> {
  readonly entry: Entry;
  seen: number;
  used: number;
}

/** @param mainPath the path of the playbook that entries without one are about. */
export function callEntries<Entry extends CallSelection>(
  entries: readonly Entry[],
  mainPath: string,
): Entries<Entry> {
  const byStep = new Map<string, Counted<Entry>[]>();
  const all = entries.map((entry) => ({ entry, seen: 0, used: 0 }));
  for (const counted of all) {
    const key = keyOf(counted.entry.playbook ?? mainPath, counted.entry.step);
    const known = byStep.get(key);
    if (known === undefined) byStep.set(key, [counted]);
    else known.push(counted);
  }
  return {
    next: (call, isOf = () => true) => {
      let chosen: Fitting<Entry> | undefined;
      for (const counted of byStep.get(keyOf(call.path, call.step)) ?? []) {
        if (!isOf(counted.entry) || !fits(counted.entry, call)) continue;
        counted.seen += 1;
        if (chosen !== undefined || !answers(counted)) continue;
        counted.used += 1;
        chosen = { entry: counted.entry, count: counted.seen };
      }
      return chosen;
    },
    unused: () => all.filter(({ used }) => used === 0).map(({ entry }) => entry),
  };
}

function keyOf(path: string, step: string): string {
  return JSON.stringify([path, step]);
}

function fits(entry: CallSelection, call: ToolCall): boolean {
  const { visit, item, task } = entry;
  return (
    (visit === undefined || visit === call.visit) &&
    (item === undefined || item === call.item) &&
    (task === undefined || task === call.task)
  );
}

function answers<Entry extends CallSelection>({ entry, seen, used }: Counted<Entry>): boolean {
  const { call, times = Number.POSITIVE_INFINITY } = entry;
  return (call === undefined || call === seen) && used < times;
}
