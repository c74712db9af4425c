// Rewrites a playbook's text from older forms into the one that is documented, changing nothing but
// the words that are about them. Each group of rewrites is proven (migrate-proof.ts): one that fails
// is not made, and what it was about is listed as left to do.

import type { Problem } from "./document.ts";
import { migrateHandedOver } from "./migrate-arcs.ts";
import { type Draft, draftOf } from "./migrate-draft.ts";
import { editsOf } from "./migrate-edits.ts";
import { migrateLocal } from "./migrate-local.ts";
import { migrateSteps } from "./migrate-next.ts";
import { keepsComments, meansTheSame } from "./migrate-proof.ts";
import { migrateLabels, migrateTools } from "./migrate-tools.ts";
import { migrateHint } from "./older-context.ts";
import { parsePlaybook } from "./parse.ts";
import { type Position, positionsIn } from "./source-text.ts";

/** Something that was rewritten, at its place in the source. Lines and columns from 1. */
export interface Change extends Position {
  readonly message: string;
}

export interface Migration {
  /** The new text; the source itself where nothing is older. */
  readonly text: string;
  /** In the order of the source. */
  readonly changes: readonly Change[];
  /** What is still older, or wrong, in the new text; at its place in the source. */
  readonly unresolved: readonly Problem[];
  /** False where the source is no YAML map at all: then nothing is known of it. */
  readonly readable: boolean;
  /** The kind of a document that is no playbook; it is left as it is. */
  readonly otherKind?: string;
}

interface Pass {
  readonly rewrite: (draft: Draft) => void;
  /** Forms that only another program ran: their meaning here can't be compared. */
  readonly foreign: boolean;
}

const passes: readonly Pass[] = [
  { rewrite: migrateLocal, foreign: true },
  { rewrite: migrateLabels, foreign: false },
  { rewrite: migrateTools, foreign: false },
  { rewrite: migrateSteps, foreign: false },
  { rewrite: migrateHandedOver, foreign: false },
];

/** Rewrites one playbook. Never throws for bad input. */
export function migratePlaybook(source: string): Migration {
  const first = draftOf(source);
  const kind = first?.value.kind;
  if (typeof kind === "string" && kind !== "Playbook") {
    return { text: source, changes: [], unresolved: [], readable: true, otherKind: kind };
  }
  const positionOf = positionsIn(source);
  const changes: Change[] = [];
  let draft = first;
  let back = (offset: number): number => offset;
  const take = (made: Rewritten): void => {
    const earlier = back;
    for (const { offset, message } of made.notes) {
      changes.push({ message, ...positionOf(earlier(offset)) });
    }
    back = (offset) => earlier(made.back(offset));
    draft = made.draft;
  };
  for (const pass of passes) {
    const whole = rewritten(draft, pass);
    if (whole !== "unproven") {
      if (whole !== undefined) take(whole);
      continue;
    }
    for (let only = -1; only < Math.min(stepsIn(draft), stepByStepMax); only++) {
      const part = rewritten(draft, pass, only);
      if (part !== "unproven" && part !== undefined) take(part);
    }
  }
  const text = draft?.source ?? source;
  const offsetOf = offsetsIn(text);
  changes.sort((a, b) => a.line - b.line || a.column - b.column);
  const unresolved = leftToDo(text).map((problem) => ({
    ...problem,
    ...positionOf(back(offsetOf(problem))),
  }));
  return { text, changes, unresolved, readable: first !== undefined };
}

interface Note {
  readonly offset: number;
  readonly message: string;
}

interface Rewritten {
  readonly draft: Draft;
  readonly notes: readonly Note[];
  readonly back: (offset: number) => number;
}

/** Steps that are tried one by one after all of them together could not be proven. */
const stepByStepMax = 500;

function stepsIn(draft: Draft | undefined): number {
  const workflow = draft?.value.workflow;
  return Array.isArray(workflow) ? workflow.length : 0;
}

/** The draft after one group of rewrites; undefined where there is nothing to rewrite. */
function rewritten(
  before: Draft | undefined,
  { rewrite, foreign }: Pass,
  only?: number,
): Rewritten | "unproven" | undefined {
  if (before === undefined) return undefined;
  const notes: Note[] = [];
  const note: Draft["note"] = (offset, message) => notes.push({ offset, message });
  const edits = editsOf(before.source);
  rewrite({ ...before, edits, note, only });
  if (notes.length === 0) return undefined;
  const applied = edits.apply();
  const draft = applied === undefined ? undefined : draftOf(applied.text);
  if (applied === undefined || draft === undefined) return "unproven";
  const proven = keepsComments(before, draft) && (foreign || meansTheSame(before, draft));
  return proven ? { draft, notes, back: applied.back } : "unproven";
}

/** Forms that are read as others, and whatever is refused. */
function leftToDo(text: string): readonly Problem[] {
  const parsing = parsePlaybook(text);
  const older = parsing.warnings.filter(({ message }) => message.includes(migrateHint));
  const manual = older.map((problem) => ({
    ...problem,
    message: problem.message.replace(migrateHint, "it can't be rewritten here, rewrite it by hand"),
  }));
  const refused = parsing.ok ? [] : parsing.problems;
  return [...refused, ...manual].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Gives the offset of a line and column. */
function offsetsIn(text: string): (position: Position) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return ({ line, column }) => (starts[line - 1] ?? 0) + column - 1;
}
