// What the literals of a template say: escapes inside quotes as Python reads them, and numbers
// without loss (an integer beyond 2^53 becomes a bigint).

import { templateIntegerLiteralCharsMax } from "#core/model/limits";
import { TemplateSyntaxError } from "./errors.ts";

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ["\n", ""],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);
const hexDigitsByEscape: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);
const codePointMax = 0x10ffff;

/**
 * The text of a string literal whose content starts at `offset` of the source. An escape that
 * Python does not know stays as written, backslash included, so `'\d'` is a usable pattern.
 */
export function decodeString(body: string, offset: number): string {
  if (!body.includes("\\")) return body;
  let text = "";
  let at = 0;
  while (at < body.length) {
    const backslash = body.indexOf("\\", at);
    if (backslash < 0) break;
    text += body.slice(at, backslash);
    const [decoded, length] = decodeEscape(body, backslash, offset);
    text += decoded;
    at = backslash + length;
  }
  return text + body.slice(at);
}

function decodeEscape(body: string, at: number, offset: number): readonly [string, number] {
  const letter = body.charAt(at + 1);
  const simple = simpleEscapes.get(letter);
  if (simple !== undefined) return [simple, 2];
  const digits = hexDigitsByEscape.get(letter);
  if (digits !== undefined) {
    const hex = body.slice(at + 2, at + 2 + digits);
    const code =
      /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
    if (code < 0 || code > codePointMax) {
      throw new TemplateSyntaxError(
        `expected ${digits} hexadecimal digits of a character after '\\${letter}'`,
        offset + at,
      );
    }
    return [String.fromCodePoint(code), 2 + digits];
  }
  const octal = /^[0-7]{1,3}/.exec(body.slice(at + 1, at + 4))?.[0];
  if (octal !== undefined)
    return [String.fromCodePoint(Number.parseInt(octal, 8)), 1 + octal.length];
  if (letter === "N") {
    throw new TemplateSyntaxError("characters can't be written by name, use '\\u'", offset + at);
  }
  return [`\\${letter}`, 2];
}

/** The value of an integer literal, exact whatever its size. */
export function decodeInteger(text: string, offset: number): number | bigint {
  if (text.length > templateIntegerLiteralCharsMax) {
    throw new TemplateSyntaxError(
      `the integer is longer than ${templateIntegerLiteralCharsMax} digits`,
      offset,
    );
  }
  const wide = BigInt(text.replaceAll("_", ""));
  const narrow = Number(wide);
  return Number.isSafeInteger(narrow) ? narrow : wide;
}

/** The value of a float literal. */
export function decodeFloat(text: string, offset: number): number {
  const value = Number(text.replaceAll("_", ""));
  if (!Number.isFinite(value)) {
    throw new TemplateSyntaxError(`expected a finite number, found '${text}'`, offset);
  }
  return value;
}
