// Two texts line by line, as a unified diff. The shortest way from one to the other (Myers, "An
// O(ND) difference algorithm", 1986), as far as the effort is bounded: beyond that the part that
// differs is shown as replaced whole.

import { diffContextLines, diffEditsMax, diffLinesMax } from "#core/model/catalog-limits";

type Edit = "same" | "removed" | "added";

interface EditedLine {
  readonly edit: Edit;
  readonly line: string;
}

export interface LineDiff {
  readonly added: number;
  readonly removed: number;
  /** Hunks of a unified diff, without the heads of files; empty for equal texts. */
  readonly text: string;
  /** Shows more than what has changed: there was too much of it. */
  readonly isCoarse: boolean;
}

export function lineDiff(from: string, to: string): LineDiff {
  const { lines, isCoarse } = editsOf(linesOf(from), linesOf(to));
  const counted = (edit: Edit): number => lines.filter((line) => line.edit === edit).length;
  return { added: counted("added"), removed: counted("removed"), text: hunks(lines), isCoarse };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function editsOf(from: readonly string[], to: readonly string[]) {
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < shorter - head && from.at(-1 - tail) === to.at(-1 - tail)) tail++;
  const [a, b] = [from.slice(head, from.length - tail), to.slice(head, to.length - tail)];
  const shortest = Math.max(a.length, b.length) > diffLinesMax ? undefined : shortestEdits(a, b);
  const middle = shortest ?? [...a.map(as("removed")), ...b.map(as("added"))];
  const same = as("same");
  const lines: readonly EditedLine[] = [
    ...from.slice(0, head).map(same),
    ...middle,
    ...from.slice(from.length - tail).map(same),
  ];
  return { lines, isCoarse: shortest === undefined };
}

function as(edit: Edit): (line: string) => EditedLine {
  return (line) => ({ edit, line });
}

/** Undefined where more lines differ than are looked for. */
function shortestEdits(a: readonly string[], b: readonly string[]): EditedLine[] | undefined {
  const size = Math.min(a.length + b.length, diffEditsMax);
  // How far down `a` each diagonal has come; one entry more on both sides is read and never set.
  const reach = new Int32Array(2 * size + 3);
  const at = (diagonal: number): number => reach[size + 1 + diagonal] ?? 0;
  const rounds: Int32Array[] = [];
  for (let edits = 0; edits <= size; edits++) {
    // Only what this round can have reached is kept of it.
    rounds.push(reach.slice(size + 1 - edits - 1, size + 1 + edits + 2));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const isDown =
        diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
      let x = isDown ? at(diagonal + 1) : at(diagonal - 1) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      reach[size + 1 + diagonal] = x;
      if (x >= a.length && x - diagonal >= b.length) return walkedBack(a, b, rounds);
    }
  }
  return undefined;
}

function walkedBack(
  a: readonly string[],
  b: readonly string[],
  rounds: readonly Int32Array[],
): EditedLine[] {
  const lines: EditedLine[] = [];
  let [x, y] = [a.length, b.length];
  for (let edits = rounds.length - 1; edits >= 0; edits--) {
    const round = rounds[edits];
    const at = (diagonal: number): number => round?.[edits + 1 + diagonal] ?? 0;
    const diagonal = x - y;
    const isDown =
      diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const from = edits === 0 ? 0 : isDown ? at(diagonal + 1) : at(diagonal - 1);
    const fromY = edits === 0 ? 0 : from - (isDown ? diagonal + 1 : diagonal - 1);
    while (x > from && y > fromY) {
      lines.push({ edit: "same", line: a[x - 1] ?? "" });
      [x, y] = [x - 1, y - 1];
    }
    if (edits === 0) break;
    if (isDown) lines.push({ edit: "added", line: b[y - 1] ?? "" });
    else lines.push({ edit: "removed", line: a[x - 1] ?? "" });
    [x, y] = [from, fromY];
  }
  return lines.reverse();
}

const marks: Readonly<Record<Edit, string>> = { same: " ", removed: "-", added: "+" };

/** Changes with a few lines around them; those that are near to each other in one hunk. */
function hunks(lines: readonly EditedLine[]): string {
  const changed = lines.flatMap(({ edit }, index) => (edit === "same" ? [] : [index]));
  const spans: { from: number; to: number }[] = [];
  for (const index of changed) {
    const from = Math.max(0, index - diffContextLines);
    const to = Math.min(lines.length, index + diffContextLines + 1);
    const last = spans.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else spans.push({ from, to });
  }
  const before = { old: 0, new: 0, index: 0 };
  return spans
    .map(({ from, to }) => {
      for (; before.index < from; before.index++) count(before, lines[before.index]);
      const start = { ...before };
      for (; before.index < to; before.index++) count(before, lines[before.index]);
      const head = `@@ -${range(start.old, before.old)} +${range(start.new, before.new)} @@`;
      const body = lines.slice(from, to).map(({ edit, line }) => `${marks[edit]}${line}`);
      return [head, ...body].join("\n");
    })
    .join("\n");
}

function count(counted: { old: number; new: number }, line: EditedLine | undefined): void {
  if (line?.edit !== "added") counted.old++;
  if (line?.edit !== "removed") counted.new++;
}

/** As unified diffs say it: a range without lines begins at the line before it. */
function range(from: number, to: number): string {
  return from === to ? `${from},0` : `${from + 1},${to - from}`;
}
