// Fills what the engine left open in a task: holes in its config, values of its `set`, the
// condition of a rule. Only these texts are evaluated, and each of them once.

import type { SetEntry, TaskSpec, TemplateHole, WorkerCommand } from "#core/model/command";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import { missingField } from "#core/playbook/keychain-reads";
import { isTemplate, isTruthy, type TemplateEnvironment } from "#core/playbook/template";
import { ToolFailure } from "#worker/tools/tool";
import type { TaskScope } from "./task-scope.ts";
import type { CompiledText, TemplateCache } from "./template-cache.ts";

export interface Evaluation {
  readonly scope: TaskScope;
  readonly environment: TemplateEnvironment;
  readonly templates: TemplateCache;
}

/** Tools whose code sees the loop's item under its name, without naming it as an input. */
const codeKinds: ReadonlySet<string> = new Set(["python", "javascript"]);

/**
 * The task's config with nothing left open. Inputs are filled first: the other fields see them.
 * @throws TemplateRuntimeError, TemplateSyntaxError, ToolFailure (kind `credential`)
 */
export function taskConfig(task: TaskSpec, command: WorkerCommand, by: Evaluation): JsonObject {
  const { config, holes } = task;
  const bound = withIteration(task, command);
  if (holes.length === 0) return bound;
  const filling = new Filling(bound);
  for (const hole of holes) if (hole.at[0] === "input") filling.fill(hole, by);
  const { input } = filling.config;
  by.scope.input = isJsonObject(input) ? input : undefined;
  try {
    for (const hole of holes) if (hole.at[0] !== "input") filling.fill(hole, by);
  } finally {
    by.scope.input = undefined;
  }
  return filling.config === config ? config : filling.config;
}

function withIteration({ kind, config }: TaskSpec, { iteration }: WorkerCommand): JsonObject {
  if (iteration === undefined || !codeKinds.has(kind)) return config;
  const { input } = config;
  if (input !== undefined && !isJsonObject(input)) return config;
  const { iterator, item, index, total } = iteration;
  return { ...config, input: { [iterator]: item, _index: index, _total: total, ...input } };
}

/** A config being filled: what lies on the way to a hole is copied once, the rest is shared. */
class Filling {
  config: JsonObject;
  readonly #own = new Set<unknown>();

  constructor(config: JsonObject) {
    this.config = config;
  }

  fill({ at, text }: TemplateHole, by: Evaluation): void {
    const value = evaluate(by.templates.template(text), by);
    const last = at.at(-1);
    if (last === undefined) return;
    this.config = this.#owned(this.config) as JsonObject;
    let into: unknown = this.config;
    for (let index = 0; index < at.length - 1; index++) {
      const key = at[index] ?? "";
      const inner = this.#owned(childOf(into, key));
      place(into, key, inner);
      into = inner;
    }
    place(into, last, value);
  }

  #owned(value: unknown): unknown {
    if (this.#own.has(value)) return value;
    const copy: unknown = Array.isArray(value) ? [...value] : { ...(value as JsonObject) };
    this.#own.add(copy);
    return copy;
  }
}

function childOf(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Writes into a copy that this file made; a key is only ever a key, `__proto__` too. */
function place(into: unknown, key: string | number, value: unknown): void {
  if (Array.isArray(into)) into[Number(key)] = value;
  else if (typeof into === "object" && into !== null) {
    Object.defineProperty(into, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

/** Applies `set` entries in order; each sees what the ones before it wrote. */
export function applySet(entries: readonly SetEntry[], by: Evaluation): void {
  for (const { key, value } of entries) by.scope.assign(key, rendered(value, by));
}

/** The truth of a rule's condition; a rule without one always holds. */
export function holds(when: string | undefined, by: Evaluation): boolean {
  if (when === undefined) return true;
  const compiled = by.templates.expression(when);
  refuseSecrets(compiled);
  return isTruthy(compiled.template.evaluate(by.scope, by.environment));
}

function rendered(value: Json, by: Evaluation): Json {
  if (typeof value === "string") {
    if (!isTemplate(value)) return value;
    const compiled = by.templates.template(value);
    refuseSecrets(compiled);
    return evaluate(compiled, by);
  }
  if (Array.isArray(value)) return value.map((item) => rendered(item, by));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rendered(item, by)]));
}

function evaluate(compiled: CompiledText, { scope, environment }: Evaluation): Json {
  const missing =
    compiled.keychain.length === 0
      ? undefined
      : missingField(compiled.template.reads, scope.keychain ?? {});
  if (missing !== undefined) throw refusal(missing);
  // Templates make JSON of JSON; only "nothing" has no word there.
  return (compiled.template.evaluate(scope, environment) ?? null) as Json;
}

/** What a rule or a `set` sees may be written to the log; a field of a tool never is. */
function refuseSecrets({ readsToken, keychain }: CompiledText): void {
  const what = readsToken ? "token()" : keychain.length > 0 ? "keychain" : undefined;
  if (what === undefined) return;
  throw refusal(`${what} is for fields of tools: a secret must not reach the log`);
}

function refusal(message: string): ToolFailure {
  return new ToolFailure({ kind: "credential", message, retryable: false });
}
