// Owns the finding of function bodies by their braces, without a parser: declarations, methods and
// arrows with a block. Good enough to measure them; it judges nothing.
import { lineAt, type SourceFile } from "./source.ts";

export type FunctionBody = {
  readonly name: string;
  readonly line: number;
  readonly lastLine: number;
  /** Lines from the signature to the closing brace, less those of named functions inside. */
  readonly ownLines: number;
  /** Parameters as written; a destructured object counts as one. */
  readonly parameters: number;
};

type Found = {
  readonly name: string;
  readonly start: number;
  readonly open: number;
  readonly close: number;
  readonly parameters: number;
};

const declaration = /(?<![\w$.])function\s*\*?\s*([\w$]*)\s*(?=[<(])/g;
const method = new RegExp(
  [
    "(?<=[{};,\\n]\\s*)",
    "(?:(?:public|private|protected|static|override|readonly|async|get|set)\\s+)*",
    "\\*?\\s*(#?[\\w$]+)\\s*(?=[<(])",
  ].join(""),
  "g",
);
const arrow = /=>\s*\{/g;
const arrowName = /(?:const|let)\s+([\w$]+)|([\w$]+)\s*[:=]\s*(?:async\s*)?[(<\w]/;
const notMethods = new Set(["if", "for", "while", "switch", "catch", "with", "function", "return"]);

/** Every function of a file that has a block of its own, in the order they begin. */
export function functionsOf(file: SourceFile): readonly FunctionBody[] {
  const { code } = file;
  const found = new Map<number, Found>();
  const add = (body: Found | undefined) => {
    if (body !== undefined && !found.has(body.open)) found.set(body.open, body);
  };
  for (const match of code.matchAll(arrow)) add(arrowBody(code, match.index));
  for (const match of code.matchAll(declaration)) {
    add(declaredBody(code, { start: match.index, name: match[1] ?? "", length: match[0].length }));
  }
  for (const match of code.matchAll(method)) {
    const name = match[1] ?? "";
    if (notMethods.has(name)) continue;
    const start = skipSpace(code, match.index);
    add(declaredBody(code, { start, name, length: match.index + match[0].length - start }));
  }
  const bodies = [...found.values()].sort((left, right) => left.start - right.start);
  return bodies.map((body) => measured(file, body, bodies));
}

function measured(file: SourceFile, body: Found, all: readonly Found[]): FunctionBody {
  const inside = all.filter(
    (other) => other.name !== "" && other.open > body.open && other.close < body.close,
  );
  const outermost = inside.filter(
    (one) => !inside.some((other) => other.open < one.open && other.close > one.close),
  );
  const lines = (one: Found) => lineAt(file.text, one.close) - lineAt(file.text, one.start) + 1;
  const nested = outermost.reduce((sum, one) => sum + lines(one), 0);
  return {
    name: body.name === "" ? "a callback" : body.name,
    line: lineAt(file.text, body.start),
    lastLine: lineAt(file.text, body.close),
    ownLines: lines(body) - nested,
    parameters: body.parameters,
  };
}

type Head = { readonly start: number; readonly name: string; readonly length: number };

function declaredBody(code: string, head: Head): Found | undefined {
  let at = head.start + head.length;
  if (code.charAt(at) === "<") at = skipSpace(code, closing(code, at) + 1);
  if (code.charAt(at) !== "(") return undefined;
  const end = closing(code, at);
  const open = bodyAfter(code, end + 1);
  if (open === undefined) return undefined;
  const parameters = countParameters(code.slice(at + 1, end));
  return { name: head.name, start: head.start, open, close: closing(code, open), parameters };
}

/** The brace of the body behind a parameter list, past a return type; undefined without a body. */
function bodyAfter(code: string, from: number): number | undefined {
  let at = skipSpace(code, from);
  if (code.charAt(at) === "{") return at;
  if (code.charAt(at) !== ":") return undefined;
  let operandDue = true;
  for (at = skipSpace(code, at + 1); at < code.length; at = skipSpace(code, at)) {
    const char = code.charAt(at);
    if (char === "{" && !operandDue) return at;
    if (";})=,".includes(char) && !code.startsWith("=>", at)) return undefined;
    const word = /^[\w$.]+/.exec(code.slice(at, at + 80))?.[0];
    if (word !== undefined) {
      operandDue = /^(?:readonly|keyof|typeof|is|asserts|extends|infer|unique)$/.test(word);
      at += word.length;
    } else if ("{([<".includes(char)) {
      operandDue = false;
      at = closing(code, at) + 1;
    } else {
      operandDue = "|&>?:".includes(char);
      at += 1;
    }
  }
  return undefined;
}

function arrowBody(code: string, at: number): Found {
  const open = code.indexOf("{", at);
  const parensEnd = code.slice(0, at).trimEnd().length - 1;
  const parensStart = code.charAt(parensEnd) === ")" ? opening(code, parensEnd) : undefined;
  const start = code.lastIndexOf("\n", parensStart ?? at) + 1;
  const name = arrowName.exec(code.slice(start, at));
  return {
    name: name?.[1] ?? name?.[2] ?? "",
    start: start + (code.slice(start).length - code.slice(start).trimStart().length),
    open,
    close: closing(code, open),
    parameters:
      parensStart === undefined ? 1 : countParameters(code.slice(parensStart + 1, parensEnd)),
  };
}

const pairs: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "<": ">" };

/** Where the bracket at `from` is closed; angle brackets skip the head of an arrow. */
function closing(code: string, from: number): number {
  const open = code.charAt(from);
  const close = pairs[open] ?? "";
  let depth = 0;
  for (let at = from; at < code.length; at += 1) {
    const char = code.charAt(at);
    if (char === open) depth += 1;
    if (char !== close || (close === ">" && code.charAt(at - 1) === "=")) continue;
    depth -= 1;
    if (depth === 0) return at;
  }
  return code.length - 1;
}

function opening(code: string, from: number): number {
  let depth = 0;
  for (let at = from; at >= 0; at -= 1) {
    if (code.charAt(at) === ")") depth += 1;
    if (code.charAt(at) !== "(") continue;
    depth -= 1;
    if (depth === 0) return at;
  }
  return 0;
}

function countParameters(list: string): number {
  let depth = 0;
  let count = list.trim() === "" ? 0 : 1;
  for (const [at, char] of [...list.trimEnd().replace(/,$/, "")].entries()) {
    if ("([{<".includes(char)) depth += 1;
    if (")]}".includes(char) || (char === ">" && list.charAt(at - 1) !== "=")) depth -= 1;
    if (char === "," && depth === 0) count += 1;
  }
  return count;
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (at < code.length && /\s/.test(code.charAt(at))) at += 1;
  return at;
}
