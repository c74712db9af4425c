// The two ways a template goes wrong: its text can't be compiled, or its evaluation can't go on.
// Messages name the template's own words and kinds of values, never the values themselves.

/** A text that is not a template of the language. `offset` counts UTF-16 units into the text. */
export class TemplateSyntaxError extends Error {
  override readonly name = "TemplateSyntaxError";

  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * - `undefined_operand`: an operator or a filter needs a value and found none
 * - `type`: the kind of value is wrong for the operation
 * - `division_by_zero`: `/`, `//` or `%` by zero
 * - `range`: an argument is outside of what the operation accepts
 * - `limit`: the evaluation reached a bound (steps, output, nesting, size of an integer)
 */
export type TemplateRuntimeCode =
  | "undefined_operand"
  | "type"
  | "division_by_zero"
  | "range"
  | "limit";

/** An evaluation that stopped. `offset` is where in the text the operation stands. */
export class TemplateRuntimeError extends Error {
  override readonly name = "TemplateRuntimeError";

  constructor(
    readonly code: TemplateRuntimeCode,
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}
