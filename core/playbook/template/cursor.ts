// The parser's place among the tokens, and the errors it reports there.

import { templateDepthMax } from "#core/model/limits";
import { TemplateSyntaxError } from "./errors.ts";
import type { Token } from "./lexer.ts";

/** Mutable on purpose: the parsing functions move one cursor along. */
export interface Cursor {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

const foundTextCharsMax = 40;

export function current(cursor: Cursor): Token {
  return peek(cursor, 0);
}

/** The token so many places further; the end token stands for all that would follow it. */
export function peek(cursor: Cursor, places: number): Token {
  const token = cursor.tokens[cursor.at + places] ?? cursor.tokens.at(-1);
  return token ?? { kind: "end", value: "", start: 0, end: 0 };
}

export function advance(cursor: Cursor): Token {
  const token = current(cursor);
  cursor.at++;
  return token;
}

/** The end of the last token taken: where the node being built ends. */
export function lastEnd(cursor: Cursor): number {
  return cursor.tokens[cursor.at - 1]?.end ?? 0;
}

export function isOperator(cursor: Cursor, value: string): boolean {
  const token = current(cursor);
  return token.kind === "operator" && token.value === value;
}

export function isName(cursor: Cursor, value: string): boolean {
  const token = current(cursor);
  return token.kind === "name" && token.value === value;
}

/** Takes the operator if it comes next. */
export function takeOperator(cursor: Cursor, value: string): boolean {
  if (!isOperator(cursor, value)) return false;
  cursor.at++;
  return true;
}

/** Takes the word if it comes next. */
export function takeName(cursor: Cursor, value: string): boolean {
  if (!isName(cursor, value)) return false;
  cursor.at++;
  return true;
}

export function expectOperator(cursor: Cursor, value: string): void {
  if (!takeOperator(cursor, value)) unexpected(cursor, `'${value}'`);
}

export function expectName(cursor: Cursor, what: string): Token & { readonly kind: "name" } {
  const token = current(cursor);
  if (token.kind !== "name") return unexpected(cursor, what);
  cursor.at++;
  return token;
}

export function unexpected(cursor: Cursor, expected: string): never {
  const token = current(cursor);
  throw new TemplateSyntaxError(`expected ${expected}, found ${describe(token)}`, token.start);
}

function describe(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end of the text";
    case "text":
      return "text";
    case "string":
      return "a string";
    case "integer":
    case "float":
      return `the number ${token.value}`;
    case "mark":
    case "name":
    case "operator":
      return token.value.length > foundTextCharsMax
        ? `'${token.value.slice(0, foundTextCharsMax)}…'`
        : `'${token.value}'`;
    default: {
      const none: never = token;
      return none;
    }
  }
}

/** Parses something nested; refuses what would need more stack than the bound stands for. */
export function nested<T>(cursor: Cursor, parse: (cursor: Cursor) => T): T {
  if (cursor.depth >= templateDepthMax) {
    throw new TemplateSyntaxError(
      `the template is nested deeper than ${templateDepthMax} levels`,
      current(cursor).start,
    );
  }
  cursor.depth++;
  const parsed = parse(cursor);
  cursor.depth--;
  return parsed;
}
