// The variables of an execution: what `set` wrote, by name, as values or as references to them.

import type { SetValues } from "#core/model/event";
import { isJsonObject, type Json } from "#core/model/json";
import type { ResultRef } from "#core/model/outcome";
import { setTarget } from "#core/playbook/value";

/** A value that the log keeps behind a reference; a class, so that no data can pass for one. */
export class StoredValue {
  constructor(readonly ref: ResultRef) {}
}

export type Held = Json | StoredValue;

/** Without a prototype: every name is only ever a name. */
export type Variables = Record<string, Held>;

export function noVariables(): Variables {
  return Object.create(null) as Variables;
}

export function held(value: Json, ref: ResultRef | undefined): Held {
  return ref === undefined ? value : new StoredValue(ref);
}

export function setVariables(variables: Variables, values: SetValues): void {
  for (const key in values.set) {
    const value = values.set[key];
    if (value !== undefined) setVariable(variables, key, value, variables);
  }
  for (const key in values.set_refs) {
    const ref = values.set_refs[key];
    if (ref !== undefined) setVariable(variables, key, new StoredValue(ref), variables);
  }
}

/**
 * Writes one `set` entry: `ctx.`, `step.` and `iter.` are taken off, further dots lead into the
 * variable (language reference §1.8).
 * @param base where the rest of a variable comes from that is set in part only.
 */
export function setVariable(variables: Variables, key: string, value: Held, base: Variables): void {
  const { name, path } = setTarget(key);
  variables[name] = path.length === 0 ? value : placed(variables[name] ?? base[name], path, value);
}

/** The map with the value at the path; maps on the way are copied, anything else is replaced. */
function placed(into: Held | undefined, path: readonly string[], value: Held): Held {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const whole = into !== undefined && isJsonObject(into) ? into : {};
  return { ...whole, [key]: placed(whole[key], rest, value) as Json };
}
