// Filters that make a text of a text.

import { charactersOf, isRecord } from "./access.ts";
import { type Callable, define } from "./callable.ts";
import { formatPercent } from "./format.ts";
import { textOf } from "./print.ts";
import { admitChars, type Run, spend } from "./run.ts";
import {
  capitalize,
  center,
  linesOf,
  replace,
  split,
  strip,
  textArgument,
  wholeArgument,
} from "./text.ts";
import { itemsOf } from "./values.ts";

/** A filter over the text of its value, whatever that is. */
function textFilter(
  name: string,
  signature: string,
  change: (text: string, args: readonly unknown[], run: Run) => unknown,
): Callable {
  return define(name, signature, (value, args, run) => {
    const changed = change(textOf(value, run), args, run);
    if (typeof changed === "string") admitChars(run, changed.length);
    return changed;
  });
}

/** The ampersand is the first: the other entities have one. */
const entities: readonly (readonly [string, string])[] = [
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["'", "&#39;"],
  ['"', "&#34;"],
];
const characterByEntity: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["apos", "'"],
  ["quot", '"'],
  ["nbsp", "\u00a0"],
]);
const codePointMax = 0x10ffff;

function escapeHtml(text: string): string {
  return entities.reduce((escaped, [mark, entity]) => escaped.replaceAll(mark, entity), text);
}

/** Without comments and tags, white space collapsed, the common entities as characters. */
function stripTags(text: string): string {
  const bare = without(without(text, "<!--", "-->"), "<", ">");
  const words = bare.trim().split(/\s+/).join(" ");
  return words.replace(/&(?:#(\d{1,7})|(\w{2,4}));/g, (entity, code?: string, name?: string) => {
    if (code === undefined) return characterByEntity.get(name ?? "") ?? entity;
    return Number(code) <= codePointMax ? String.fromCodePoint(Number(code)) : entity;
  });
}

function without(text: string, open: string, close: string): string {
  const kept: string[] = [];
  let at = 0;
  while (true) {
    const start = text.indexOf(open, at);
    const end = start < 0 ? -1 : text.indexOf(close, start);
    if (end < 0) break;
    kept.push(text.slice(at, start));
    at = end + close.length;
  }
  return kept.join("") + text.slice(at);
}

function titleCase(text: string, _: readonly unknown[], run: Run): string {
  spend(run, text.length);
  const words = text.split(/([-\s({[<]+)/);
  return words.map((word) => capitalWord(charactersOf(word))).join("");
}

function capitalWord([first = "", ...rest]: readonly string[]): string {
  return first.toUpperCase() + rest.join("").toLowerCase();
}

function percentEncode(text: string, keep: RegExp): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(keep, "/");
}

function queryEncode(value: unknown, run: Run): string {
  return percentEncode(textOf(value, run), /(?!)/).replaceAll("%20", "+");
}

/** A text is percent-encoded save for `/`; a dict or a list of pairs becomes a query. */
function urlEncode(value: unknown, _: readonly unknown[], run: Run): string {
  const isPairs = Array.isArray(value);
  if (!isPairs && !isRecord(value)) {
    const encoded = percentEncode(textOf(value, run), /%2F/g);
    admitChars(run, encoded.length);
    return encoded;
  }
  const pairs = isPairs ? value.map((pair) => itemsOf(pair, run)) : Object.entries(value);
  const query = pairs.map(([key, item]) => `${queryEncode(key, run)}=${queryEncode(item, run)}`);
  admitChars(
    run,
    query.reduce((chars, part) => chars + part.length + 1, 0),
  );
  return query.join("&");
}

function truncate(text: string, args: readonly unknown[], run: Run): string {
  const length = wholeArgument(args[0], 255, run);
  const end = textArgument(args[2], "...", run);
  const leeway = wholeArgument(args[3], 5, run);
  const characters = charactersOf(text);
  if (characters.length <= length + leeway) return text;
  const head = characters.slice(0, Math.max(0, length - end.length)).join("");
  if (args[1] === true) return head + end;
  const blank = head.lastIndexOf(" ");
  return (blank < 0 ? head : head.slice(0, blank)) + end;
}

function format(value: unknown, args: readonly unknown[], run: Run): string {
  const [pairs, ...values] = args;
  const named = new Map(itemsOf(pairs, run).map((pair) => [itemsOf(pair, run)[0], pair]));
  return formatPercent(textOf(value, run), values, {
    run,
    named: (key) => itemsOf(named.get(key), run)[1],
  });
}

function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0;
}

export const textFilters: readonly Callable[] = [
  textFilter("upper", "", (text) => text.toUpperCase()),
  textFilter("lower", "", (text) => text.toLowerCase()),
  textFilter("capitalize", "", capitalize),
  textFilter("title", "", titleCase),
  textFilter("escape", "", escapeHtml),
  textFilter("striptags", "", stripTags),
  textFilter("trim", "chars?", (text, [chars], run) =>
    strip(text, chars === undefined || chars === null ? undefined : textOf(chars, run), "both"),
  ),
  textFilter("center", "width?", (text, [width], run) =>
    center(text, wholeArgument(width, 80, run), run),
  ),
  textFilter("replace", "old new count?", (text, [old, by, count], run) =>
    replace(
      text,
      {
        old: textOf(old, run),
        by: textOf(by, run),
        count: wholeArgument(count ?? undefined, -1, run),
      },
      run,
    ),
  ),
  textFilter("split", "sep? maxsplit?", (text, [separator, most], run) => {
    const at = separator === undefined || separator === null ? undefined : textOf(separator, run);
    return split(text, at, { most: wholeArgument(most, -1, run), run });
  }),
  textFilter("truncate", "length? killwords? end? leeway?", truncate),
  textFilter("lines", "", (text, _, run) => {
    const lines = linesOf(text);
    spend(run, lines.length);
    return lines;
  }),
  textFilter("wordcount", "", countWords),
  define("urlencode", "", urlEncode),
  define("format", "* **", format),
];
