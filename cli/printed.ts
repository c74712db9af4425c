// What a command answers: one JSON document with --json, else lines for people. Lines never move the
// cursor of a terminal, whatever the names in them say.

import type { Arguments } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { plainText } from "./terminal-text.ts";

/** Prints an answer, and gives the exit code of a command that did what was asked. */
export function printed<Answer>(
  args: Arguments,
  answer: Answer,
  lines: (answer: Answer) => readonly string[],
): number {
  if (args.has("json")) console.log(JSON.stringify(answer, null, 2));
  else for (const line of lines(answer)) console.log(plainText(line));
  return exitOk;
}

/** `name: value` lines of what an object has; maps and lists as JSON, what is absent left out. */
export function fieldLines(fields: object): readonly string[] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined || value === null || value === "") return [];
    return [`${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`];
  });
}
