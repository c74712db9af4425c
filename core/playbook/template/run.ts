// One evaluation while it goes on: what it may look at, what it has used up, and where it stands
// in the text. Operations report failures through it, so none of them carries positions.

import { templateOutputCharsMax } from "#core/model/limits";
import type { Scope } from "./contract.ts";
import { type TemplateRuntimeCode, TemplateRuntimeError } from "./errors.ts";

/** A part of the template's text; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where an operation stands, and which parts of the text gave its operands. */
export interface Place {
  readonly source: string;
  readonly offset: number;
  readonly operands: readonly Span[];
}

/** The names of one body that runs on its own (a template, a call of a macro), and of those around. */
export interface Frame {
  readonly slots: unknown[];
  readonly outer: Frame | undefined;
}

/** Mutable on purpose: one is reused by all evaluations of a template. */
export interface Run {
  scope: Scope;
  nowMs: number;
  stepsLeft: number;
  /** What the statements have printed so far. */
  out: string;
  /** The names bound in the frame that runs, by the slot the compiler gave them. */
  slots: unknown[];
  /** The frame around the one that runs: where its macro was defined. */
  outer: Frame | undefined;
  /** Calls of macros and recursive loops that are going on. */
  calls: number;
  /** How deep in the template those calls stand, all together: what they take of the stack. */
  levels: number;
  /** Set by each operation that can fail, right before it runs. */
  place: Place;
  /** True once an integer beyond 2^53 was made, which must not leave as a bigint. */
  wide: boolean;
}

/** A compiled expression. */
export type Evaluate = (run: Run) => unknown;

const quotedTextCharsMax = 60;
/** Characters that cost as much as one step: copying text is cheaper than running a closure. */
export const charsPerStep = 64;
/** Characters of a body whose statements, run once, cost as much as one step. */
const bodyCharsPerStep = 128;

/** Steps of one round of a loop, or one call of a macro, by the characters of its body. */
export function stepsOfBody(chars: number): number {
  return 1 + Math.floor(chars / bodyCharsPerStep);
}

export function fail(run: Run, code: TemplateRuntimeCode, message: string): never {
  throw new TemplateRuntimeError(code, message, run.place.offset);
}

/** The text of an operand, quoted and cut for a message. */
export function operandText(run: Run, index: number): string {
  const span = run.place.operands[index];
  if (span === undefined) return "value";
  const text = run.place.source.slice(span.start, span.end).trim();
  const cut = text.length > quotedTextCharsMax ? `${text.slice(0, quotedTextCharsMax)}…` : text;
  return `'${cut}'`;
}

/** Takes steps from the budget of the run. */
export function spend(run: Run, steps: number): void {
  run.stepsLeft -= steps;
  if (run.stepsLeft < 0) fail(run, "limit", "the template needs more steps than it may take");
}

/** Takes the cost of reading or making a text of so many characters. */
export function spendChars(run: Run, chars: number): void {
  spend(run, 1 + Math.floor(chars / charsPerStep));
}

/** Admits a text about to be made: its cost in steps, and the bound on any one text. */
export function admitChars(run: Run, chars: number): void {
  if (!(chars <= templateOutputCharsMax)) {
    fail(run, "limit", `the text would be longer than ${templateOutputCharsMax} characters`);
  }
  spendChars(run, chars);
}
