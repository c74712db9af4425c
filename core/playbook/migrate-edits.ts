// Changes to a text, collected by offsets and made in one go: what is not named stays to the last
// character. Knows the way back, so that a place in the new text can be shown in the old one.

export interface Edits {
  insert(at: number, text: string): void;
  replace(from: number, to: number, text: string): void;
  /** Moves every line that holds one of these offsets to the right, or to the left if negative. */
  shift(from: number, to: number, columns: number): void;
  /** The new text; undefined where two changes are about the same words. */
  apply(): Applied | undefined;
}

export interface Applied {
  readonly text: string;
  /** Where in the old text an offset of the new one comes from. */
  back(offset: number): number;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function editsOf(source: string): Edits {
  const edits: Edit[] = [];
  /** Columns by the offset at which a line begins. */
  const shifts = new Map<number, number>();
  return {
    insert: (at, text) => edits.push({ from: at, to: at, text }),
    replace: (from, to, text) => edits.push({ from, to, text }),
    shift: (from, to, columns) => {
      for (let start = lineStart(source, from); start <= to; ) {
        shifts.set(start, (shifts.get(start) ?? 0) + columns);
        const end = source.indexOf("\n", start);
        if (end === -1) return;
        start = end + 1;
      }
    },
    apply: () => {
      const moved = [...shifts].flatMap(([start, columns]) => shifted(source, start, columns));
      // Of several at one offset, those of the same kind stay in their order.
      return applied(
        source,
        [...edits, ...moved].sort((a, b) => a.from - b.from || a.to - b.to),
      );
    },
  };
}

function shifted(source: string, start: number, columns: number): readonly Edit[] {
  const end = lineEnd(source, start);
  const line = source.slice(start, end);
  const spaces = /^ */.exec(line)?.[0].length ?? 0;
  if (line.trim() === "" || columns === 0) return [];
  if (columns > 0) return [{ from: start, to: start, text: " ".repeat(columns) }];
  return [{ from: start, to: start + Math.min(spaces, -columns), text: "" }];
}

interface Piece {
  readonly out: number;
  readonly from: number;
  readonly kept: boolean;
}

function applied(source: string, edits: readonly Edit[]): Applied | undefined {
  const pieces: Piece[] = [];
  const parts: string[] = [];
  let at = 0;
  let out = 0;
  const keep = (to: number): void => {
    pieces.push({ out, from: at, kept: true });
    parts.push(source.slice(at, to));
    out += to - at;
  };
  for (const edit of edits) {
    if (edit.from < at) return undefined;
    keep(edit.from);
    pieces.push({ out, from: edit.from, kept: false });
    parts.push(edit.text);
    out += edit.text.length;
    at = edit.to;
  }
  keep(source.length);
  return {
    text: parts.join(""),
    back: (offset) => {
      let low = 0;
      let high = pieces.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >>> 1;
        if ((pieces[middle]?.out ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      const piece = pieces[low];
      if (piece === undefined) return 0;
      return piece.from + (piece.kept ? offset - piece.out : 0);
    },
  };
}

/** Where the line begins that holds an offset. */
export function lineStart(source: string, offset: number): number {
  return offset === 0 ? 0 : source.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the line ends that holds an offset, before its line break. */
export function lineEnd(source: string, offset: number): number {
  const at = source.indexOf("\n", offset);
  if (at === -1) return source.length;
  return at > offset && source.charAt(at - 1) === "\r" ? at - 1 : at;
}
