// Parses the statements of a template: text, outputs and the tags if, for, set, with, filter; macros
// are parsed in macros.ts.

import {
  advance,
  type Cursor,
  current,
  expectName,
  isName,
  isOperator,
  lastEnd,
  nested,
  peek,
  takeName,
  takeOperator,
  unexpected,
} from "./cursor.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { expectBindable, parseExpression, parseTuple, parseUnconditional } from "./expressions.ts";
import { parseCallBlock, parseMacro } from "./macros.ts";
import { parseFilter } from "./postfix.ts";
import { didYouMean } from "./suggest.ts";
import type { Branch, Expression, FilterExpression, Statement, Target } from "./syntax.ts";

const shownNameCharsMax = 60;
const tagsRefused: readonly string[] = [
  "autoescape",
  "block",
  "break",
  "continue",
  "debug",
  "do",
  "extends",
  "from",
  "import",
  "include",
  "pluralize",
  "trans",
];
const tagsOpening: readonly string[] = [
  "call",
  "filter",
  "for",
  "if",
  "macro",
  "raw",
  "set",
  "with",
];
const tagsInside: readonly string[] = [
  "elif",
  "else",
  "endcall",
  "endfilter",
  "endfor",
  "endif",
  "endmacro",
  "endraw",
  "endset",
  "endwith",
];

/** All statements of a template, up to the end of its text. */
export function parseStatements(cursor: Cursor): readonly Statement[] {
  const { statements } = parseBody(cursor, undefined);
  return statements;
}

interface Body {
  readonly statements: readonly Statement[];
  /** The tag that ended the body; the cursor stands after its name. */
  readonly ending: string;
}

interface Opening {
  readonly tag: string;
  readonly offset: number;
  readonly endings: readonly string[];
}

export function parseBody(cursor: Cursor, opening: Opening | undefined): Body {
  const statements: Statement[] = [];
  for (let token = current(cursor); token.kind !== "end"; token = current(cursor)) {
    advance(cursor);
    if (token.kind === "text") {
      statements.push({ kind: "text", text: token.value });
    } else if (token.kind === "mark" && token.value === "{{") {
      statements.push({ kind: "output", expression: parseTuple(cursor) });
      expectMark(cursor, "}}");
    } else {
      const name = expectName(cursor, "the name of a tag");
      if (opening?.endings.includes(name.value)) return { statements, ending: name.value };
      statements.push(nested(cursor, () => parseTag(cursor, name.value, token.start)));
    }
  }
  if (opening === undefined) return { statements, ending: "" };
  const ending = opening.endings.at(-1) ?? "";
  throw new TemplateSyntaxError(
    `expected '{% ${ending} %}' to close '{% ${opening.tag} %}'`,
    opening.offset,
  );
}

function parseTag(cursor: Cursor, tag: string, offset: number): Statement {
  switch (tag) {
    case "if":
      return parseIf(cursor, offset);
    case "for":
      return parseFor(cursor, offset);
    case "set":
      return parseSet(cursor, offset);
    case "with":
      return parseWith(cursor, offset);
    case "filter":
      return parseFilterBlock(cursor, offset);
    case "macro":
      return parseMacro(cursor, offset);
    case "call":
      return parseCallBlock(cursor, offset);
    default:
      return refuseTag(cursor, tag);
  }
}

function refuseTag(cursor: Cursor, tag: string): never {
  const offset = (cursor.tokens[cursor.at - 1] ?? current(cursor)).start;
  if (tagsRefused.includes(tag)) {
    throw new TemplateSyntaxError(
      `the tag '${tag}' is not supported: a playbook's template stands alone and prints plain text`,
      offset,
    );
  }
  if (tagsInside.includes(tag)) {
    throw new TemplateSyntaxError(`'{% ${tag} %}' closes or continues nothing here`, offset);
  }
  const hint = didYouMean(tag, [...tagsOpening, ...tagsInside]);
  throw new TemplateSyntaxError(`unknown tag '${tag.slice(0, shownNameCharsMax)}'${hint}`, offset);
}

export function expectMark(cursor: Cursor, mark: "}}" | "%}"): void {
  const token = current(cursor);
  if (token.kind !== "mark" || token.value !== mark) unexpected(cursor, `'${mark}'`);
  cursor.at++;
}

function parseIf(cursor: Cursor, offset: number): Statement {
  const opening = { tag: "if", offset, endings: ["elif", "else", "endif"] };
  const branches: Branch[] = [];
  let otherwise: readonly Statement[] = [];
  for (let ending = "elif"; ending === "elif"; ) {
    const condition = parseTuple(cursor, parseUnconditional);
    expectMark(cursor, "%}");
    const body = parseBody(cursor, opening);
    branches.push({ condition, body: body.statements });
    ending = body.ending;
    if (ending === "else") {
      expectMark(cursor, "%}");
      otherwise = parseBody(cursor, { ...opening, endings: ["endif"] }).statements;
    }
  }
  expectMark(cursor, "%}");
  return { kind: "if", branches, otherwise };
}

function parseFor(cursor: Cursor, offset: number): Statement {
  const target = parseTarget(cursor);
  if (!takeName(cursor, "in")) unexpected(cursor, "'in'");
  const iterable = parseTuple(cursor, parseUnconditional);
  const condition = takeName(cursor, "if") ? parseExpression(cursor) : undefined;
  const recursive = takeName(cursor, "recursive");
  expectMark(cursor, "%}");
  const opening = { tag: "for", offset, endings: ["else", "endfor"] };
  const body = parseBody(cursor, opening);
  let otherwise: readonly Statement[] = [];
  if (body.ending === "else") {
    expectMark(cursor, "%}");
    otherwise = parseBody(cursor, { ...opening, endings: ["endfor"] }).statements;
  }
  expectMark(cursor, "%}");
  return {
    kind: "for",
    offset: iterable.start,
    target,
    iterable,
    condition,
    size: lastEnd(cursor) - offset,
    recursive,
    body: body.statements,
    otherwise,
  };
}

/** `a` or `a, b` or `(a, b)`; a loop's own name can't be bound. */
function parseTarget(cursor: Cursor): Target {
  const { start: offset } = current(cursor);
  const parenthesis = takeOperator(cursor, "(");
  const names = [expectBindable(cursor, "a name to bind")];
  let unpack = false;
  while (takeOperator(cursor, ",")) {
    unpack = true;
    if (current(cursor).kind !== "name" || isName(cursor, "in")) break;
    names.push(expectBindable(cursor, "a name to bind"));
  }
  if (parenthesis && !takeOperator(cursor, ")")) unexpected(cursor, "')'");
  return { names, unpack, offset };
}

function parseSet(cursor: Cursor, offset: number): Statement {
  const first = current(cursor);
  const dot = peek(cursor, 1);
  if (first.kind === "name" && dot.kind === "operator" && dot.value === ".") {
    cursor.at += 2;
    const attribute = expectName(cursor, "the name of an attribute").value;
    if (!takeOperator(cursor, "=")) unexpected(cursor, "'='");
    const value = parseTuple(cursor);
    expectMark(cursor, "%}");
    return { kind: "set-attribute", offset: first.start, name: first.value, attribute, value };
  }
  const target = parseTarget(cursor);
  if (takeOperator(cursor, "=")) {
    const value = parseTuple(cursor);
    expectMark(cursor, "%}");
    return { kind: "set", target, value };
  }
  if (target.unpack) unexpected(cursor, "'='");
  const filters = parseBlockFilters(cursor);
  return {
    kind: "capture",
    name: target.names[0],
    filters,
    ...parseCapture(cursor, "set", offset),
  };
}

function parseFilterBlock(cursor: Cursor, offset: number): Statement {
  const filters = [parseFilter(cursor, undefined), ...parseBlockFilters(cursor)];
  return { kind: "capture", name: undefined, filters, ...parseCapture(cursor, "filter", offset) };
}

function parseBlockFilters(cursor: Cursor): readonly FilterExpression[] {
  const filters: FilterExpression[] = [];
  while (isOperator(cursor, "|")) filters.push(parseFilter(cursor, undefined));
  return filters;
}

function parseCapture(
  cursor: Cursor,
  tag: "set" | "filter",
  offset: number,
): { readonly body: readonly Statement[] } {
  expectMark(cursor, "%}");
  const { statements } = parseBody(cursor, { tag, offset, endings: [`end${tag}`] });
  expectMark(cursor, "%}");
  return { body: statements };
}

function parseWith(cursor: Cursor, offset: number): Statement {
  const bindings: { readonly target: Target; readonly value: Expression }[] = [];
  while (current(cursor).kind !== "mark") {
    if (bindings.length > 0 && !takeOperator(cursor, ",")) unexpected(cursor, "',' or '%}'");
    const target = parseTarget(cursor);
    if (!takeOperator(cursor, "=")) unexpected(cursor, "'='");
    bindings.push({ target, value: parseExpression(cursor) });
  }
  expectMark(cursor, "%}");
  const { statements } = parseBody(cursor, { tag: "with", offset, endings: ["endwith"] });
  expectMark(cursor, "%}");
  return { kind: "with", bindings, body: statements };
}
