// A queue in the world outside, as the claims and bodies of cursor loops use one: a claim commits
// before anyone hears of it, and gives rows that bear its own mark again.

import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import type { Tool, ToolContext } from "#worker/tools/tool";
import type { Faults } from "./faults.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

interface Row {
  frame: string | undefined;
  isDone: boolean;
}

/** Queues by name; each has its rows from the start. */
export interface Queues {
  claim(queue: string, frame: string, rowsMax: number): readonly number[];
  done(queue: string, row: number): void;
}

export const queueRows = 11;

export function queues(): Queues {
  const all = new Map<string, readonly Row[]>();
  const rowsOf = (name: string): readonly Row[] => {
    const rows =
      all.get(name) ??
      Array.from({ length: queueRows }, (): Row => ({ frame: undefined, isDone: false }));
    all.set(name, rows);
    return rows;
  };
  return {
    claim: (queue, frame, rowsMax) => {
      const rows = rowsOf(queue);
      const mine = rows.flatMap((row, id) => (row.frame === frame && !row.isDone ? [id] : []));
      if (mine.length > 0) return mine;
      const fresh = rows.flatMap((row, id) => (row.frame === undefined ? [id] : []));
      const taken = fresh.slice(0, rowsMax);
      for (const id of taken) {
        const row = rows[id];
        if (row !== undefined) row.frame = frame;
      }
      return taken;
    },
    done: (queue, id) => {
      const row = rowsOf(queue)[id];
      if (row !== undefined) row.isDone = true;
    },
  };
}

export interface QueueToolOptions {
  readonly owner: Process;
  readonly time: Timeline;
  readonly chance: Random;
  readonly faults: Faults;
  readonly outside: Queues;
}

/** Its commands are JSON: `{queue, frame, max}` claims, `{queue, row}` says that a row is done. */
export function queueTool({ owner, time, chance, faults, outside }: QueueToolOptions): Tool {
  const run = async (config: JsonObject, context: ToolContext): Promise<Output> => {
    const asked = JSON.parse(String(config["command"])) as Readonly<Record<string, unknown>>;
    await owner.clock.sleep(takesMs(chance), context.signal);
    if (context.signal.aborted) throw new Error("the call was stopped");
    const queue = String(asked["queue"]);
    const isClaim = context.label === "claim";
    const rows = isClaim
      ? outside.claim(queue, String(asked["frame"]), Number(asked["max"]))
      : [Number(asked["row"])];
    if (!isClaim) outside.done(queue, Number(asked["row"]));
    time.note(owner.name, `${context.label} of ${context.commandId}: ${rows.join(", ")}`);
    if (faults.happens("worker crash")) {
      owner.kill(`in ${context.label} of ${context.commandId}`);
      return new Promise(() => {});
    }
    return { status: "ok", data: { rows: rows.map((id) => ({ id })) } };
  };
  return { kind: "postgres", run };
}

/** Mostly quick; a frame of slow rows takes longer than a lease. */
function takesMs(chance: Random): number {
  return chance.next() < 0.9 ? chance.scale(1, 300) : chance.between(2_000, 9_000);
}
