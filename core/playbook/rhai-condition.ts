// Conditions in Rhai, as the command line of earlier versions took them, in the words of templates.
// A small part of Rhai: names and paths, literals, comparisons, && || !, and what is asked of lists
// and texts. Anything else is left to a person.

/** The expression for `{{ … }}`; undefined for what isn't known here. */
export function templateOfRhai(source: string): string | undefined {
  const words = source.length > sourceCharsMax ? undefined : wordsOf(source);
  if (words === undefined) return undefined;
  const reader: Reader = { words, at: 0 };
  const read = either(reader);
  return read === undefined || reader.at < words.length ? undefined : read.text;
}

/** Also bounds how deep parentheses can go. */
const sourceCharsMax = 4_000;

interface Word {
  readonly kind: "name" | "number" | "text" | "sign";
  readonly value: string;
}

interface Reader {
  readonly words: readonly Word[];
  at: number;
}

/** How tightly an expression holds together: what binds looser needs parentheses inside it. */
type Binding = "or" | "and" | "not" | "compare" | "whole";

interface Read {
  readonly text: string;
  readonly binding: Binding;
}

const order: readonly Binding[] = ["or", "and", "not", "compare", "whole"];
const name = "([\\p{L}_][\\p{L}\\p{N}_]*)";
const number = "(\\d+(?:\\.\\d+)?)";
const quotedText = `("(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*')`;
const sign = "(&&|\\|\\||[=!<>]=|[<>!().[\\],-])";
const word = new RegExp(`\\s*(?:${name}|${number}|${quotedText}|${sign})`, "uy");

function wordsOf(source: string): readonly Word[] | undefined {
  const words: Word[] = [];
  const text = source.trimEnd();
  for (let at = 0; at < text.length; at = word.lastIndex) {
    word.lastIndex = at;
    const found = word.exec(text);
    if (found === null) return undefined;
    const [, named, counted, quoted, signed] = found;
    if (named !== undefined) words.push({ kind: "name", value: named });
    else if (counted !== undefined) words.push({ kind: "number", value: counted });
    else if (quoted !== undefined) words.push({ kind: "text", value: textOf(quoted) });
    else words.push({ kind: "sign", value: signed ?? "" });
  }
  return words;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** A text literal of templates with the same content. */
function textOf(quoted: string): string {
  const content = quoted
    .slice(1, -1)
    .replace(/\\(.)/gs, (_, character: string) => escapes[character] ?? character);
  const escaped = content
    .replace(/[\\']/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\r", "\\r");
  return `'${escaped}'`;
}

/** Takes the next word if it is this sign. */
function took(reader: Reader, sign: string): boolean {
  const next = reader.words[reader.at];
  if (next?.kind !== "sign" || next.value !== sign) return false;
  reader.at++;
  return true;
}

function inside({ text, binding }: Read, outer: Binding): string {
  return order.indexOf(binding) < order.indexOf(outer) ? `(${text})` : text;
}

function either(reader: Reader): Read | undefined {
  return joined(reader, { sign: "||", binding: "or", part: both });
}

function both(reader: Reader): Read | undefined {
  return joined(reader, { sign: "&&", binding: "and", part: compared });
}

interface Joining {
  readonly sign: string;
  readonly binding: "or" | "and";
  readonly part: (reader: Reader) => Read | undefined;
}

function joined(reader: Reader, { sign, binding, part }: Joining): Read | undefined {
  const first = part(reader);
  if (first === undefined || reader.words[reader.at]?.value !== sign) return first;
  const parts = [first];
  while (took(reader, sign)) {
    const next = part(reader);
    if (next === undefined) return undefined;
    parts.push(next);
  }
  return { text: parts.map((read) => inside(read, binding)).join(` ${binding} `), binding };
}

const comparisons: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

function compared(reader: Reader): Read | undefined {
  const left = unary(reader);
  const sign = reader.words[reader.at];
  if (left === undefined || sign?.kind !== "sign" || !comparisons.has(sign.value)) return left;
  reader.at++;
  const right = unary(reader);
  if (right === undefined) return undefined;
  if (right.text === nothing) return isNothing(left, sign.value);
  const text = `${inside(left, "whole")} ${sign.value} ${inside(right, "whole")}`;
  return { text, binding: "compare" };
}

/** What Rhai writes as `()`: a key that is missing is that too. */
const nothing = "none";

function isNothing(read: Read, sign: string): Read | undefined {
  if (sign !== "==" && sign !== "!=") return undefined;
  const text = `${inside(read, "whole")} | default(none) is ${sign === "==" ? "" : "not "}none`;
  return { text, binding: "compare" };
}

/** `!` binds tighter than a comparison in Rhai, and looser in templates. */
function unary(reader: Reader): Read | undefined {
  return took(reader, "!") ? not(unary(reader)) : withMethods(reader);
}

function not(read: Read | undefined): Read | undefined {
  return read && { text: `not ${inside(read, "compare")}`, binding: "not" };
}

function withMethods(reader: Reader): Read | undefined {
  let read = primary(reader);
  while (read !== undefined) {
    if (took(reader, "[")) read = indexed(reader, read);
    else if (took(reader, ".")) read = member(reader, read);
    else return read;
  }
  return undefined;
}

function indexed(reader: Reader, target: Read): Read | undefined {
  const key = reader.words[reader.at++];
  if (key === undefined || (key.kind !== "text" && key.kind !== "number")) return undefined;
  if (!took(reader, "]")) return undefined;
  return { text: `${inside(target, "whole")}[${key.value}]`, binding: "whole" };
}

function member(reader: Reader, target: Read): Read | undefined {
  const name = reader.words[reader.at++];
  if (name?.kind !== "name") return undefined;
  const on = inside(target, "whole");
  if (!took(reader, "(")) return { text: `${on}.${name.value}`, binding: "whole" };
  if (name.value === "contains") {
    const part = either(reader);
    if (part === undefined || !took(reader, ")")) return undefined;
    return { text: `${inside(part, "whole")} in ${on}`, binding: "compare" };
  }
  if (!took(reader, ")")) return undefined;
  switch (name.value) {
    case "len":
      return { text: `${on} | length`, binding: "whole" };
    case "is_empty":
      return { text: `${on} | length == 0`, binding: "compare" };
    default:
      return undefined;
  }
}

function primary(reader: Reader): Read | undefined {
  if (took(reader, "(")) {
    if (took(reader, ")")) return { text: nothing, binding: "whole" };
    const inner = either(reader);
    return took(reader, ")") ? inner : undefined;
  }
  const minus = took(reader, "-");
  const next = reader.words[reader.at++];
  if (next === undefined || next.kind === "sign") return undefined;
  if (minus && next.kind !== "number") return undefined;
  if (next.kind === "name" && notNames.has(next.value)) return undefined;
  return { text: (minus ? "-" : "") + next.value, binding: "whole" };
}

/** Words that mean something else in one of the two languages. */
const notNames: ReadonlySet<string> = new Set([
  "and",
  "else",
  "fn",
  "if",
  "in",
  "is",
  "let",
  "none",
  "not",
  "or",
  "return",
  "while",
]);
