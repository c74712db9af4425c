// The tree of a template. Every node knows its span, so that each error can point at its words.

import type { Span } from "./run.ts";

export type ScalarConstant = string | number | bigint | boolean | null;
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export interface NamedArgument {
  readonly name: string;
  readonly value: Expression;
  readonly offset: number;
}

export interface Arguments {
  readonly positional: readonly Expression[];
  readonly named: readonly NamedArgument[];
}

export interface ArithmeticStep {
  readonly operator: ArithmeticOperator;
  readonly offset: number;
  readonly operand: Expression;
}

export interface ComparisonStep {
  readonly operator: ComparisonOperator;
  readonly offset: number;
  readonly operand: Expression;
}

export type Expression = Span &
  (
    | { readonly kind: "constant"; readonly value: ScalarConstant }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "attribute"; readonly target: Expression; readonly name: string }
    | { readonly kind: "subscript"; readonly target: Expression; readonly key: Expression }
    | {
        readonly kind: "slice";
        readonly target: Expression;
        readonly bounds: readonly [
          Expression | undefined,
          Expression | undefined,
          Expression | undefined,
        ];
      }
    | { readonly kind: "list"; readonly items: readonly Expression[] }
    | { readonly kind: "dict"; readonly entries: readonly (readonly [Expression, Expression])[] }
    | { readonly kind: "sign"; readonly operator: "+" | "-"; readonly operand: Expression }
    | { readonly kind: "not"; readonly operand: Expression }
    | {
        readonly kind: "arithmetic";
        readonly first: Expression;
        readonly rest: readonly ArithmeticStep[];
      }
    | { readonly kind: "concat"; readonly operands: readonly Expression[] }
    | { readonly kind: "and" | "or"; readonly operands: readonly Expression[] }
    | {
        readonly kind: "compare";
        readonly first: Expression;
        readonly rest: readonly ComparisonStep[];
      }
    | {
        readonly kind: "conditional";
        readonly condition: Expression;
        readonly then: Expression;
        readonly otherwise: Expression | undefined;
      }
    | {
        readonly kind: "filter" | "test";
        /** Absent for the filter of a `{% filter %}` or `{% set %}` block: the block's text. */
        readonly target: Expression | undefined;
        readonly name: string;
        readonly nameOffset: number;
        readonly arguments: Arguments;
      }
    | {
        readonly kind: "call";
        readonly name: string;
        readonly nameOffset: number;
        readonly arguments: Arguments;
      }
    | {
        readonly kind: "method";
        readonly target: Expression;
        readonly name: string;
        readonly nameOffset: number;
        readonly arguments: Arguments;
      }
  );

export type FilterExpression = Extract<Expression, { readonly kind: "filter" | "test" }>;
export type CallExpression = Extract<Expression, { readonly kind: "call" }>;

/** One parameter of a macro or of a call block. */
export interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

/** The names on the left of `=` or between `for` and `in`; a single name takes the whole value. */
export interface Target {
  readonly names: readonly string[];
  readonly unpack: boolean;
  readonly offset: number;
}

export interface Branch {
  readonly condition: Expression;
  readonly body: readonly Statement[];
}

export type Statement =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "output"; readonly expression: Expression }
  | {
      readonly kind: "if";
      readonly branches: readonly Branch[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: "for";
      readonly offset: number;
      readonly target: Target;
      readonly iterable: Expression;
      readonly condition: Expression | undefined;
      /** Characters from its tag to the end of it, which is what a round of it may cost. */
      readonly size: number;
      /** Whether its body can run the loop again over other items: `loop(items)`. */
      readonly recursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: "set"; readonly target: Target; readonly value: Expression }
  | {
      readonly kind: "set-attribute";
      readonly offset: number;
      readonly name: string;
      readonly attribute: string;
      readonly value: Expression;
    }
  | {
      readonly kind: "capture";
      /** The name that takes the block's text; absent for `{% filter %}`, which prints it. */
      readonly name: string | undefined;
      readonly filters: readonly FilterExpression[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "with";
      readonly bindings: readonly { readonly target: Target; readonly value: Expression }[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "macro";
      readonly name: string;
      readonly size: number;
      readonly parameters: readonly Parameter[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: "call-block";
      readonly size: number;
      readonly parameters: readonly Parameter[];
      readonly call: CallExpression;
      readonly body: readonly Statement[];
    };
