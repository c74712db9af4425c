// Splits the templates of a step's tasks in two: those that read only the execution are fields,
// rendered by the engine when the command is issued; those that read what only exists while the
// tasks run (outputs, labels, secrets, what the pipeline sets) are holes, left to the worker.

import type { PolicyRule, SetEntry, TaskPolicy, TaskSpec, TemplateHole } from "#core/model/command";
import type { Json, JsonObject } from "#core/model/json";
import { isJsonObject } from "#core/model/json";
import type { PlanField } from "./plan.ts";
import {
  compileExpression,
  compileTemplate,
  isTemplate,
  type ReadPath,
  secretRoot,
} from "./template.ts";
import { compileValue, setTarget } from "./value.ts";

export interface TaskSource {
  readonly label: string;
  readonly kind: string;
  readonly config: JsonObject;
  readonly set: readonly SetEntry[];
  readonly policy?: TaskPolicy;
}

export interface CompiledTasks {
  readonly tasks: readonly TaskSpec[];
  readonly fields: readonly PlanField[];
  readonly workerReads: readonly ReadPath[];
}

/** Names that only a worker can give a meaning to (language reference §3.2). */
const workerNames: readonly string[] = [
  "output",
  "results",
  "keychain",
  "error",
  "_prev",
  "_task",
  "_attempt",
  "worker_id",
  "server_url",
  "command_id",
  secretRoot,
];

/** Of these, the ones that no value of the execution may stand in for. */
const neverOfTheExecution: ReadonlySet<string> = new Set(["output", "keychain", secretRoot]);

/** Names that the worker binds anew for each iteration, beside the iterator itself. */
const iterationNames: readonly string[] = ["iter", "loop", "_index", "_total"];

/** What a step's tasks run in. */
export interface TaskSurroundings {
  /** The name of the loop's item. */
  readonly iterator?: string;
  /** Who knows the item: the engine, or the worker alone, which claims it (default engine). */
  readonly rowsAt?: "engine" | "worker";
}

export function compileTasks(
  sources: readonly TaskSource[],
  { iterator, rowsAt = "engine" }: TaskSurroundings,
): CompiledTasks {
  const bound = new Set(iterator === undefined ? [] : [...iterationNames, iterator]);
  if (rowsAt === "worker") bound.add("frame");
  const local = new Set([...workerNames, ...labelsOf(sources), ...namesSet(sources)]);
  if (rowsAt === "worker") for (const name of bound) local.add(name);
  const fields: PlanField[] = [];
  const workerReads: ReadPath[] = [];
  const readByWorker = (reads: readonly ReadPath[]): void => {
    for (const read of reads) {
      if (!bound.has(read.root) && !neverOfTheExecution.has(read.root)) workerReads.push(read);
    }
  };
  const tasks = sources.map((source, task) => {
    const splitter = new Splitter(source, task, local);
    const config = splitter.split() as JsonObject;
    fields.push(...splitter.fields);
    readByWorker(splitter.holeReads);
    if (asksForAll(source)) workerReads.push(...everything);
    for (const reads of policyReads(source)) readByWorker(reads);
    return {
      label: source.label,
      kind: source.kind,
      config,
      holes: splitter.holes,
      set: source.set,
      ...(source.policy === undefined ? {} : { policy: source.policy }),
    };
  });
  return { tasks, fields, workerReads: distinct(workerReads) };
}

/** Code may look around: its `variables` and `context` hold the whole execution. */
const codeKinds: ReadonlySet<string> = new Set(["python", "javascript"]);
const everything: readonly ReadPath[] = ["workload", "ctx", "steps"].map((root) => ({
  root,
  path: [],
}));

/** The values come along only for code that names them: they may be large. */
function asksForAll({ kind, config }: TaskSource): boolean {
  if (!codeKinds.has(kind)) return false;
  const spec = isJsonObject(config.spec) ? config.spec.code : undefined;
  const code = config.code ?? spec;
  // A script's text is not at hand here: it gets them in any case.
  return typeof code !== "string" || /\b(variables|context)\b/.test(code);
}

function labelsOf(sources: readonly TaskSource[]): readonly string[] {
  return sources.length > 1 ? sources.map((source) => source.label) : [];
}

/** What a pipeline's `set` writes is read back by its later templates, bare and by scope. */
function namesSet(sources: readonly TaskSource[]): readonly string[] {
  const entries = sources.flatMap((source) => [
    ...source.set,
    ...(source.policy?.rules ?? []).flatMap((rule: PolicyRule) => rule.set),
  ]);
  return entries.flatMap(({ key }) => {
    const { scope, name } = setTarget(key);
    return [scope, name];
  });
}

function* policyReads(source: TaskSource): Generator<readonly ReadPath[]> {
  for (const entry of source.set) yield valueReads(entry.value);
  for (const rule of source.policy?.rules ?? []) {
    if (rule.when !== undefined) yield compileExpression(rule.when).reads;
    for (const entry of rule.set) yield valueReads(entry.value);
  }
}

function valueReads(value: Json): readonly ReadPath[] {
  const compiled = compileValue(value);
  return compiled.constant ? [] : compiled.reads;
}

/** Takes the templates out of one task's config, leaving null in their places. */
class Splitter {
  readonly fields: PlanField[] = [];
  readonly holes: TemplateHole[] = [];
  readonly holeReads: ReadPath[] = [];
  readonly #inputNames: ReadonlySet<string>;

  constructor(
    readonly source: TaskSource,
    readonly task: number,
    readonly local: ReadonlySet<string>,
  ) {
    const { input } = source.config;
    this.#inputNames = new Set(isJsonObject(input) ? Object.keys(input) : []);
  }

  split(): Json {
    return this.#visit(this.source.config, []);
  }

  #visit(value: Json, at: readonly (string | number)[]): Json {
    if (typeof value === "string") return this.#text(value, at);
    if (Array.isArray(value)) return value.map((item, index) => this.#visit(item, [...at, index]));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#visit(item, [...at, key])]),
    );
  }

  #text(text: string, at: readonly (string | number)[]): Json {
    if (!isTemplate(text)) return text;
    const template = compileTemplate(text);
    const inInput = at[0] === "input";
    const deferred = template.reads.some(
      ({ root }) => this.local.has(root) || (!inInput && this.#inputNames.has(root)),
    );
    if (!deferred) {
      const pointer = `/${[this.task, ...at].map(escapePointer).join("/")}`;
      this.fields.push({ pointer, task: this.task, at, template });
      return null;
    }
    this.holes.push({ at, text });
    this.holeReads.push(
      ...template.reads.filter(({ root }) => inInput || !this.#inputNames.has(root)),
    );
    return null;
  }
}

/** RFC 6901 §3. */
function escapePointer(key: string | number): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}

function distinct(reads: readonly ReadPath[]): readonly ReadPath[] {
  return [...new Map(reads.map((read) => [JSON.stringify([read.root, read.path]), read])).values()];
}
