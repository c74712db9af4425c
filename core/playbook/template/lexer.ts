// Cuts a template's text into tokens with their offsets: plain text, the marks of tags, and the
// words inside the tags. Raw blocks, comments and white space control end here; the parser sees
// none of them. One pass over the text, whatever its content.

import { templateSourceCharsMax } from "#core/model/limits";
import { TemplateSyntaxError } from "./errors.ts";
import { decodeFloat, decodeInteger, decodeString } from "./literals.ts";
import type { Span } from "./run.ts";

export type Token = Span &
  (
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "mark"; readonly value: "{{" | "}}" | "{%" | "%}" }
    | { readonly kind: "name"; readonly value: string }
    | { readonly kind: "string"; readonly value: string }
    | { readonly kind: "integer"; readonly value: number | bigint }
    | { readonly kind: "float"; readonly value: number }
    | { readonly kind: "operator"; readonly value: string }
    | { readonly kind: "end"; readonly value: "" }
  );

interface Lexing {
  readonly source: string;
  /** Where the text ends: one newline at the very end does not belong to it. */
  readonly end: number;
  readonly tokens: Token[];
  at: number;
  /** The tag or comment before the current text ended in `-`. */
  trimStart: boolean;
  /** Set when a search for the end of a comment failed, so that none is repeated. */
  commentsEnd: number;
}

interface Bracket {
  readonly close: string;
  readonly offset: number;
}

const spaces = /\s+/y;
const names = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const floats = /\d+(?:_\d+)*(?:(?:\.\d+(?:_\d+)*)?[eE][+-]?\d+(?:_\d+)*|\.\d+(?:_\d+)*)/y;
const integers =
  /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y;
const operators = /\/\/|\*\*|==|!=|<=|>=|[-+*/%~<>()[\]{},:.|=]/y;
const rawOpening = /\{%[-+]?\s*raw\s*(-?)%\}/y;
const rawClosing = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
const closerByOpener: ReadonlyMap<string, string> = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);

/** The tokens of a text with tags, ending with an `end` token. */
export function tokenize(source: string): readonly Token[] {
  const lexing = open(
    source,
    source.length - (/\r?\n$|\r$/.exec(source.slice(-2))?.[0].length ?? 0),
  );
  while (lexing.at < lexing.end) {
    const tag = nextTag(lexing);
    pushText(lexing, tag, lexing.source.charAt(tag + 2) === "-");
    lexing.at = tag;
    if (tag < lexing.end) readTag(lexing);
  }
  return close(lexing);
}

/** The tokens of a text that is one expression, without tags around it. */
export function tokenizeExpression(source: string): readonly Token[] {
  const lexing = open(source, source.length);
  readWords(lexing, undefined);
  return close(lexing);
}

function open(source: string, end: number): Lexing {
  if (source.length > templateSourceCharsMax) {
    throw new TemplateSyntaxError(
      `the template is longer than ${templateSourceCharsMax} characters`,
      templateSourceCharsMax,
    );
  }
  return {
    source,
    end,
    tokens: [],
    at: 0,
    trimStart: false,
    commentsEnd: Number.POSITIVE_INFINITY,
  };
}

function close(lexing: Lexing): readonly Token[] {
  lexing.tokens.push({ kind: "end", value: "", start: lexing.end, end: lexing.end });
  return lexing.tokens;
}

/** The offset of the next tag or comment, or the end of the text. */
function nextTag(lexing: Lexing): number {
  const { source, end } = lexing;
  let at = source.indexOf("{", lexing.at);
  while (at >= 0 && at + 1 < end) {
    const second = source.charAt(at + 1);
    if (second === "{" || second === "%") return at;
    if (second === "#" && isComment(lexing, at)) return at;
    at = source.indexOf("{", at + 1);
  }
  return end;
}

/** `{#` opens a comment if it is closed somewhere, and is not the shell's `${#array[@]}`. */
function isComment(lexing: Lexing, at: number): boolean {
  if (at > 0 && lexing.source.charAt(at - 1) === "$") return false;
  if (at >= lexing.commentsEnd) return false;
  if (lexing.source.indexOf("#}", at + 2) >= 0) return true;
  lexing.commentsEnd = at;
  return false;
}

function pushText(lexing: Lexing, to: number, trimEnd: boolean): void {
  let value = lexing.source.slice(lexing.at, to);
  if (lexing.trimStart) value = value.trimStart();
  if (trimEnd && to < lexing.end) value = value.trimEnd();
  lexing.trimStart = false;
  if (value === "") return;
  value = value.includes("\r") ? value.replace(/\r\n?/g, "\n") : value;
  lexing.tokens.push({ kind: "text", value, start: lexing.at, end: to });
}

function readTag(lexing: Lexing): void {
  const { source, at } = lexing;
  const second = source.charAt(at + 1);
  if (second === "#") {
    const closing = source.indexOf("#}", at + 2);
    lexing.trimStart = closing > at + 2 && source.charAt(closing - 1) === "-";
    lexing.at = closing + 2;
    return;
  }
  rawOpening.lastIndex = at;
  const raw = rawOpening.exec(source);
  if (raw !== null) {
    readRaw(lexing, raw);
    return;
  }
  const mark = second === "{" ? "{{" : "{%";
  lexing.tokens.push({ kind: "mark", value: mark, start: at, end: at + 2 });
  const sign = source.charAt(at + 2);
  lexing.at = at + (sign === "-" || sign === "+" ? 3 : 2);
  readWords(lexing, { mark: mark === "{{" ? "}}" : "%}", offset: at });
}

function readRaw(lexing: Lexing, opening: RegExpExecArray): void {
  const opened = lexing.at;
  lexing.at += opening[0].length;
  rawClosing.lastIndex = lexing.at;
  const closing = rawClosing.exec(lexing.source);
  if (closing === null) {
    throw new TemplateSyntaxError("expected '{% endraw %}' to close '{% raw %}'", opened);
  }
  lexing.trimStart = opening[1] === "-";
  pushText(lexing, closing.index, closing[1] === "-");
  lexing.at = closing.index + closing[0].length;
  lexing.trimStart = closing[2] === "-";
}

/** Reads words up to the closing mark of the tag, or to the end of a bare expression. */
function readWords(
  lexing: Lexing,
  tag: { readonly mark: "}}" | "%}"; readonly offset: number } | undefined,
): void {
  const { source, end } = lexing;
  const brackets: Bracket[] = [];
  while (true) {
    const blank = match(lexing, spaces);
    if (blank !== undefined) lexing.at += blank.length;
    if (lexing.at >= end) break;
    if (tag !== undefined && brackets.length === 0) {
      const sign = source.charAt(lexing.at);
      const signed = sign === "-" || (sign === "+" && tag.mark === "%}") ? 1 : 0;
      if (source.startsWith(tag.mark, lexing.at + signed)) {
        const start = lexing.at;
        lexing.at += signed + 2;
        lexing.tokens.push({ kind: "mark", value: tag.mark, start, end: lexing.at });
        lexing.trimStart = sign === "-";
        return;
      }
    }
    readWord(lexing, brackets);
  }
  const bracket = brackets.at(-1);
  if (bracket !== undefined) {
    throw new TemplateSyntaxError(
      `expected '${bracket.close}' to close '${source.charAt(bracket.offset)}'`,
      bracket.offset,
    );
  }
  if (tag === undefined) return;
  const opening = source.slice(tag.offset, tag.offset + 2);
  throw new TemplateSyntaxError(`expected '${tag.mark}' to close '${opening}'`, tag.offset);
}

function readWord(lexing: Lexing, brackets: Bracket[]): void {
  const { source, at: start } = lexing;
  const first = source.charAt(start);
  if (first === "'" || first === '"') {
    readString(lexing, first);
    return;
  }
  const name = match(lexing, names);
  if (name !== undefined) {
    push(lexing, { kind: "name", value: name, start, end: start + name.length });
    return;
  }
  const float = source.charAt(start - 1) === "." ? undefined : match(lexing, floats);
  if (float !== undefined) {
    const value = decodeFloat(float, start);
    push(lexing, { kind: "float", value, start, end: start + float.length });
    return;
  }
  const integer = match(lexing, integers);
  if (integer !== undefined) {
    const value = decodeInteger(integer, start);
    push(lexing, { kind: "integer", value, start, end: start + integer.length });
    return;
  }
  const operator = match(lexing, operators);
  if (operator === undefined) {
    const found = String.fromCodePoint(source.codePointAt(start) ?? 0);
    throw new TemplateSyntaxError(`unexpected character '${found}' in an expression`, start);
  }
  balance(brackets, operator, start);
  push(lexing, { kind: "operator", value: operator, start, end: start + operator.length });
}

function balance(brackets: Bracket[], operator: string, offset: number): void {
  const close = closerByOpener.get(operator);
  if (close !== undefined) {
    brackets.push({ close, offset });
    return;
  }
  if (operator !== ")" && operator !== "]" && operator !== "}") return;
  const opened = brackets.pop();
  if (opened === undefined) throw new TemplateSyntaxError(`unexpected '${operator}'`, offset);
  if (opened.close !== operator) {
    throw new TemplateSyntaxError(`expected '${opened.close}', found '${operator}'`, offset);
  }
}

function readString(lexing: Lexing, quote: string): void {
  const { source, at: start, end } = lexing;
  let at = start + 1;
  while (at < end && source.charAt(at) !== quote) at += source.charAt(at) === "\\" ? 2 : 1;
  if (at >= end) throw new TemplateSyntaxError(`expected ${quote} to close the string`, start);
  const value = decodeString(source.slice(start + 1, at), start + 1);
  push(lexing, { kind: "string", value, start, end: at + 1 });
}

function push(lexing: Lexing, token: Token): void {
  lexing.tokens.push(token);
  lexing.at = token.end;
}

function match(lexing: Lexing, pattern: RegExp): string | undefined {
  pattern.lastIndex = lexing.at;
  return pattern.exec(lexing.source)?.[0];
}
