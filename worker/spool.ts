// Outcomes that could not be reported yet, kept over a restart of the worker: one file of JSON
// lines, appended and synced before anyone relies on it, written anew when it is mostly done with.
// A folder belongs to one worker at a time.

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "#core/model/json";
import { spoolDeadLinesMax } from "#core/model/limits";
import type { Outcome } from "#core/model/outcome";

/** Which attempt at which command an outcome is of. */
export type OutcomeKey = Pick<Outcome, "command_id" | "attempt">;

export interface Spool {
  /** What a former life of the worker left unreported, oldest first. */
  load(): Promise<readonly Outcome[]>;
  /** Returns once the outcomes would survive the process. */
  keep(outcomes: readonly Outcome[]): Promise<void>;
  /** Forgets outcomes that have been reported. */
  drop(keys: readonly OutcomeKey[]): Promise<void>;
}

/** For a worker without a folder: what it could not report ends with it. */
export function memorySpool(): Spool {
  return {
    load: async () => [],
    keep: async () => {},
    drop: async () => {},
  };
}

export const spoolFile = "outcomes.jsonl";

/** A spool in a folder, which is made when there is something to keep. */
export function fileSpool(directory: string): Spool {
  const path = join(directory, spoolFile);
  const live = new Map<string, Outcome>();
  let deadLines = 0;
  /** The last write broke off: the next one starts a line of its own. */
  let isTorn = false;
  /** The folder is known to name the file, also after a loss of power. */
  let isNamed = false;
  let last: Promise<unknown> = Promise.resolve();

  /** Changes happen one after another, whatever became of the one before. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work, work);
    last = result.catch(() => undefined);
    return result;
  };

  const write = async (to: string, how: "a" | "w", entries: readonly Entry[]): Promise<void> => {
    const file = await open(to, how);
    try {
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      const text = isTorn && how === "a" ? `\n${lines}` : lines;
      isTorn = true;
      await file.writeFile(text);
      await file.datasync();
      isTorn = false;
    } finally {
      await file.close();
    }
  };

  const append = async (entries: readonly Entry[]): Promise<void> => {
    await mkdir(directory, { recursive: true });
    await write(path, "a", entries);
    if (!isNamed) await syncFolder(directory);
    isNamed = true;
  };

  const compact = async (): Promise<void> => {
    const fresh = `${path}.new`;
    await write(
      fresh,
      "w",
      [...live.values()].map((outcome) => ({ outcome })),
    );
    await rename(fresh, path);
    await syncFolder(directory);
    deadLines = 0;
  };

  const keep = async (outcomes: readonly Outcome[]): Promise<void> => {
    const fresh = outcomes.filter((outcome) => !live.has(keyText(outcome)));
    if (fresh.length === 0) return;
    await append(fresh.map((outcome) => ({ outcome })));
    for (const outcome of fresh) live.set(keyText(outcome), outcome);
  };

  const drop = async (keys: readonly OutcomeKey[]): Promise<void> => {
    const known = keys.filter((key) => live.delete(keyText(key)));
    if (known.length === 0) return;
    deadLines += known.length * 2;
    if (live.size === 0 || deadLines > spoolDeadLinesMax) return compact();
    await append(known.map(({ command_id, attempt }) => ({ done: { command_id, attempt } })));
  };

  return {
    load: () =>
      inTurn(async () => {
        const { outcomes, spent } = readLines(await textOf(path));
        for (const outcome of outcomes) live.set(keyText(outcome), outcome);
        deadLines = spent;
        // What a crash left half written would swallow the next line.
        if (deadLines > 0) await compact();
        return outcomes;
      }),
    keep: (outcomes) => inTurn(() => keep(outcomes)),
    drop: (keys) => inTurn(() => drop(keys)),
  };
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function keyText({ command_id: id, attempt }: OutcomeKey): string {
  return `${attempt} ${id}`;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return "";
    throw thrown;
  }
}

/** Lines that a crash or a disk broke are passed over: each stands for itself. */
function readLines(text: string): {
  readonly outcomes: readonly Outcome[];
  readonly spent: number;
} {
  const live = new Map<string, Outcome>();
  const lines = text.split("\n").filter((line) => line !== "");
  for (const line of lines) {
    const entry = parsed(line);
    if (entry === undefined) continue;
    if ("outcome" in entry) live.set(keyText(entry.outcome), entry.outcome);
    else live.delete(keyText(entry.done));
  }
  return { outcomes: [...live.values()], spent: lines.length - live.size };
}

type Entry = { readonly outcome: Outcome } | { readonly done: OutcomeKey };

function parsed(line: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const subject = value["outcome"] ?? value["done"];
  const named =
    isJsonObject(subject) &&
    typeof subject["command_id"] === "string" &&
    typeof subject["attempt"] === "number";
  // The cast trusts what this file wrote: the line is whole, and names an attempt.
  return named ? (value as unknown as Entry) : undefined;
}
