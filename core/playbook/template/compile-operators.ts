// Closures for operators. Shapes that conditions use most (a comparison with a constant, `in` a
// list of constants, two operands of `and`) get closures of their own that allocate nothing.

import { concat, type Operation, operations, sign } from "./arithmetic.ts";
import {
  type Compiled,
  type Context,
  compileNode,
  dynamic,
  folded,
  placeOf,
} from "./compile-expression.ts";
import { plain } from "./contract.ts";
import { charsPerStep, type Evaluate, type Place, type Run } from "./run.ts";
import type { ComparisonOperator, ComparisonStep, Expression, ScalarConstant } from "./syntax.ts";
import { contains, equals, order, sameNumber, truthOf } from "./values.ts";

type Node<Kind extends Expression["kind"]> = Extract<Expression, { readonly kind: Kind }>;

export function compileSign(node: Node<"sign">, context: Context): Compiled {
  const operand = compileNode(node.operand, context);
  const { evaluate } = operand;
  const { operator } = node;
  const place = placeOf(context, node.start, [node.operand]);
  return folded(
    (run) => {
      const value = evaluate(run);
      run.place = place;
      return sign(operator, value, run);
    },
    [operand],
  );
}

/** A chain of operators of one precedence is a loop, however long: it takes no stack. */
export function compileArithmetic(node: Node<"arithmetic">, context: Context): Compiled {
  const first = compileNode(node.first, context);
  const [step, ...more] = node.rest.map((part, index) => {
    const previous = index === 0 ? node.first : { start: node.first.start, end: part.offset };
    return {
      operand: compileNode(part.operand, context),
      operation: operations[part.operator],
      place: placeOf(context, part.offset, [previous, part.operand]),
    };
  });
  if (step === undefined) return first;
  if (more.length === 0) {
    const { operation, place } = step;
    return folded(binary(first, step.operand, { operation, place }), [first, step.operand]);
  }
  const start = first.evaluate;
  const steps = [step, ...more].map((part) => ({ ...part, evaluate: part.operand.evaluate }));
  const operands = [first, ...steps.map(({ operand }) => operand)];
  return folded((run) => {
    let value = start(run);
    for (const { evaluate, operation, place } of steps) {
      const right = evaluate(run);
      run.place = place;
      value = operation(value, right, run);
    }
    return value;
  }, operands);
}

function binary(
  left: Compiled,
  right: Compiled,
  { operation, place }: { readonly operation: Operation; readonly place: Place },
): Evaluate {
  const a = left.evaluate;
  const b = right.evaluate;
  return (run) => {
    const x = a(run);
    const y = b(run);
    run.place = place;
    return operation(x, y, run);
  };
}

export function compileConcat(operands: readonly Expression[], context: Context): Compiled {
  const compiled = operands.map((operand) => compileNode(operand, context));
  const evaluators = compiled.map(({ evaluate }) => evaluate);
  const place = placeOf(context, operands[0]?.start ?? 0, operands);
  return folded((run) => {
    const values = evaluators.map((evaluate) => evaluate(run));
    run.place = place;
    return concat(values, run);
  }, compiled);
}

/** `and` and `or` give one of their operands, not a boolean, and stop at the one that decides. */
export function compileLogic(
  kind: "and" | "or",
  operands: readonly Expression[],
  context: Context,
): Compiled {
  const compiled = operands.map((operand) => compileNode(operand, context));
  const stopAt = kind === "or";
  const [first, second, ...more] = compiled.map(({ evaluate }) => evaluate);
  if (first === undefined || second === undefined) return dynamic(() => undefined);
  if (more.length === 0) {
    return folded((run) => {
      const value = first(run);
      return truthOf(value, run) === stopAt ? value : second(run);
    }, compiled);
  }
  const evaluators = [first, second, ...more];
  return folded((run) => {
    let value: unknown;
    for (const evaluate of evaluators) {
      value = evaluate(run);
      if (truthOf(value, run) === stopAt) return value;
    }
    return value;
  }, compiled);
}

export function compileComparison(node: Node<"compare">, context: Context): Compiled {
  const first = compileNode(node.first, context);
  const operands = node.rest.map(({ operand }) => compileNode(operand, context));
  const [step, ...more] = node.rest;
  const [second] = operands;
  if (step === undefined || second === undefined) return first;
  if (more.length === 0) {
    return folded(compare(first, second, placed(step, node.first, context)), [first, second]);
  }
  const start = first.evaluate;
  const links = node.rest.map((part, index) => ({
    evaluate: operands[index]?.evaluate ?? start,
    holds: relations[part.operator],
    place: placed(part, node.rest[index - 1]?.operand ?? node.first, context).place,
  }));
  return folded(
    (run) => {
      let left = start(run);
      for (const { evaluate, holds, place } of links) {
        const right = evaluate(run);
        run.place = place;
        if (!holds(left, right, run)) return false;
        left = right;
      }
      return true;
    },
    [first, ...operands],
  );
}

interface Placed {
  readonly operator: ComparisonOperator;
  readonly place: Place;
}

function placed(step: ComparisonStep, left: Expression, context: Context): Placed {
  const place = placeOf(context, step.offset, [left, step.operand]);
  return { operator: step.operator, place };
}

type Relation = (left: unknown, right: unknown, run: Run) => boolean;

const relations: Readonly<Record<ComparisonOperator, Relation>> = {
  "==": equals,
  "!=": (left, right, run) => !equals(left, right, run),
  "<": (left, right, run) => order(left, right, run) < 0,
  "<=": (left, right, run) => order(left, right, run) <= 0,
  ">": (left, right, run) => order(left, right, run) > 0,
  ">=": (left, right, run) => order(left, right, run) >= 0,
  in: (left, right, run) => contains(right, left, run),
  "not in": (left, right, run) => !contains(right, left, run),
};

function compare(left: Compiled, right: Compiled, { operator, place }: Placed): Evaluate {
  const a = left.evaluate;
  if (operator === "==" || operator === "!=") {
    const constant = right.constant?.value;
    if (typeof constant === "string" && constant.length < charsPerStep)
      return equalsText(a, constant, operator === "==");
  }
  if (operator === "in" || operator === "not in") {
    const literal = right.literal;
    if (literal?.every((item) => typeof item === "string" || typeof item === "number")) {
      return isOneOf(a, literal, operator === "in");
    }
  }
  const b = right.evaluate;
  const holds = relations[operator];
  return (run) => {
    const x = a(run);
    const y = b(run);
    run.place = place;
    return holds(x, y, run);
  };
}

function equalsText(evaluate: Evaluate, text: string, wanted: boolean): Evaluate {
  return (run) => {
    const value = evaluate(run);
    return ((typeof value === "object" ? plain(value) : value) === text) === wanted;
  };
}

function isOneOf(evaluate: Evaluate, items: readonly ScalarConstant[], wanted: boolean): Evaluate {
  return (run) => {
    const given = evaluate(run);
    const value = typeof given === "object" ? plain(given) : given;
    for (const item of items) {
      if (item === value || (typeof item === "number" && isSameNumber(item, value))) return wanted;
    }
    return !wanted;
  };
}

/** Numbers that `===` takes for different: a boolean stands for 0 or 1, a bigint for its value. */
function isSameNumber(item: number, value: unknown): boolean {
  if (typeof value === "boolean") return item === Number(value);
  return typeof value === "bigint" && sameNumber(value, item);
}
