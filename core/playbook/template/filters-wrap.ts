// Filters that lay text out in lines: indent and wordwrap.

import { charactersOf } from "./access.ts";
import { type Callable, define } from "./callable.ts";
import { textOf } from "./print.ts";
import { admitChars, fail, type Run, spend, spendChars } from "./run.ts";
import { fill, linesOf, textArgument, wholeArgument } from "./text.ts";
import { truthOf } from "./values.ts";

/** Lines but the first (or all, with `first`) moved right; blank ones too, with `blank`. */
function indent(value: unknown, args: readonly unknown[], run: Run): string {
  const text = textOf(value, run);
  const [width, first, blank] = args;
  const margin = typeof width === "string" ? width : fill(" ", wholeArgument(width, 4, run), run);
  const lines = linesOf(`${text}\n`);
  admitChars(run, text.length + lines.length * (margin.length + 1));
  const [head = "", ...rest] = lines;
  const moved = rest.map((line) => (line === "" && !truthOf(blank) ? line : margin + line));
  return (truthOf(first) ? margin : "") + [head, ...moved].join("\n");
}

interface Wrapping {
  readonly width: number;
  readonly breakWords: boolean;
  readonly breakHyphens: boolean;
}

function wordWrap(value: unknown, args: readonly unknown[], run: Run): string {
  const text = textOf(value, run);
  const [width, breakWords = true, lineEnd, breakHyphens = true] = args;
  const wrapping = {
    width: wholeArgument(width, 79, run),
    breakWords: truthOf(breakWords),
    breakHyphens: truthOf(breakHyphens),
  };
  if (wrapping.width < 1) return fail(run, "range", "the width of wordwrap is at least 1");
  spend(run, text.length);
  const end = textArgument(lineEnd ?? undefined, "\n", run);
  const lines = linesOf(text).map((line) => wrapLine(line, wrapping, run));
  const count = lines.reduce((sum, wrapped) => sum + wrapped.length, 0);
  admitChars(run, text.length + (count + lines.length) * end.length);
  return lines.map((wrapped) => wrapped.join(end)).join(end);
}

/** A dash between words, which is a piece of its own. */
const dashes = /((?<=[\p{L}\p{N}_!"'&.,?])-{2,}(?=[\p{L}\p{N}_]))/u;
/** The places inside a word where a line may end after a hyphen between letters. */
const hyphens = /(?<=[\p{L}_]{2}-|[\p{L}_]-[\p{L}_]-)(?=[\p{L}_]-?[\p{L}_])/u;

function piecesOf(word: string): string[] {
  return word.split(dashes).flatMap((part) => part.split(hyphens));
}

function wrapLine(line: string, wrapping: Wrapping, run: Run): string[] {
  const chunks = line
    .split(/(\s+)/)
    .flatMap((part) => (wrapping.breakHyphens ? piecesOf(part) : [part]))
    .filter((part) => part !== "")
    .reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    if (lines.length > 0 && chunks.at(-1)?.trim() === "") chunks.pop();
    spendChars(run, chunks.at(-1)?.length ?? 0);
    const wrapped = takeLine(chunks, wrapping);
    if (wrapped !== "") lines.push(wrapped);
  }
  return lines;
}

/** Takes chunks from the end of the stack until the line is full. */
function takeLine(chunks: string[], wrapping: Wrapping): string {
  const taken: string[] = [];
  let left = wrapping.width;
  for (let chunk = chunks.at(-1); chunk !== undefined; chunk = chunks.at(-1)) {
    const size = charactersOf(chunk).length;
    if (size > left) break;
    taken.push(chunk);
    left -= size;
    chunks.pop();
  }
  const next = chunks.at(-1);
  if (next !== undefined && charactersOf(next).length > wrapping.width) {
    if (wrapping.breakWords && left > 0) taken.push(breakWord(chunks, next, { left, wrapping }));
    else if (taken.length === 0) taken.push(chunks.pop() ?? "");
  }
  if (taken.at(-1)?.trim() === "") taken.pop();
  return taken.join("");
}

function breakWord(
  chunks: string[],
  word: string,
  { left, wrapping }: { readonly left: number; readonly wrapping: Wrapping },
): string {
  const characters = charactersOf(word);
  const hyphen = wrapping.breakHyphens ? characters.lastIndexOf("-", left - 1) : -1;
  const fits = hyphen > 0 && characters.slice(0, hyphen).some((character) => character !== "-");
  const cut = fits ? hyphen + 1 : left;
  chunks[chunks.length - 1] = characters.slice(cut).join("");
  return characters.slice(0, cut).join("");
}

export const wrapFilters: readonly Callable[] = [
  define("indent", "width? first? blank?", indent),
  define("wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", wordWrap),
];
