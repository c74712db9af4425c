// Where a character of a YAML text stands in the source: quotes, escapes, folded lines and
// indentation lie between the two. Works for every style a scalar may have.

import type { ScalarNode } from "./tree.ts";

/**
 * The offset in the source of the UTF-16 unit at `offset` of the scalar's value. An offset at or
 * beyond the end of the value is the place right after its last character.
 */
export function offsetInSource(source: string, node: ScalarNode, offset: number): number {
  const start = node.range?.[0] ?? 0;
  const end = node.range?.[1] ?? start;
  const { value } = node;
  if (typeof value !== "string") return start;
  const written = source.slice(start, end);
  switch (node.type) {
    case "BLOCK_LITERAL":
      return start + inLiteral(written, value, offset);
    case "BLOCK_FOLDED":
      return start + inFolded(written, value, offset);
    case "QUOTE_DOUBLE":
      return start + inFlow(written, { from: 1, unescape: doubleEscape, joins: true }, offset);
    case "QUOTE_SINGLE":
      return start + inFlow(written, { from: 1, unescape: singleEscape }, offset);
    default:
      return start + inFlow(written, { from: 0, unescape: noEscape }, offset);
  }
}

interface FlowStyle {
  /** Where the text begins: behind the quote, if there is one. */
  readonly from: number;
  /** Units of source and of value that the escape at a place takes; undefined if there is none. */
  readonly unescape: (written: string, at: number) => Taken | undefined;
  /** A backslash before a line break joins the lines. */
  readonly joins?: boolean;
}

interface Taken {
  readonly source: number;
  readonly value: number;
}

function noEscape(): undefined {
  return undefined;
}

function singleEscape(written: string, at: number): Taken | undefined {
  return written.startsWith("''", at) ? { source: 2, value: 1 } : undefined;
}

function doubleEscape(written: string, at: number): Taken | undefined {
  if (written[at] !== "\\") return undefined;
  const digits = { x: 2, u: 4, U: 8 }[written[at + 1] ?? ""] ?? 0;
  const beyondBmp = digits === 8 && Number.parseInt(written.slice(at + 2, at + 10), 16) > 0xffff;
  return { source: 2 + digits, value: beyondBmp ? 2 : 1 };
}

/** Plain and quoted text: one line break is a space, n are n - 1 of them, `\` takes one away. */
function inFlow(written: string, style: FlowStyle, offset: number): number {
  let at = style.from;
  let seen = 0;
  while (at < written.length) {
    const lineEnd = brokenLine(written, at, style.joins === true);
    if (lineEnd !== undefined) {
      if (seen + lineEnd.value > offset) return at;
      seen += lineEnd.value;
      at += lineEnd.source;
      continue;
    }
    const taken = style.unescape(written, at) ?? { source: 1, value: 1 };
    if (seen + taken.value > offset) return at;
    seen += taken.value;
    at += taken.source;
  }
  return at;
}

/** White space around one or more line breaks, and what it stands for. */
function brokenLine(written: string, at: number, joins: boolean): Taken | undefined {
  const escaped = joins && /^\\\r?\n/.test(written.slice(at, at + 3));
  const match = lineBreaks(written, escaped ? at + 1 : at);
  if (match === undefined) return undefined;
  const folded = match.breaks === 1 ? 1 : match.breaks - 1;
  const value = escaped ? match.breaks - 1 : folded;
  return { source: match.length + (escaped ? 1 : 0), value };
}

function lineBreaks(
  written: string,
  from: number,
): { readonly length: number; readonly breaks: number } | undefined {
  let at = from;
  let breaks = 0;
  for (; at < written.length; at++) {
    const unit = written[at];
    if (unit === "\n") breaks++;
    else if (unit !== " " && unit !== "\t" && unit !== "\r") break;
  }
  return breaks === 0 ? undefined : { length: at - from, breaks };
}

interface BlockLine {
  /** Offset of the line's first character in the source of the scalar. */
  readonly start: number;
  readonly text: string;
}

/** The lines behind the header of a block scalar, without their ends. */
function blockLines(written: string): readonly BlockLine[] {
  const lines: BlockLine[] = [];
  let start = written.indexOf("\n") + 1;
  while (start > 0 && start <= written.length) {
    const found = written.indexOf("\n", start);
    const end = found === -1 ? written.length : found;
    const text = written.slice(start, end);
    lines.push({ start, text: text.endsWith("\r") ? text.slice(0, -1) : text });
    start = found === -1 ? 0 : found + 1;
  }
  return lines;
}

/** `|`: the lines of the value are the lines of the source without their indentation. */
function inLiteral(written: string, value: string, offset: number): number {
  const before = value.slice(0, offset);
  const lineNumber = before.split("\n").length - 1;
  const column = offset - (before.lastIndexOf("\n") + 1);
  const valueLine = value.split("\n")[lineNumber] ?? "";
  const line = blockLines(written)[lineNumber];
  if (line === undefined) return written.length;
  return (
    line.start +
    Math.max(0, line.text.length - valueLine.length) +
    Math.min(column, valueLine.length)
  );
}

/** `>`: characters of a line follow each other; between lines stands a space, or line breaks. */
function inFolded(written: string, value: string, offset: number): number {
  const lines = blockLines(written).filter((line) => line.text.trim() !== "");
  const indent = indentOf(lines[0]?.text ?? "", value);
  let seen = 0;
  while (value[seen] === "\n") seen++;
  let at = lines[0]?.start ?? written.length;
  for (const { start, text } of lines) {
    const content = text.slice(indent);
    at = start + indent;
    if (offset < seen) return at;
    if (offset < seen + content.length) return at + offset - seen;
    at += content.length;
    seen += content.length;
    if (offset === seen) return at;
    if (value[seen] === "\n") while (value[seen] === "\n") seen++;
    else seen++;
  }
  return at;
}

/** The indentation of a folded text: what its first line has more of than the value begins with. */
function indentOf(line: string, value: string): number {
  const leading = (text: string) => text.length - text.trimStart().length;
  const first = value.replace(/^\n+/, "");
  return Math.max(0, leading(line) - leading(first.split("\n")[0] ?? ""));
}
