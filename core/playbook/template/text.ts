// Operations on text that filters and methods share, with Python's meaning of words and lines.

import { characterCount, charactersOf } from "./access.ts";
import { textOf } from "./print.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import { kindOf, numberOf } from "./values.ts";

/** An argument that is a whole number; `instead` stands for an absent one. */
export function wholeArgument(value: unknown, instead: number, run: Run): number {
  if (value === undefined) return instead;
  const number = numberOf(value);
  if (number === undefined || !Number.isSafeInteger(Number(number))) {
    return fail(run, "type", `expected a whole number as argument, found ${kindOf(value)}`);
  }
  return Number(number);
}

/** An argument that is a text; `instead` stands for an absent one. */
export function textArgument(value: unknown, instead: string, run: Run): string {
  return value === undefined ? instead : textOf(value, run);
}

/** A fill of so many copies, admitted before it is made. */
export function fill(text: string, count: number, run: Run): string {
  if (count <= 0) return "";
  admitChars(run, text.length * count);
  return text.repeat(count);
}

/** A text that has to be one: the arguments of methods are not turned into texts. */
export function strictText(value: unknown, run: Run): string {
  if (typeof value === "string") return value;
  return fail(run, "type", `expected a string as argument, found ${kindOf(value)}`);
}

export function capitalize(text: string): string {
  const [first = "", ...rest] = charactersOf(text);
  return titleLetter(first) + rest.join("").toLowerCase();
}

/** A letter as the first of a word: where its capital is several letters, the first of them is. */
export function titleLetter(letter: string): string {
  const [first = "", ...rest] = charactersOf(letter.toUpperCase());
  return first + rest.join("").toLowerCase();
}

/** Centred as Python does: the odd space goes left if the width is odd too. */
export function center(text: string, width: number, run: Run): string {
  const missing = width - characterCount(text);
  if (missing <= 0) return text;
  const odd = missing % 2 === 1 && width % 2 === 1 ? 1 : 0;
  const left = Math.floor(missing / 2) + odd;
  return fill(" ", left, run) + text + fill(" ", missing - left, run);
}

/** Without the given characters at its ends; without white space if none are given. */
export function strip(text: string, chars: string | undefined, sides: "both" | "left" | "right") {
  if (chars === undefined) {
    if (sides === "both") return text.trim();
    return sides === "left" ? text.trimStart() : text.trimEnd();
  }
  const cut = new Set(charactersOf(chars));
  const characters = charactersOf(text);
  let from = 0;
  let to = characters.length;
  if (sides !== "right") while (from < to && cut.has(characters[from] ?? "")) from++;
  if (sides !== "left") while (to > from && cut.has(characters[to - 1] ?? "")) to--;
  return characters.slice(from, to).join("");
}

export interface Replacement {
  readonly old: string;
  readonly by: string;
  /** How many to replace, from the left; negative for all. */
  readonly count: number;
}

export function replace(text: string, { old, by, count }: Replacement, run: Run): string {
  const most = count < 0 ? Number.POSITIVE_INFINITY : count;
  const parts = old === "" ? charactersOf(text) : text.split(old);
  const gaps = old === "" ? parts.length + 1 : parts.length - 1;
  const changed = Math.min(gaps, most);
  admitChars(run, text.length + changed * Math.max(0, by.length - old.length));
  if (old === "") {
    const head = parts.map((part, index) => (index < changed ? by + part : part)).join("");
    return changed > parts.length ? head + by : head;
  }
  const head = parts.slice(0, changed + 1).join(by);
  return [head, ...parts.slice(changed + 1)].join(old);
}

/** As Python's `str.split`: at white space without a separator; `most` cuts, from the left. */
export function split(
  text: string,
  separator: string | undefined,
  { most, run }: { readonly most: number; readonly run: Run },
): string[] {
  if (separator === "") return fail(run, "range", "the separator of split can't be empty");
  const parts = separator === undefined ? splitBlank(text, most) : splitAt(text, separator, most);
  spend(run, parts.length);
  return parts;
}

function splitAt(text: string, separator: string, most: number): string[] {
  const parts = text.split(separator);
  if (most < 0 || parts.length <= most + 1) return parts;
  return [...parts.slice(0, most), parts.slice(most).join(separator)];
}

function splitBlank(text: string, most: number): string[] {
  const rest = text.trim();
  if (rest === "") return [];
  if (most < 0) return rest.split(/\s+/);
  const parts: string[] = [];
  let at = 0;
  for (const match of text.trimStart().matchAll(/\S+\s*/g)) {
    if (parts.length === most) break;
    parts.push(match[0].trimEnd());
    at = match.index + match[0].length;
  }
  const tail = text.trimStart().slice(at);
  return tail === "" ? parts : [...parts, tail];
}

/** Split from the right, `most` cuts. */
export function splitRight(
  text: string,
  separator: string | undefined,
  { most, run }: { readonly most: number; readonly run: Run },
): string[] {
  const parts = split(text, separator, { most: -1, run });
  if (most < 0 || parts.length <= most + 1) return parts;
  if (separator !== undefined) {
    const cut = parts.length - most;
    return [parts.slice(0, cut).join(separator), ...parts.slice(cut)];
  }
  const tail = parts.slice(parts.length - most);
  let head = text.trimEnd();
  for (const part of tail.toReversed()) head = head.slice(0, head.length - part.length).trimEnd();
  return [head, ...tail];
}

/** The lines without their ends, as Python's `str.splitlines`. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
