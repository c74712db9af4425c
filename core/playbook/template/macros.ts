// Parses macros and call blocks.

import {
  type Cursor,
  current,
  expectOperator,
  isOperator,
  lastEnd,
  takeOperator,
  unexpected,
} from "./cursor.ts";
import { TemplateSyntaxError } from "./errors.ts";
import { expectBindable, parseExpression } from "./expressions.ts";
import { expectMark, parseBody } from "./statements.ts";
import type { Parameter, Statement } from "./syntax.ts";

export function parseMacro(cursor: Cursor, offset: number): Statement {
  const name = expectBindable(cursor, "the name of the macro");
  const parameters = parseParameters(cursor);
  const body = parseRest(cursor, "macro", offset);
  return { kind: "macro", name, size: lastEnd(cursor) - offset, parameters, body };
}

/** `{% call name(x) %}`, or `{% call(item) name(x) %}` for a block that takes arguments. */
export function parseCallBlock(cursor: Cursor, offset: number): Statement {
  const parameters = isOperator(cursor, "(") ? parseParameters(cursor) : [];
  const call = parseExpression(cursor);
  if (call.kind !== "call") {
    throw new TemplateSyntaxError("expected the call of a macro, such as name(x)", call.start);
  }
  const body = parseRest(cursor, "call", offset);
  return { kind: "call-block", size: lastEnd(cursor) - offset, parameters, call, body };
}

function parseRest(cursor: Cursor, tag: "macro" | "call", offset: number): readonly Statement[] {
  expectMark(cursor, "%}");
  const { statements } = parseBody(cursor, { tag, offset, endings: [`end${tag}`] });
  expectMark(cursor, "%}");
  return statements;
}

function parseParameters(cursor: Cursor): readonly Parameter[] {
  const parameters: Parameter[] = [];
  const names = new Set<string>();
  expectOperator(cursor, "(");
  while (!isOperator(cursor, ")")) {
    if (parameters.length > 0 && !takeOperator(cursor, ",")) unexpected(cursor, "',' or ')'");
    const { start } = current(cursor);
    const name = expectBindable(cursor, "the name of a parameter");
    const fallback = takeOperator(cursor, "=") ? parseExpression(cursor) : undefined;
    if (names.has(name)) {
      throw new TemplateSyntaxError(`parameter '${name}' is named twice`, start);
    }
    if (fallback === undefined && parameters.at(-1)?.fallback !== undefined) {
      throw new TemplateSyntaxError(
        `parameter '${name}' needs a default, the one before it has one`,
        start,
      );
    }
    names.add(name);
    parameters.push({ name, fallback });
  }
  expectOperator(cursor, ")");
  return parameters;
}
