// `noetl verify`: what it says of logs that are whole, changed, cut short or not there.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { noetl, type Workplace, workplace } from "./noetl.ts";

const golden = readFileSync(join(repositoryRoot, "tests/golden/0.1.0.jsonl"), "utf8");
const lines = golden.trimEnd().split("\n");

let place: Workplace;
beforeAll(() => {
  place = workplace({
    "whole.jsonl": golden,
    "changed.jsonl": golden.replace('"bytes":"é"', '"bytes":"e"'),
    "cut.jsonl": `${lines.slice(0, 10).join("\n")}\n`,
    "hole.jsonl": `${lines.toSpliced(4, 1).join("\n")}\n`,
    "empty.jsonl": "",
    "other.jsonl": "this is no log\n",
  });
});
afterAll(() => place.remove());

const verify = (...args: string[]) => noetl(["verify", ...args], { cwd: place.folder });

describe("noetl verify", () => {
  test("says of a whole log how long it is and how it ended", async () => {
    const { exitCode, out } = await verify("whole.jsonl");
    expect([exitCode, out]).toEqual([0, `whole.jsonl: whole, ${lines.length} events, completed\n`]);
  });
  test("says of a log that was cut short that it runs: its part is whole", async () => {
    expect((await verify("cut.jsonl")).out).toBe("cut.jsonl: whole, 10 events, running\n");
  });
  for (const [file, problem] of [
    ["changed.jsonl", "digest is"],
    ["hole.jsonl", "event 5: digest is"],
    ["empty.jsonl", "the log is empty"],
    ["other.jsonl", "event 1:"],
  ] as const) {
    test(`finds what is wrong with ${file}, and goes on with the next`, async () => {
      const { exitCode, out } = await verify(file, "whole.jsonl");
      expect(exitCode).toBe(1);
      expect(out).toContain(`${file}: `);
      expect(out).toContain(problem);
      expect(out).toContain("whole.jsonl: whole");
    });
  }
  test("gives one JSON document when asked", async () => {
    const { out } = await verify("whole.jsonl", "hole.jsonl", "--json");
    const { logs } = JSON.parse(out) as { logs: { events: number; problems: string[] }[] };
    expect(logs.map(({ problems }) => problems.length > 0)).toEqual([false, true]);
  });
  test("refuses what is neither a file nor an id", async () => {
    const { exitCode, err } = await verify("nowhere.jsonl");
    expect(exitCode).toBe(2);
    expect(err).toContain("expected a log file or an execution id");
  });
});
