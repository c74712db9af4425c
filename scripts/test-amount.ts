// Owns how much of a long test is done: all of it in `bun run test`, a part of it in `bun run check`,
// which is for the minute before a commit. Every test that has a short form asks here.

/** Asks the tests of a process for their short forms, whatever its value. */
export const briefVariable = "TESTS_IN_BRIEF";

const isBrief = process.env[briefVariable] !== undefined;
const briefShare = 0.2;

/** So many cases, or so long a text; a fifth where the short form is asked for, and at least one. */
export function amount(full: number): number {
  return isBrief ? Math.max(1, Math.ceil(full * briefShare)) : full;
}
