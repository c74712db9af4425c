// Parses what follows a primary: attributes, subscripts, slices, calls, filters and tests.

import {
  type Cursor,
  current,
  expectName,
  expectOperator,
  isName,
  isOperator,
  lastEnd,
  peek,
  takeName,
  takeOperator,
  unexpected,
} from "./cursor.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { parseExpression, parsePrimary } from "./expressions.ts";
import type { Arguments, Expression, FilterExpression, NamedArgument } from "./syntax.ts";

/** Words that can't be the bare argument of a test: they go on with the expression around it. */
const wordsAfterTest: ReadonlySet<string> = new Set(["and", "else", "if", "in", "is", "not", "or"]);
const noArguments: Arguments = { positional: [], named: [] };

/** Attributes, subscripts and calls after `target`. */
export function parsePostfix(cursor: Cursor, target: Expression): Expression {
  let node = target;
  while (true) {
    if (takeOperator(cursor, ".")) node = parseAttribute(cursor, node);
    else if (takeOperator(cursor, "[")) node = parseSubscript(cursor, node);
    else if (isOperator(cursor, "(")) node = parseCall(cursor, node);
    else return node;
  }
}

/** Filters and tests after `target`. */
export function parseFilters(cursor: Cursor, target: Expression): Expression {
  let node = target;
  while (true) {
    if (isOperator(cursor, "|")) node = parseFilter(cursor, node);
    else if (takeName(cursor, "is")) node = parseTest(cursor, node);
    else return node;
  }
}

/** One filter, the cursor standing on its `|` (or, for a block's filter, on its name). */
export function parseFilter(cursor: Cursor, target: Expression | undefined): FilterExpression {
  takeOperator(cursor, "|");
  const name = expectName(cursor, "the name of a filter");
  const given = isOperator(cursor, "(") ? parseArguments(cursor) : noArguments;
  return {
    kind: "filter",
    target,
    name: name.value,
    nameOffset: name.start,
    arguments: given,
    start: target?.start ?? name.start,
    end: lastEnd(cursor),
  };
}

function parseTest(cursor: Cursor, target: Expression): Expression {
  const negated = takeName(cursor, "not");
  const name = expectName(cursor, "the name of a test");
  const given = parseTestArguments(cursor);
  if (isName(cursor, "is")) unexpected(cursor, "one test, or 'and' before the next");
  const test: Expression = {
    kind: "test",
    target,
    name: name.value,
    nameOffset: name.start,
    arguments: given,
    start: target.start,
    end: lastEnd(cursor),
  };
  return negated ? { kind: "not", operand: test, start: test.start, end: test.end } : test;
}

/** Arguments in parentheses, or one operand without them: `is divisibleby 3`. */
function parseTestArguments(cursor: Cursor): Arguments {
  const token = current(cursor);
  if (isOperator(cursor, "(")) return parseArguments(cursor);
  const bare =
    token.kind === "name"
      ? !wordsAfterTest.has(token.value)
      : token.kind === "string" ||
        token.kind === "integer" ||
        token.kind === "float" ||
        isOperator(cursor, "[") ||
        isOperator(cursor, "{");
  if (!bare) return noArguments;
  return { positional: [parsePostfix(cursor, parsePrimary(cursor))], named: [] };
}

function parseAttribute(cursor: Cursor, target: Expression): Expression {
  const token = current(cursor);
  const { start } = target;
  if (token.kind === "integer") {
    cursor.at++;
    const key: Expression = { ...token, kind: "constant" };
    return { kind: "subscript", target, key, start, end: token.end };
  }
  const { value } = expectName(cursor, "the name of an attribute");
  return { kind: "attribute", target, name: value, start, end: token.end };
}

function parseSubscript(cursor: Cursor, target: Expression): Expression {
  const { start } = target;
  const bounds: (Expression | undefined)[] = [undefined];
  while (!isOperator(cursor, "]")) {
    if (takeOperator(cursor, ":")) {
      if (bounds.length === 3) unexpected(cursor, "']'");
      bounds.push(undefined);
    } else {
      if (bounds.at(-1) !== undefined) unexpected(cursor, "']'");
      bounds[bounds.length - 1] = parseExpression(cursor);
    }
  }
  const [first, second, third] = bounds;
  if (bounds.length === 1 && first === undefined) unexpected(cursor, "a subscript");
  expectOperator(cursor, "]");
  const end = lastEnd(cursor);
  if (bounds.length === 1 && first !== undefined) {
    return { kind: "subscript", target, key: first, start, end };
  }
  return { kind: "slice", target, bounds: [first, second, third], start, end };
}

function parseCall(cursor: Cursor, target: Expression): Expression {
  const { start } = target;
  if (target.kind === "name") {
    const given = parseArguments(cursor);
    const { name, start: nameOffset } = target;
    return { kind: "call", name, nameOffset, arguments: given, start, end: lastEnd(cursor) };
  }
  if (target.kind === "attribute") {
    const nameOffset = target.end - target.name.length;
    const given = parseArguments(cursor);
    return {
      kind: "method",
      target: target.target,
      name: target.name,
      nameOffset,
      arguments: given,
      start,
      end: lastEnd(cursor),
    };
  }
  throw new TemplateSyntaxError(
    "only functions and methods can be called, and only by name",
    current(cursor).start,
  );
}

function parseArguments(cursor: Cursor): Arguments {
  expectOperator(cursor, "(");
  const positional: Expression[] = [];
  const named: NamedArgument[] = [];
  while (!isOperator(cursor, ")")) {
    const token = current(cursor);
    const next = peek(cursor, 1);
    if (token.kind === "name" && next.kind === "operator" && next.value === "=") {
      cursor.at += 2;
      if (named.some(({ name }) => name === token.value)) {
        throw new TemplateSyntaxError(`argument '${token.value}' is given twice`, token.start);
      }
      named.push({ name: token.value, value: parseExpression(cursor), offset: token.start });
    } else if (isOperator(cursor, "*") || isOperator(cursor, "**")) {
      throw new TemplateSyntaxError("arguments can't be spread with '*'", token.start);
    } else if (named.length > 0) {
      throw new TemplateSyntaxError("positional arguments stand before named ones", token.start);
    } else {
      positional.push(parseExpression(cursor));
    }
    if (!takeOperator(cursor, ",")) break;
  }
  expectOperator(cursor, ")");
  return { positional, named };
}
