// Parses expressions by precedence, loosest first: conditional, or, and, not, comparison, + -,
// ~, * / // %, **, sign, then attributes, subscripts, calls, filters and tests.

import {
  advance,
  type Cursor,
  current,
  expectName,
  expectOperator,
  isName,
  isOperator,
  lastEnd,
  nested,
  takeName,
  takeOperator,
  unexpected,
} from "./cursor.ts";
import { parseFilters, parsePostfix } from "./postfix.ts";
import type {
  ArithmeticOperator,
  ArithmeticStep,
  ComparisonOperator,
  ComparisonStep,
  Expression,
} from "./syntax.ts";

const reservedWords: ReadonlySet<string> = new Set(["and", "else", "if", "in", "is", "not", "or"]);
const constantWords: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null],
]);
const additive: readonly ArithmeticOperator[] = ["+", "-"];
const multiplicative: readonly ArithmeticOperator[] = ["*", "/", "//", "%"];
const power: readonly ArithmeticOperator[] = ["**"];

/** A whole expression, the inline `if` included. */
export function parseExpression(cursor: Cursor): Expression {
  return nested(cursor, parseConditional);
}

/** An expression in a place where a following `if` belongs to the statement around it. */
export function parseUnconditional(cursor: Cursor): Expression {
  return nested(cursor, parseOr);
}

/** One expression, or several with commas, which make a list. */
export function parseTuple(
  cursor: Cursor,
  parseItem: (cursor: Cursor) => Expression = parseExpression,
): Expression {
  const first = parseItem(cursor);
  if (!isOperator(cursor, ",")) return first;
  const items = [first];
  while (takeOperator(cursor, ",")) {
    if (!startsExpression(cursor)) break;
    items.push(parseItem(cursor));
  }
  return { kind: "list", items, start: first.start, end: lastEnd(cursor) };
}

function startsExpression(cursor: Cursor): boolean {
  const token = current(cursor);
  if (token.kind === "mark" || token.kind === "end" || token.kind === "text") return false;
  return token.kind !== "operator" || ["(", "[", "{", "-", "+"].includes(token.value);
}

function parseConditional(cursor: Cursor): Expression {
  let then = parseOr(cursor);
  while (takeName(cursor, "if")) {
    const condition = parseOr(cursor);
    const otherwise = takeName(cursor, "else") ? parseExpression(cursor) : undefined;
    const { start } = then;
    then = { kind: "conditional", condition, then, otherwise, start, end: lastEnd(cursor) };
  }
  return then;
}

function parseOr(cursor: Cursor): Expression {
  return parseLogic(cursor, "or", parseAnd);
}

function parseAnd(cursor: Cursor): Expression {
  return parseLogic(cursor, "and", parseNot);
}

function parseLogic(
  cursor: Cursor,
  kind: "and" | "or",
  parseOperand: (cursor: Cursor) => Expression,
): Expression {
  const first = parseOperand(cursor);
  if (!isName(cursor, kind)) return first;
  const operands = [first];
  while (takeName(cursor, kind)) operands.push(parseOperand(cursor));
  return { kind, operands, start: first.start, end: lastEnd(cursor) };
}

function parseNot(cursor: Cursor): Expression {
  const { start } = current(cursor);
  if (!takeName(cursor, "not")) return parseComparison(cursor);
  const operand = nested(cursor, parseNot);
  return { kind: "not", operand, start, end: operand.end };
}

function parseComparison(cursor: Cursor): Expression {
  const first = parseAdditive(cursor);
  const rest: ComparisonStep[] = [];
  while (true) {
    const offset = current(cursor).start;
    const operator = takeComparison(cursor);
    if (operator === undefined) break;
    rest.push({ operator, offset, operand: parseAdditive(cursor) });
  }
  if (rest.length === 0) return first;
  return { kind: "compare", first, rest, start: first.start, end: lastEnd(cursor) };
}

function takeComparison(cursor: Cursor): ComparisonOperator | undefined {
  for (const operator of ["==", "!=", "<=", ">=", "<", ">"] as const) {
    if (takeOperator(cursor, operator)) return operator;
  }
  if (takeName(cursor, "in")) return "in";
  if (!isName(cursor, "not")) return undefined;
  cursor.at++;
  if (!takeName(cursor, "in")) unexpected(cursor, "'in' after 'not'");
  return "not in";
}

function parseAdditive(cursor: Cursor): Expression {
  return parseArithmetic(cursor, additive, parseConcat);
}

function parseConcat(cursor: Cursor): Expression {
  const first = parseMultiplicative(cursor);
  if (!isOperator(cursor, "~")) return first;
  const operands = [first];
  while (takeOperator(cursor, "~")) operands.push(parseMultiplicative(cursor));
  return { kind: "concat", operands, start: first.start, end: lastEnd(cursor) };
}

function parseMultiplicative(cursor: Cursor): Expression {
  return parseArithmetic(cursor, multiplicative, parsePower);
}

/** `**` groups from the left and a sign binds tighter than it, as Jinja has it. */
function parsePower(cursor: Cursor): Expression {
  return parseArithmetic(cursor, power, parseSigned);
}

function parseArithmetic(
  cursor: Cursor,
  operators: readonly ArithmeticOperator[],
  parseOperand: (cursor: Cursor) => Expression,
): Expression {
  const first = parseOperand(cursor);
  const rest: ArithmeticStep[] = [];
  while (true) {
    const offset = current(cursor).start;
    const operator = operators.find((candidate) => takeOperator(cursor, candidate));
    if (operator === undefined) break;
    rest.push({ operator, offset, operand: parseOperand(cursor) });
  }
  if (rest.length === 0) return first;
  return { kind: "arithmetic", first, rest, start: first.start, end: lastEnd(cursor) };
}

function parseSigned(cursor: Cursor): Expression {
  return parseFilters(cursor, parseSign(cursor));
}

function parseSign(cursor: Cursor): Expression {
  const { start } = current(cursor);
  const operator = takeOperator(cursor, "-") ? "-" : takeOperator(cursor, "+") ? "+" : undefined;
  if (operator === undefined) return parsePostfix(cursor, parsePrimary(cursor));
  const operand = nested(cursor, parseSign);
  return { kind: "sign", operator, operand, start, end: operand.end };
}

/** A literal, a name, or something in brackets. */
export function parsePrimary(cursor: Cursor): Expression {
  const token = current(cursor);
  const { start, end } = token;
  switch (token.kind) {
    case "name": {
      if (reservedWords.has(token.value)) return unexpected(cursor, "an expression");
      cursor.at++;
      const constant = constantWords.get(token.value);
      if (constant !== undefined) return { kind: "constant", value: constant, start, end };
      return { kind: "name", name: token.value, start, end };
    }
    case "string":
      return parseStrings(cursor);
    case "integer":
    case "float":
      cursor.at++;
      return { kind: "constant", value: token.value, start, end };
    case "operator":
      if (token.value === "(") return parseParenthesis(cursor);
      if (token.value === "[") return parseList(cursor);
      if (token.value === "{") return parseDict(cursor);
      return unexpected(cursor, "an expression");
    case "text":
    case "mark":
    case "end":
      return unexpected(cursor, "an expression");
    default: {
      const none: never = token;
      return none;
    }
  }
}

/** Strings side by side are one string. */
function parseStrings(cursor: Cursor): Expression {
  const { start } = current(cursor);
  const parts: string[] = [];
  for (let token = current(cursor); token.kind === "string"; token = current(cursor)) {
    parts.push(token.value);
    advance(cursor);
  }
  return { kind: "constant", value: parts.join(""), start, end: lastEnd(cursor) };
}

function parseParenthesis(cursor: Cursor): Expression {
  const { start } = advance(cursor);
  if (takeOperator(cursor, ")")) return { kind: "list", items: [], start, end: lastEnd(cursor) };
  const inner = parseTuple(cursor);
  expectOperator(cursor, ")");
  return { ...inner, start, end: lastEnd(cursor) };
}

function parseList(cursor: Cursor): Expression {
  const { start } = advance(cursor);
  const items: Expression[] = [];
  while (!isOperator(cursor, "]")) {
    items.push(parseExpression(cursor));
    if (!takeOperator(cursor, ",")) break;
  }
  expectOperator(cursor, "]");
  return { kind: "list", items, start, end: lastEnd(cursor) };
}

function parseDict(cursor: Cursor): Expression {
  const { start } = advance(cursor);
  const entries: (readonly [Expression, Expression])[] = [];
  while (!isOperator(cursor, "}")) {
    const key = parseExpression(cursor);
    expectOperator(cursor, ":");
    entries.push([key, parseExpression(cursor)]);
    if (!takeOperator(cursor, ",")) break;
  }
  expectOperator(cursor, "}");
  return { kind: "dict", entries, start, end: lastEnd(cursor) };
}

/** A word used as a name to bind: not a constant, not an operator. */
export function expectBindable(cursor: Cursor, what: string): string {
  const token = current(cursor);
  if (token.kind === "name" && (constantWords.has(token.value) || reservedWords.has(token.value))) {
    return unexpected(cursor, what);
  }
  return expectName(cursor, what).value;
}
