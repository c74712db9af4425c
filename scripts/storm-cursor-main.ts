// What `bun run storm --cursor` does once everything it needs is installed: reads what was asked for,
// shows what happens, and prints one closing line of JSON.

import { parseArgs } from "node:util";
import { runCursorStorm } from "./storm-cursor.ts";
import { type CursorSource, cursorSources } from "./storm-cursor-queue.ts";

export interface CursorAsked {
  readonly source: CursorSource;
  readonly rows: number;
  readonly workers: number;
  readonly kills: number;
  readonly seed: number;
  readonly json: boolean;
}

export const cursorUsage =
  "       bun run storm --cursor [--source postgres|nats] [--rows N] [--workers N] [--kills N] " +
  "[--seed S] [--json]";

/** What the house around a storm is: where its output goes, and who ends it. */
export interface StormSurroundings {
  readonly tell: (text: string) => void;
  readonly onHouse: (close: () => Promise<void>) => void;
  /** Keeps what the members wrote. @returns where. */
  readonly kept: (name: string, output: string) => Promise<string>;
}

const [rowsDefault, workersDefault, rowsPerKill] = [100_000, 4, 5_000];
const seedMax = 2 ** 31;

/** @returns 0 when each row was done under one key and none was left, else 1. */
export async function cursorStorm(
  asked: CursorAsked,
  { tell, onHouse, kept }: StormSurroundings,
): Promise<number> {
  const { json: _, ...options } = asked;
  const { report, output } = await runCursorStorm({ ...options, tell, onHouse });
  const { problems, ...line } = report;
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`members wrote: ${await kept(`cursor-${asked.source}-${asked.seed}`, output)}`);
  }
  console.log(JSON.stringify({ ...line, problems: problems.length }));
  return report.ok ? 0 : 1;
}

/** What was asked for, or what is wrong with it. */
export function cursorAsked(argv: readonly string[]): CursorAsked | string {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const numbers = { rows: text, workers: text, kills: text, seed: text };
  const options = { ...numbers, source: text, cursor: flag, json: flag } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options });
    const source = cursorSources.find((known) => known === (values.source ?? "postgres"));
    if (source === undefined) {
      return `expected a source (${cursorSources.join(", ")}), found ${values.source}`;
    }
    const rows = Number(values.rows ?? rowsDefault);
    const workers = Number(values.workers ?? workersDefault);
    const kills = Number(values.kills ?? Math.max(3, Math.ceil(rows / rowsPerKill)));
    const seed = Number(values.seed ?? Math.floor(Math.random() * seedMax));
    for (const [name, value, least] of [
      ["rows", rows, 1],
      ["workers", workers, 1],
      ["kills", kills, 0],
      ["seed", seed, 0],
    ] as const) {
      if (!Number.isSafeInteger(value) || value < least) {
        return `expected --${name} to be a whole number of at least ${least}, found ${value}`;
      }
    }
    return { source, rows, workers, kills, seed, json: values.json ?? false };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
