// The methods of Python that templates call on texts, dicts and lists. They are a closed table:
// nothing of JavaScript's own objects can be called.

import { charactersOf, hasSurrogates, isRecord, keyText } from "./access.ts";
import { type Callable, define, registry } from "./callable.ts";
import { plain } from "./contract.ts";
import { Loop } from "./loop.ts";
import { textOf } from "./print.ts";
import { admitChars, fail, type Run, spend } from "./run.ts";
import { Cycler } from "./sequences.ts";
import {
  capitalize,
  center,
  fill,
  linesOf,
  replace,
  split,
  splitRight,
  strictText,
  strip,
  titleLetter,
  wholeArgument,
} from "./text.ts";
import { equals, itemsOf, kindOf, truthOf, undefinedOperand } from "./values.ts";

type TextMethod = (text: string, args: readonly unknown[], run: Run) => unknown;

function noMethod(name: string, value: unknown, run: Run): never {
  if (value === undefined) return undefinedOperand(run, 0, `called with '.${name}()'`);
  return fail(run, "type", `${kindOf(value)} has no method '${name}'`);
}

function onText(name: string, signature: string, method: TextMethod): Callable {
  return define(name, signature, (target, args, run) => {
    const value = plain(target);
    if (typeof value !== "string") return noMethod(name, value, run);
    const result = method(value, args, run);
    if (typeof result === "string") admitChars(run, result.length);
    return result;
  });
}

function optionalText(value: unknown, run: Run): string | undefined {
  return value === undefined || value === null ? undefined : strictText(value, run);
}

function stripping(sides: "both" | "left" | "right"): TextMethod {
  return (text, [chars], run) => strip(text, optionalText(chars, run), sides);
}

/** True if one of the given texts (a list of them, or one) passes. */
function anyAffix(given: unknown, passes: (affix: string) => boolean, run: Run): boolean {
  const affixes = Array.isArray(given) ? given : [given];
  return affixes.some((affix) => passes(strictText(affix, run)));
}

function joinTexts(text: string, [items]: readonly unknown[], run: Run): string {
  const parts = itemsOf(items, run).map((item) => {
    const part = plain(item);
    return typeof part === "string"
      ? part
      : fail(run, "type", `join() takes strings, found ${kindOf(part)}`);
  });
  spend(run, parts.length);
  admitChars(
    run,
    parts.reduce((sum, part) => sum + part.length + text.length, 0),
  );
  return parts.join(text);
}

/** Capitals after each character that is not a letter, as Python's `str.title`. */
function titleCase(text: string): string {
  return text.toLowerCase().replace(/(?<![\p{L}\p{M}])\p{L}/gu, titleLetter);
}

function swapCase(text: string): string {
  return charactersOf(text)
    .map((letter) =>
      letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
    )
    .join("");
}

/** The index of a text within another, in characters; -1 if it is not there. */
function findText(text: string, [part, start, end]: readonly unknown[], run: Run): number {
  const characters = hasSurrogates(text);
  const from = position(wholeArgument(start ?? undefined, 0, run), text);
  const to = position(wholeArgument(end ?? undefined, text.length, run), text);
  const found = text.slice(0, to).indexOf(strictText(part, run), from);
  return found > 0 && characters ? charactersOf(text.slice(0, found)).length : found;
}

function position(index: number, text: string): number {
  return Math.max(0, Math.min(index < 0 ? index + text.length : index, text.length));
}

function indexOf(target: unknown, args: readonly unknown[], run: Run): number {
  const value = plain(target);
  const found =
    typeof value === "string"
      ? findText(value, args, run)
      : Array.isArray(value)
        ? value.findIndex((item) => equals(item, args[0], run))
        : noMethod("index", value, run);
  return found < 0 ? fail(run, "range", "index() found no such part") : found;
}

function countOf(target: unknown, [part]: readonly unknown[], run: Run): number {
  const value = plain(target);
  if (Array.isArray(value)) return value.filter((item) => equals(item, part, run)).length;
  if (typeof value !== "string") return noMethod("count", value, run);
  const text = strictText(part, run);
  return text === "" ? charactersOf(value).length + 1 : value.split(text).length - 1;
}

function zeroFill(text: string, [width]: readonly unknown[], run: Run): string {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const zeros = fill("0", wholeArgument(width, 0, run) - charactersOf(text).length, run);
  return sign + zeros + text.slice(sign.length);
}

function justify(side: "left" | "right"): TextMethod {
  return (text, [width, character], run) => {
    const missing = wholeArgument(width, 0, run) - charactersOf(text).length;
    const padding = fill(optionalText(character, run) ?? " ", missing, run);
    return side === "left" ? text + padding : padding + text;
  };
}

function splitting(cut: typeof split): TextMethod {
  return (text, [separator, most], run) =>
    cut(text, optionalText(separator, run), { most: wholeArgument(most, -1, run), run });
}

function lines(text: string, [keepEnds]: readonly unknown[], run: Run): readonly string[] {
  const found = linesOf(text);
  spend(run, found.length);
  if (!truthOf(keepEnds)) return found;
  let at = 0;
  return found.map((line) => {
    const start = at;
    at += line.length;
    at += text.startsWith("\r\n", at) ? 2 : 1;
    return text.slice(start, at);
  });
}

/** `{}`, `{0}` and `{name}` replaced; nothing after the name, so no formats and no attributes. */
function formatFields(text: string, [pairs, ...values]: readonly unknown[], run: Run): string {
  const named = new Map(itemsOf(pairs, run).map((pair) => [itemsOf(pair, run)[0], pair]));
  let next = 0;
  let chars = 0;
  const formatted = text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (match, field?: string) => {
    if (match === "{{" || match === "}}") return match.charAt(0);
    if (field === undefined || !/^\w*$/.test(field)) {
      return fail(run, "type", "format() takes fields like {}, {0} and {name} only");
    }
    const index = field === "" ? next++ : Number(field);
    const isIndex = Number.isInteger(index);
    if (isIndex ? index >= values.length : !named.has(field)) {
      return fail(run, "range", "format() has a field without a value");
    }
    const value = isIndex ? values[index] : itemsOf(named.get(field), run)[1];
    const shown = textOf(value, run);
    chars += shown.length;
    admitChars(run, chars);
    return shown;
  });
  return formatted;
}

function isAll(pattern: RegExp): TextMethod {
  return (text) => pattern.test(text);
}

function isCased(change: (text: string) => string): TextMethod {
  return (text) => change(text) === text && text.toLowerCase() !== text.toUpperCase();
}

const textMethods: readonly Callable[] = [
  onText("upper", "", (text) => text.toUpperCase()),
  onText("lower", "", (text) => text.toLowerCase()),
  onText("capitalize", "", capitalize),
  onText("title", "", titleCase),
  onText("swapcase", "", swapCase),
  onText("strip", "chars?", stripping("both")),
  onText("lstrip", "chars?", stripping("left")),
  onText("rstrip", "chars?", stripping("right")),
  onText("split", "sep? maxsplit?", splitting(split)),
  onText("rsplit", "sep? maxsplit?", splitting(splitRight)),
  onText("splitlines", "keepends?", lines),
  onText("join", "items", joinTexts),
  onText("replace", "old new count?", (text, [old, by, count], run) => {
    const most = wholeArgument(count, -1, run);
    return replace(text, { old: strictText(old, run), by: strictText(by, run), count: most }, run);
  }),
  onText("startswith", "prefix", (text, [prefix], run) =>
    anyAffix(prefix, (affix) => text.startsWith(affix), run),
  ),
  onText("endswith", "suffix", (text, [suffix], run) =>
    anyAffix(suffix, (affix) => text.endsWith(affix), run),
  ),
  onText("removeprefix", "prefix", (text, [prefix], run) => {
    const cut = strictText(prefix, run);
    return text.startsWith(cut) ? text.slice(cut.length) : text;
  }),
  onText("removesuffix", "suffix", (text, [suffix], run) => {
    const cut = strictText(suffix, run);
    return text.endsWith(cut) ? text.slice(0, text.length - cut.length) : text;
  }),
  onText("find", "sub start? end?", findText),
  onText("center", "width", (text, [width], run) =>
    center(text, wholeArgument(width, 0, run), run),
  ),
  onText("ljust", "width fillchar?", justify("left")),
  onText("rjust", "width fillchar?", justify("right")),
  onText("zfill", "width", zeroFill),
  onText("format", "* **", formatFields),
  onText("isdigit", "", isAll(/^\p{Nd}+$/u)),
  onText("isnumeric", "", isAll(/^\p{N}+$/u)),
  onText("isalpha", "", isAll(/^\p{L}+$/u)),
  onText("isalnum", "", isAll(/^[\p{L}\p{N}]+$/u)),
  onText("isspace", "", isAll(/^\s+$/u)),
  onText(
    "isupper",
    "",
    isCased((text) => text.toUpperCase()),
  ),
  onText(
    "islower",
    "",
    isCased((text) => text.toLowerCase()),
  ),
];

function onDict(
  name: string,
  signature: string,
  method: (record: Readonly<Record<string, unknown>>, args: readonly unknown[]) => unknown,
): Callable {
  return define(name, signature, (target, args, run) => {
    const value = plain(target);
    if (!isRecord(value)) return noMethod(name, value, run);
    const result = method(value, args);
    spend(run, Array.isArray(result) ? result.length : 1);
    return result;
  });
}

const dictMethods: readonly Callable[] = [
  onDict("keys", "", (record) => Object.keys(record)),
  onDict("values", "", (record) => Object.values(record)),
  onDict("items", "", (record) => Object.entries(record)),
  onDict("get", "key default?", (record, [key, instead = null]) => {
    const name = keyText(key);
    return name !== undefined && Object.hasOwn(record, name) ? record[name] : instead;
  }),
];

const otherMethods: readonly Callable[] = [
  define("index", "part start? end?", indexOf),
  define("count", "part", countOf),
  define("cycle", "*", (target, args, run) =>
    target instanceof Loop ? target.cycle(args, run) : noMethod("cycle", target, run),
  ),
  define("changed", "*", (target, args, run) =>
    target instanceof Loop ? target.changed(args, run) : noMethod("changed", target, run),
  ),
  define("next", "", (target, _, run) =>
    target instanceof Cycler ? target.next() : noMethod("next", target, run),
  ),
  define("reset", "", (target, _, run) =>
    target instanceof Cycler ? target.reset() : noMethod("reset", target, run),
  ),
];

/** Every method, whatever it is called on; the kind of the target is checked by the method. */
export const methods = registry([...textMethods, ...dictMethods, ...otherMethods]);
