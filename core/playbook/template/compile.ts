// A text becomes a template: tokens, tree, closures, and the runs that evaluate them.

import {
  templateRememberedCharsMax,
  templateStepsMax,
  templatesRememberedMax,
} from "#core/model/limits";
import { type Bindings, type Collected, openFrame, unset } from "./bindings.ts";
import { compileNode } from "./compile-expression.ts";
import { compileBody } from "./compile-statement.ts";
import {
  plain,
  type ReadPath,
  type Scope,
  type Template,
  type TemplateEnvironment,
} from "./contract.ts";
import { type Cursor, current, unexpected } from "./cursor.ts";
import { parseExpression, parseTuple } from "./expressions.ts";
import { narrowed } from "./json.ts";
import { type Token, tokenize, tokenizeExpression } from "./lexer.ts";
import type { Evaluate, Run } from "./run.ts";
import { parseStatements } from "./statements.ts";
import type { Expression } from "./syntax.ts";

const emptyScope: Scope = { get: () => undefined };

/** True if the text has tags: an opening `{{` or `{%`, and its closing mark somewhere after. */
export function isTemplate(text: string): boolean {
  const output = text.indexOf("{{");
  if (output >= 0 && text.includes("}}", output + 2)) return true;
  const statement = text.indexOf("{%");
  return statement >= 0 && text.includes("%}", statement + 2);
}

/**
 * Compiles a text. One without tags stands for itself, to the last newline; one that is a lone
 * `{{ expression }}`, with at most white space around it, keeps the expression's type.
 * @throws TemplateSyntaxError
 */
export function compileTemplate(text: string): Template {
  return remembered(texts, text, compileText);
}

/** Texts and conditions compiled lately: a playbook is checked first and compiled right after. */
const texts = new Map<string, Template>();
const conditions = new Map<string, Template>();

/** A template has no state of its own, so the same one serves everybody who has the text. */
function remembered(
  known: Map<string, Template>,
  text: string,
  compile: (text: string) => Template,
): Template {
  const found = known.get(text);
  if (found !== undefined) return found;
  const template = compile(text);
  if (text.length > templateRememberedCharsMax) return template;
  known.set(text, template);
  if (known.size > templatesRememberedMax) {
    for (const oldest of known.keys()) {
      known.delete(oldest);
      break;
    }
  }
  return template;
}

function compileText(text: string): Template {
  if (!isTemplate(text)) {
    return { text, reads: [], constant: true, evaluate: () => text };
  }
  const tokens = tokenize(text);
  const lone = loneExpression(tokens);
  if (lone !== undefined) return compileLone(text, lone);
  const cursor = { tokens, at: 0, depth: 0 };
  const statements = parseStatements(cursor);
  const collected = collector(text, text.includes("macro") ? macroNamesIn(tokens) : noNames);
  const bindings = openFrame(undefined, collected);
  const body = compileBody(statements, { collected, bindings });
  compileRest(collected);
  return assemble(text, { collected, bindings }, (run) => {
    body(run);
    return run.out;
  });
}

/** Bodies of macros, which may hold further ones; then what is known of their calls is checked. */
function compileRest({ later, checks }: Collected): void {
  for (const compile of later) compile();
  for (const check of checks) check();
}

function macroNamesIn(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [index, token] of tokens.entries()) {
    const mark = tokens[index - 1];
    const name = tokens[index + 1];
    if (token.kind !== "name" || token.value !== "macro" || name?.kind !== "name") continue;
    if (mark?.kind === "mark" && mark.value === "{%") names.add(name.value);
  }
  return names;
}

/**
 * Compiles a condition: a text with tags is a template, any other is one expression as a whole.
 * @throws TemplateSyntaxError
 */
export function compileExpression(text: string): Template {
  return isTemplate(text) ? compileTemplate(text) : remembered(conditions, text, compileCondition);
}

function compileCondition(text: string): Template {
  const cursor = { tokens: tokenizeExpression(text), at: 0, depth: 0 };
  const expression = parseExpression(cursor);
  if (current(cursor).kind !== "end") unexpected(cursor, "the end of the expression");
  return compileLone(text, expression);
}

/** The expression of a text that is nothing but one output, white space around it aside. */
function loneExpression(tokens: readonly Token[]): Expression | undefined {
  const solid = tokens.filter((token) => token.kind !== "text" || token.value.trim() !== "");
  const cursor: Cursor = { tokens: solid, at: 1, depth: 0 };
  const [first] = solid;
  if (first?.kind !== "mark" || first.value !== "{{") return undefined;
  const closing = solid.findIndex((token) => token.kind === "mark" && token.value === "}}");
  if (closing !== solid.length - 2) return undefined;
  const expression = parseTuple(cursor);
  if (cursor.at !== closing) unexpected(cursor, "'}}'");
  return expression;
}

function compileLone(text: string, expression: Expression): Template {
  const collected = collector(text, noNames);
  const bindings = openFrame(undefined, collected);
  const { evaluate } = compileNode(expression, { collected, bindings });
  return assemble(text, { collected, bindings }, (run) => {
    const value = plain(evaluate(run));
    return run.wide ? narrowed(value, run) : value;
  });
}

const noNames: ReadonlySet<string> = new Set();

function collector(source: string, macroNames: ReadonlySet<string>): Collected {
  return {
    source,
    reads: new Map(),
    macroNames,
    later: [],
    checks: [],
    usesEnvironment: false,
    depth: 0,
    level: 0,
    moment: 0,
  };
}

interface Compilation {
  readonly collected: Collected;
  readonly bindings: Bindings;
}

function assemble(
  text: string,
  { collected, bindings }: Compilation,
  evaluate: Evaluate,
): Template {
  const reads: readonly ReadPath[] = [...collected.reads.values()];
  return {
    text,
    reads,
    constant: reads.length === 0 && !collected.usesEnvironment,
    evaluate: evaluator(text, bindings.frame.slotCount, evaluate),
  };
}

/**
 * One run is kept and used again, so that evaluating allocates nothing; an evaluation that starts
 * inside another one of the same template (from a View's attribute) makes its own.
 */
function evaluator(text: string, slotCount: number, evaluate: Evaluate): Template["evaluate"] {
  const place = { source: text, offset: 0, operands: [] };
  const makeRun = (): Run => ({
    scope: emptyScope,
    nowMs: 0,
    stepsLeft: 0,
    out: "",
    slots: new Array(slotCount).fill(unset),
    outer: undefined,
    calls: 0,
    levels: 0,
    place,
    wide: false,
  });
  let idle: Run | undefined = makeRun();
  return (scope: Scope, environment: TemplateEnvironment): unknown => {
    const run = idle ?? makeRun();
    idle = undefined;
    run.scope = scope;
    run.nowMs = environment.nowMs;
    run.stepsLeft = templateStepsMax;
    run.wide = false;
    const { slots } = run;
    try {
      return evaluate(run);
    } finally {
      run.scope = emptyScope;
      run.out = "";
      if (slotCount > 0) {
        slots.fill(unset);
        // An evaluation that failed inside a call is still there.
        run.slots = slots;
        run.outer = undefined;
        run.calls = 0;
        run.levels = 0;
      }
      idle = run;
    }
  };
}
