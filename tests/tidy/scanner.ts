// Owns the lexical view of TypeScript that the rules need: which characters are code, which are
// comment, which are text. It knows strings, templates, comments and regular expressions, no more
// grammar than that, and never fails: what it can't close ends at the end of the line or file.

/** A stretch of the file: offsets are half open, text is what stands between them. */
export type Piece = { readonly start: number; readonly end: number; readonly text: string };

export type Scan = {
  /** The file with comments and the inside of strings blanked; offsets and lines are unchanged. */
  readonly code: string;
  /** Comments with their marks. */
  readonly comments: readonly Piece[];
  /** String literals and the fixed parts of templates, without quotes. */
  readonly strings: readonly Piece[];
};

type Cursor = {
  readonly text: string;
  readonly blanks: Piece[];
  readonly comments: Piece[];
  readonly strings: Piece[];
  /** Open braces; a template's `${` is remembered so that its `}` goes back to text. */
  readonly braces: ("block" | "template")[];
  at: number;
  /** Where the last significant character stood: it decides what a slash means. */
  last: number;
};

/** Separates code from comments and text. */
export function scan(text: string): Scan {
  const cursor: Cursor = {
    text,
    blanks: [],
    comments: [],
    strings: [],
    braces: [],
    at: 0,
    last: -1,
  };
  while (cursor.at < text.length) cursor.at = step(cursor);
  return { code: blanked(text, cursor.blanks), comments: cursor.comments, strings: cursor.strings };
}

/** Reads one character or one whole literal and answers where the next one begins. */
function step(cursor: Cursor): number {
  const { text, at } = cursor;
  const char = text.charAt(at);
  const next = text.charAt(at + 1);
  if (char === "/" && next === "/") return comment(cursor, endOfLine(text, at));
  if (char === "/" && next === "*") return comment(cursor, after(text, "*/", at + 2));
  if (char === "#" && at === 0 && next === "!") return comment(cursor, endOfLine(text, at));
  if (char === '"' || char === "'") return quoted(cursor, char);
  if (char === "`") return template(cursor, at + 1);
  if (char === "/" && slashBeginsRegex(cursor)) {
    const end = regexEnd(text, at);
    if (end !== undefined) return regex(cursor, end);
  }
  if (char === "{") cursor.braces.push("block");
  if (char === "}" && cursor.braces.pop() === "template") return template(cursor, at + 1);
  if (char.trim() !== "") cursor.last = at;
  return at + 1;
}

function comment(cursor: Cursor, end: number): number {
  const piece = { start: cursor.at, end, text: cursor.text.slice(cursor.at, end) };
  cursor.comments.push(piece);
  cursor.blanks.push(piece);
  return end;
}

function quoted(cursor: Cursor, quote: string): number {
  const { text } = cursor;
  const start = cursor.at + 1;
  let end = start;
  while (end < text.length && text.charAt(end) !== quote && text.charAt(end) !== "\n") {
    end += unitsAt(text, end);
  }
  literal(cursor, start, Math.min(end, text.length));
  cursor.last = Math.min(end, text.length - 1);
  return text.charAt(end) === quote ? end + 1 : end;
}

/** Reads the fixed part of a template from start to its back quote or its next `${`. */
function template(cursor: Cursor, start: number): number {
  const { text } = cursor;
  let end = start;
  while (end < text.length && text.charAt(end) !== "`") {
    if (text.startsWith("${", end)) {
      literal(cursor, start, end);
      cursor.braces.push("template");
      cursor.last = end + 1;
      return end + 2;
    }
    end += unitsAt(text, end);
  }
  literal(cursor, start, Math.min(end, text.length));
  cursor.last = Math.min(end, text.length - 1);
  return end + 1;
}

/** One character, or an escape as a whole; a Windows line end behind a backslash is one line end. */
function unitsAt(text: string, at: number): number {
  if (text.charAt(at) !== "\\") return 1;
  return text.startsWith("\r\n", at + 1) ? 3 : 2;
}

function regex(cursor: Cursor, end: number): number {
  const start = cursor.at + 1;
  cursor.blanks.push({ start, end: end - 1, text: cursor.text.slice(start, end - 1) });
  cursor.last = end - 1;
  return end;
}

function literal(cursor: Cursor, start: number, end: number): void {
  const piece = { start, end, text: cursor.text.slice(start, end) };
  cursor.strings.push(piece);
  cursor.blanks.push(piece);
}

const wordBeforeRegex =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|do|else|instanceof|await|yield)$/;

/** A slash divides after a value and begins a regular expression after anything else. */
function slashBeginsRegex({ text, at, last }: Cursor): boolean {
  const before = text.charAt(last);
  // `</` and `/>` are tags of the console's markup.
  if (before === "<" || text.charAt(at + 1) === ">") return false;
  if (/[\w$]/.test(before))
    return wordBeforeRegex.test(text.slice(Math.max(0, last - 12), last + 1));
  return ![")", "]", '"', "'", "`", "/"].includes(before);
}

function regexEnd(text: string, start: number): number | undefined {
  let inClass = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\n") return undefined;
    if (char === "\\") at += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return undefined;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end === -1 ? text.length : end;
}

function after(text: string, mark: string, at: number): number {
  const found = text.indexOf(mark, at);
  return found === -1 ? text.length : found + mark.length;
}

function blanked(text: string, blanks: readonly Piece[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: inside } of blanks) {
    parts.push(text.slice(at, start), inside.replaceAll(/[^\n]/g, " "));
    at = end;
  }
  parts.push(text.slice(at));
  return parts.join("");
}
