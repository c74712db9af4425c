// Values of a playbook that may hold templates at any depth, compiled once: a list or map with
// one templated leaf renders anew, a value without templates is itself.

import type { Json } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import {
  compileTemplate,
  isTemplate,
  type ReadPath,
  type Scope,
  type TemplateEnvironment,
} from "./template.ts";

export type CompiledValue =
  | { readonly constant: true; readonly value: Json }
  | {
      readonly constant: false;
      readonly reads: readonly ReadPath[];
      /** The rendered value; undefined where a lone expression is undefined. */
      render(scope: Scope, environment: TemplateEnvironment): unknown;
    };

/** One `set` entry: `ctx.`, `step.` and `iter.` name the scope, the rest is the variable. */
export interface CompiledSet {
  readonly key: string;
  readonly value: CompiledValue;
}

/** @throws TemplateSyntaxError for a template that doesn't parse. */
export function compileValue(value: Json): CompiledValue {
  if (typeof value === "string") {
    if (!isTemplate(value)) return { constant: true, value };
    const template = compileTemplate(value);
    return {
      constant: false,
      reads: template.reads,
      render: (scope, environment) => template.evaluate(scope, environment),
    };
  }
  if (Array.isArray(value)) return compileList(value);
  if (isJsonObject(value)) return compileMap(value);
  return { constant: true, value };
}

function compileList(list: readonly Json[]): CompiledValue {
  const items = list.map(compileValue);
  if (items.every((item) => item.constant)) return { constant: true, value: list };
  return {
    constant: false,
    reads: items.flatMap((item) => (item.constant ? [] : item.reads)),
    render: (scope, environment) =>
      items.map((item) => renderValue(item, scope, environment) ?? null),
  };
}

function compileMap(map: { readonly [key: string]: Json }): CompiledValue {
  const entries = Object.entries(map).map(([key, item]) => [key, compileValue(item)] as const);
  if (entries.every(([, item]) => item.constant)) return { constant: true, value: map };
  return {
    constant: false,
    reads: entries.flatMap(([, item]) => (item.constant ? [] : item.reads)),
    render: (scope, environment) =>
      Object.fromEntries(
        entries.map(([key, item]) => [key, renderValue(item, scope, environment) ?? null]),
      ),
  };
}

export function renderValue(
  value: CompiledValue,
  scope: Scope,
  environment: TemplateEnvironment,
): unknown {
  return value.constant ? value.value : value.render(scope, environment);
}

export function compileSets(sets: { readonly [key: string]: Json } | undefined): CompiledSet[] {
  return Object.entries(sets ?? {}).map(([key, value]) => ({ key, value: compileValue(value) }));
}

export interface SetTarget {
  readonly scope: "ctx" | "iter";
  readonly name: string;
  /** Further keys inside the variable: `ctx.page.next` sets `next` of `page`. */
  readonly path: readonly string[];
}

const setScopes: ReadonlyMap<string, SetTarget["scope"]> = new Map([
  ["ctx", "ctx"],
  ["step", "ctx"],
  ["iter", "iter"],
]);

/** Where a `set` key writes; a dotted key without one of the scopes is a name with dots. */
export function setTarget(key: string): SetTarget {
  const dot = key.indexOf(".");
  const scope = dot < 1 ? undefined : setScopes.get(key.slice(0, dot));
  if (scope === undefined) return { scope: "ctx", name: key, path: [] };
  const [name, ...path] = key.slice(dot + 1).split(".");
  return { scope, name: name ?? "", path };
}
