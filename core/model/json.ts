// The one data type that crosses every boundary of the house: what JSON can say, and nothing else.

export type JsonScalar = null | boolean | number | string;
export type Json = JsonScalar | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for objects that came from JSON or a literal; false for arrays, null and class instances. */
export function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Why a value can't be told in JSON, with the path to the offending part; undefined if it can.
 * Cycles, NaN, infinities, functions, symbols, bigints and class instances can't. `undefined`
 * can't either, in a map or a list: JSON would drop the key or say null, so that who reads the
 * value before it is stored would see something else than who reads it afterwards. Keys that are
 * symbols are no part of a value.
 */
export function jsonProblem(value: unknown, depthMax: number): string | undefined {
  const problem = problemOf(value, new OpenParts(depthMax));
  if (problem === undefined) return undefined;
  return `${pathText(problem) || "value"} ${problem.what}`;
}

/** What is wrong, and the way there from the inside out: a path is only made where it is told. */
interface Problem {
  readonly what: string;
  readonly path: (string | number)[];
}

/** Parts this near to the root are found by looking through a list; a set costs more to keep. */
const nearPartsMax = 16;

/** The maps and lists that lead to the part being looked at: one that comes again is a cycle. */
class OpenParts {
  readonly #near: object[] = [];
  readonly #far = new Set<object>();

  constructor(readonly depthMax: number) {}

  refusal(part: object): string | undefined {
    if (this.#near.includes(part) || this.#far.has(part)) return "refers to itself";
    const isTooDeep = this.#near.length + this.#far.size >= this.depthMax;
    return isTooDeep ? `is nested deeper than ${this.depthMax}` : undefined;
  }

  enter(part: object): void {
    if (this.#near.length < nearPartsMax) this.#near.push(part);
    else this.#far.add(part);
  }

  leave(part: object): void {
    if (this.#far.size > 0) this.#far.delete(part);
    else this.#near.pop();
  }
}

function problemOf(part: unknown, open: OpenParts): Problem | undefined {
  switch (typeof part) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(part) ? undefined : problem(`is ${part}, expected a number`);
    case "object":
      return part === null ? undefined : problemInside(part, open);
    default:
      return problem(`is a ${typeof part}, expected JSON`);
  }
}

function problemInside(part: object, open: OpenParts): Problem | undefined {
  const refusal = open.refusal(part);
  if (refusal !== undefined) return problem(refusal);
  open.enter(part);
  const found = Array.isArray(part) ? problemInList(part, open) : problemInMap(part, open);
  open.leave(part);
  return found;
}

function problemInList(list: readonly unknown[], open: OpenParts): Problem | undefined {
  for (let index = 0; index < list.length; index++) {
    const found = problemOf(list[index], open);
    if (found !== undefined) return at(index, found);
  }
  return undefined;
}

function problemInMap(part: object, open: OpenParts): Problem | undefined {
  if (!isJsonObject(part)) return problem(`is a ${part.constructor?.name}, expected JSON`);
  for (const key of Object.keys(part)) {
    const found = problemOf(part[key], open);
    if (found !== undefined) return at(key, found);
  }
  return undefined;
}

function problem(what: string): Problem {
  return { what, path: [] };
}

function at(step: string | number, found: Problem): Problem {
  found.path.push(step);
  return found;
}

function pathText({ path }: Problem): string {
  let text = "";
  for (const step of path.reverse()) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
