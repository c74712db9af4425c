// What the templates of a running pipeline see (language reference §3.2): what the pipeline has
// made so far over the iteration, and that over the values of the execution that came along.

import type { Facts } from "#core/engine/facts";
import { iterationLocals } from "#core/engine/iteration";
import { type Locals, outputView } from "#core/engine/scope";
import { noVariables, setVariable, type Variables } from "#core/engine/variables";
import type { WorkerCommand } from "#core/model/command";
import { InvariantViolation } from "#core/model/fault";
import { isJsonObject, type Json, type JsonObject } from "#core/model/json";
import type { Failure, Output } from "#core/model/outcome";
import { keychainRoot } from "#core/playbook/keychain-reads";
import { type Scope, type Secrets, secretRoot, View } from "#core/playbook/template";
import { setTarget } from "#core/playbook/value";

const none = (): never => {
  throw new InvariantViolation("a worker's template has no facts but the values it was given");
};

/** The views ask for nothing: values behind references were fetched before the command was made. */
const noFacts: Facts = {
  nowMs: 0,
  sha256: none,
  eventId: none,
  childId: none,
  results: new Map(),
  catalog: new Map(),
};

/** Pairs instead of maps: they keep their order whatever the keys look like. */
export type Entries<Value> = readonly (readonly [string, Value])[];

/** All that a scope has come to beside what its command says; JSON, if its outputs are. */
export interface ScopeState {
  readonly results: Entries<Output>;
  readonly error?: Failure;
  readonly given: Entries<Json>;
  readonly variables: Entries<Json>;
  readonly iterVariables: Entries<Json>;
}

export class TaskScope implements Scope {
  /** The task that is on, and its attempt, from 1. */
  task = "";
  attempt = 0;
  /** The task's own inputs, while its other fields are filled. */
  input: JsonObject | undefined;
  /** Gives tokens of credentials, while the fields of a tool are filled. */
  secrets: Secrets | undefined;
  /** Entries of the keychain by name, likewise. */
  keychain: Readonly<Record<string, JsonObject>> | undefined;
  /** The output that `output` means: the current task's, between tasks the last one's. */
  output: Output | undefined;
  /** Of the last task that failed. */
  error: Failure | undefined;
  /** Outputs by label; the latest of each. */
  readonly results = new Map<string, Output>();
  /** What `set` gave to the execution, by key as written, in the order of the last writes. */
  readonly given: Record<string, Json> = Object.create(null) as Record<string, Json>;

  readonly #command: WorkerCommand;
  readonly #workerId: string;
  readonly #iteration: Locals | undefined;
  readonly #variables: Variables = noVariables();
  readonly #iterVariables: Variables = noVariables();
  #hasVariables = false;
  #hasIterVariables = false;

  constructor(command: WorkerCommand, workerId: string) {
    this.#command = command;
    this.#workerId = workerId;
    this.#iteration =
      command.iteration === undefined ? undefined : iterationLocals(command.iteration);
  }

  get(name: string): unknown {
    if (name === secretRoot) return this.secrets;
    if (name === keychainRoot) return this.keychain;
    const { input } = this;
    if (input !== undefined && Object.hasOwn(input, name)) return input[name];
    const local = this.#local(name);
    if (local !== undefined) return local;
    const result = this.results.get(name);
    if (result !== undefined) return labelView(result);
    const variable = this.#variable(name);
    if (variable !== undefined) return variable;
    const bound = this.#iteration?.[name];
    if (bound !== undefined) return bound;
    const { scope } = this.#command;
    return Object.hasOwn(scope, name) ? scope[name] : this.#about(name);
  }

  /** What the pipeline set; null is a value like any other. */
  #variable(name: string): unknown {
    const own = this.#iterVariables[name];
    return own === undefined ? this.#variables[name] : own;
  }

  /** Stores what a task came to; rules, sets and later tasks see it. */
  settle(label: string, output: Output): void {
    // Taken out first, so that the order is that of the last executions.
    this.results.delete(label);
    this.results.set(label, output);
    this.output = output;
    if (output.error !== undefined) this.error = output.error;
  }

  /** One `set` entry: `iter.` stays in the pipeline, anything else goes to the execution too. */
  assign(key: string, value: Json): void {
    const { scope, name } = setTarget(key);
    if (scope === "iter") {
      this.#hasIterVariables = true;
      const base = { [name]: ownOf(this.#iterationValues(), name) ?? null };
      return setVariable(this.#iterVariables, key, value, base);
    }
    this.#hasVariables = true;
    const known = ownOf(this.#command.scope["ctx"], name) ?? ownOf(this.#command.scope, name);
    setVariable(this.#variables, key, value, { [name]: known ?? null });
    delete this.given[key];
    this.given[key] = value;
  }

  /** For a scope that goes on elsewhere; between two tasks, when no inputs are bound. */
  state(): ScopeState {
    return {
      results: [...this.results],
      ...(this.error === undefined ? {} : { error: this.error }),
      given: Object.entries(this.given),
      // Only `assign` writes them, and only JSON.
      variables: Object.entries(this.#variables as JsonObject),
      iterVariables: Object.entries(this.#iterVariables as JsonObject),
    };
  }

  /** Makes a new scope what the one was that gave the state. */
  restore({ results, error, given, variables, iterVariables }: ScopeState): void {
    for (const [label, output] of results) this.settle(label, output);
    this.error = error;
    for (const [key, value] of given) this.given[key] = value;
    for (const [name, value] of variables) this.#variables[name] = value;
    for (const [name, value] of iterVariables) this.#iterVariables[name] = value;
    this.#hasVariables = variables.length > 0;
    this.#hasIterVariables = iterVariables.length > 0;
  }

  /** The execution's values as code sees them: one flat map, and the maps it is made of. */
  variables(): JsonObject {
    const { workload, steps, ...rest } = this.#command.scope;
    const ctx = this.#contextValues() ?? {};
    return {
      ...(isJsonObject(workload) ? workload : {}),
      ...(isJsonObject(steps) ? steps : {}),
      ...ctx,
      ...rest,
      ...(workload === undefined ? {} : { workload }),
      ...(steps === undefined ? {} : { steps }),
      ctx,
    };
  }

  #local(name: string): unknown {
    switch (name) {
      case "output":
        return this.output === undefined ? undefined : outputView(undefined, this.output, noFacts);
      case "results":
        return this.results.size === 0 ? undefined : this.#resultsView();
      case "error":
        return this.error;
      case "_prev":
        return this.#previous();
      case "_task":
        return this.task;
      case "_attempt":
        return this.attempt;
      case "ctx":
        return this.#contextValues();
      case "iter":
        return this.#iterationScope();
      default:
        return undefined;
    }
  }

  /** The data of the task before this one; of the last other one once this one has run. */
  #previous(): unknown {
    let found: Output | undefined;
    for (const [label, output] of this.results) if (label !== this.task) found = output;
    return found === undefined ? undefined : labelView(found);
  }

  #resultsView(): View {
    const { results } = this;
    const whole = Object.fromEntries(
      [...results].map(([label, { data }]) => [label, data ?? null]),
    );
    return new View(whole, (label) => {
      const output = results.get(label);
      return output === undefined ? undefined : labelView(output);
    });
  }

  #contextValues(): JsonObject | undefined {
    const ctx = this.#command.scope["ctx"];
    const given = isJsonObject(ctx) ? ctx : undefined;
    return this.#hasVariables ? { ...given, ...(this.#variables as JsonObject) } : given;
  }

  #iterationValues(): Json | undefined {
    // The binding is JSON: `iterationLocals` makes it of the command's own item and numbers.
    return this.#iteration?.["iter"] as Json | undefined;
  }

  #iterationScope(): unknown {
    const given = this.#iterationValues();
    if (!this.#hasIterVariables) return given;
    return { ...(given as JsonObject | undefined), ...(this.#iterVariables as JsonObject) };
  }

  #about(name: string): unknown {
    const command = this.#command;
    switch (name) {
      case "execution_id":
      case "step":
      case "command_id":
      case "catalog_id":
      case "path":
        return command[name];
      case "worker_id":
        return this.#workerId;
      case "job": {
        const id = command.execution_id;
        return { uuid: id, id, execution_id: id };
      }
      default:
        return undefined;
    }
  }
}

/** A task under its label: its data, whose own fields come before those of the envelope. */
function labelView(output: Output): View {
  const { data } = output;
  const envelope = outputView(undefined, output, noFacts);
  return new View(data ?? null, (name) => ownOf(data, name) ?? envelope.attribute(name));
}

function ownOf(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
