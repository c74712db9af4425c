// The logs of everything that ran, read from the API and checked as anyone can who holds them.

import { verifyLog } from "#core/engine/verify";
import { decodeEvent } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { messageOf } from "#core/model/fault";
import { executionId } from "#core/model/ids";
import type { StormHouse } from "./storm-house.ts";

export interface ReadLog {
  readonly id: string;
  readonly events: readonly Event[];
  /** What is wrong with the log itself. */
  readonly problems: readonly string[];
}

const pageMax = 500;
const atOnce = 8;

/** Every execution there is, sub-playbooks too. */
export async function executionIds(house: StormHouse, untilMs: number): Promise<string[]> {
  const ids: string[] = [];
  for (let before: string | undefined; ; before = ids.at(-1)) {
    const query = { limit: pageMax, ...(before === undefined ? {} : { before }) };
    const rows = await house.answered(
      (client, signal) => client.listExecutions({ query }, signal),
      untilMs,
    );
    ids.push(...rows.map(({ execution_id: id }) => id));
    if (rows.length < pageMax) return ids;
  }
}

export async function readLogs(
  house: StormHouse,
  ids: readonly string[],
  untilMs: number,
): Promise<ReadonlyMap<string, ReadLog>> {
  const logs = new Map<string, ReadLog>();
  const left = [...ids];
  const lane = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      logs.set(id, await readLog(house, id, untilMs));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return logs;
}

async function readLog(house: StormHouse, id: string, untilMs: number): Promise<ReadLog> {
  const lines: { readonly text: string; readonly digest: string }[] = [];
  for (;;) {
    const query = { after: lines.length, limit: pageMax };
    const page = await house.answered(
      (client, signal) => client.executionLog({ params: { id }, query }, signal),
      untilMs,
    );
    lines.push(...page.lines);
    if (lines.length >= page.head || page.lines.length === 0) break;
  }
  const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
  const { problems } = verifyLog(executionId(id), lines, sha256);
  try {
    return { id, events: lines.map(({ text }) => decodeEvent(text)), problems };
  } catch (thrown) {
    return { id, events: [], problems: [...problems, messageOf(thrown)] };
  }
}

/** Commands of a log with more than one outcome. */
export function outcomesTwice({ events }: ReadLog): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const event of events) {
    if (event.type !== "call.done" && event.type !== "call.error") continue;
    if (seen.has(event.command_id)) twice.add(event.command_id);
    seen.add(event.command_id);
  }
  return [...twice];
}

/** One line an event, the last ones: what a reader needs to see what happened. */
export function excerpt({ events }: ReadLog, linesMax = 30): readonly string[] {
  return events.slice(-linesMax).map((event) => {
    const { seq, time, type } = event;
    const about = [
      "step" in event ? event.step : undefined,
      "command_id" in event ? event.command_id : undefined,
      "attempt" in event ? `attempt ${event.attempt}` : undefined,
      "reason" in event ? event.reason : undefined,
      "output" in event ? event.output.error?.message : undefined,
      "worker" in event ? event.worker : undefined,
    ];
    const words = about.filter((word) => word !== undefined).join(" ");
    return `${seq} ${new Date(time).toISOString()} ${type} ${words}`;
  });
}
