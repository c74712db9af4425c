// What a template is to the rest of the product: the shapes it is given and those it gives back.

/** Where names are looked up. Returns undefined for an unknown name. Never enumerated. */
export interface Scope {
  get(name: string): unknown;
}

/**
 * A value with extra attributes that only attribute access sees (`step.data`, `output.rows`);
 * a subscript with a string does the same. Printing, filters, operators, iteration, truth and
 * integer subscripts take `value` in its place.
 */
export class View {
  constructor(
    readonly value: unknown,
    readonly attribute: (name: string) => unknown,
  ) {}
}

/**
 * What a call of `token()` is noted as reading, and the name under which it asks the scope for
 * `Secrets`. No name of a template looks like it: a value called `token` stays what it is.
 */
export const secretRoot = "token()";

/** Gives the token of a credential by its alias; what it throws ends the evaluation. */
export class Secrets {
  constructor(readonly read: (alias: string) => string) {}
}

/** A static path that a template reads: a root name, then keys up to the first dynamic one. */
export interface ReadPath {
  readonly root: string;
  readonly path: readonly (string | number)[];
}

export interface TemplateEnvironment {
  /** What `now()` reads: milliseconds since 1970, UTC. */
  readonly nowMs: number;
}

export interface Template {
  readonly text: string;
  /** Distinct reads, without the names bound inside the template and the functions it calls. */
  readonly reads: readonly ReadPath[];
  /** True if every evaluation gives the same value: no reads and no use of the environment. */
  readonly constant: boolean;
  /**
   * A lone `{{ expression }}` gives the expression's value as it is (by reference, undefined
   * included, a View as its value, an integer beyond 2^53 as decimal text); anything else a text.
   * @throws TemplateRuntimeError
   */
  evaluate(scope: Scope, environment: TemplateEnvironment): unknown;
}

/** The value that stands behind a View; any other value is itself. */
export function plain(value: unknown): unknown {
  let inner = value;
  while (typeof inner === "object" && inner instanceof View) inner = inner.value;
  return inner;
}
