// Logs that earlier builds wrote must replay in this one, to the state and digest they had.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type LogLine, verifyLog } from "#core/engine/verify";
import type { EventType } from "#core/model/event";
import { sha256, testExecution } from "#tests/support/engine";
import { goldenRun } from "./make-log.ts";

const folder = import.meta.dir;
const prefix = '{"digest":"';
const between = '","event":';

/** The text of an event stands in its line as it was hashed. */
function readLog(file: string): readonly LogLine[] {
  const lines = readFileSync(join(folder, file), "utf8").trimEnd().split("\n");
  return lines.map((line) => ({
    digest: line.slice(prefix.length, prefix.length + 64),
    text: line.slice(prefix.length + 64 + between.length, -1),
  }));
}

/** By release: what its log ends with. Entries are added, never changed. */
const releases = {
  "0.1.0.jsonl": {
    digest: "7d91242b6c30d9f9f0e1d95c34a1f7b6d449dbe0238842c66ae1ec49279fffe3",
    status: "completed",
    variables: { n: 5, page: { size: 2 }, outside: "set", last: 1, good: 2, turns: 2 },
  },
} as const;

/** Not released yet: while it is not, it follows the engine (`bun tests/golden/make-log.ts`). */
const newest = "0.1.0.jsonl";

describe("golden logs", () => {
  test("are all accounted for", () => {
    const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
    expect(files.sort()).toEqual(Object.keys(releases).sort());
  });

  for (const [file, expected] of Object.entries(releases)) {
    test(`${file} replays to the digest and state it was written with`, () => {
      const log = readLog(file);
      const { problems, state } = verifyLog(testExecution, log, sha256);
      expect(problems).toEqual([]);
      expect(log.at(-1)?.digest).toBe(expected.digest);
      expect(state.status).toBe(expected.status);
      expect({ ...state.variables }).toEqual(expected.variables);
      expect(state.steps.get("loop")?.stats).toEqual({ total: 3, success: 2, failed: 1 });
    });
  }

  test("of the release to come is what the engine writes now", () => {
    const written = goldenRun().log.map(({ text, digest }) => ({ digest, text }));
    expect(written).toEqual([...readLog(newest)]);
  });

  test("hold every event that the engine and its services write today", () => {
    const written: readonly EventType[] = [
      "playbook.started",
      "step.enter",
      "command.issued",
      "command.reissued",
      "command.yielded",
      "call.done",
      "call.error",
      "step.exit",
      "step.skipped",
      "loop.done",
      "child.started",
      "child.done",
      "cursor.claimed",
      "cursor.drained",
      "wait.parked",
      "wait.done",
      "event.emitted",
      "vars.set",
      "playbook.completed",
    ];
    const types = new Set(
      readLog(newest).map(({ text }) => (JSON.parse(text) as { type: EventType }).type),
    );
    expect(written.filter((type) => !types.has(type))).toEqual([]);
  });
});
