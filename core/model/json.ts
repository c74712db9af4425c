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
 * Cycles, NaN, infinities, functions, symbols, bigints and class instances can't.
 */
export function jsonProblem(value: unknown, depthMax: number): string | undefined {
  const open = new Set<object>();
  const visit = (part: unknown, path: string): string | undefined => {
    if (part === null || typeof part === "string" || typeof part === "boolean") return undefined;
    if (typeof part === "number") {
      return Number.isFinite(part) ? undefined : `${path || "value"} is ${part}, expected a number`;
    }
    if (typeof part !== "object") return `${path || "value"} is a ${typeof part}, expected JSON`;
    if (open.has(part)) return `${path || "value"} refers to itself`;
    if (open.size >= depthMax) return `${path || "value"} is nested deeper than ${depthMax}`;
    open.add(part);
    const problem = Array.isArray(part) ? inList(part, path) : inObject(part, path);
    open.delete(part);
    return problem;
  };
  const inList = (list: readonly unknown[], path: string): string | undefined => {
    for (let index = 0; index < list.length; index++) {
      const problem = visit(list[index], `${path}[${index}]`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  const inObject = (part: object, path: string): string | undefined => {
    if (!isJsonObject(part))
      return `${path || "value"} is a ${part.constructor?.name}, expected JSON`;
    for (const [key, item] of Object.entries(part)) {
      const problem = visit(item, path === "" ? key : `${path}.${key}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return visit(value, "");
}
