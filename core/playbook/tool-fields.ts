// Every tool kind with all fields it accepts (language reference §§2.1–2.5): what all kinds share is
// here, what is one kind's own in tool-kinds*.ts; and the kinds that are known by name only. A field
// that may hold a template is checked for its type only where it is literal.

import { policy } from "./language-policy.ts";
import {
  either,
  type Field,
  name,
  type RecordShape,
  setMap,
  templated,
  templatedMap,
  text,
} from "./shape.ts";
import { referringKinds, workerKinds } from "./tool-kinds.ts";
import { dataKinds } from "./tool-kinds-data.ts";
import { flowKinds } from "./tool-kinds-flow.ts";
import { runKinds } from "./tool-kinds-run.ts";
import { field, seconds, type ToolKind, textOrMap, value } from "./tool-shapes.ts";

const toolSpec: RecordShape = {
  is: "record",
  noun: "tool spec",
  others: "warn",
  older: { retry: "spec.policy.rules with do: retry" },
  fields: {
    policy: { shape: policy, says: "What happens after the task ran, by rules." },
    code: field(templated, "Python source, as older playbooks place it."),
    timeout: field(seconds, "Seconds the call may take."),
  },
};

/** What every kind has. */
export const commonFields: Readonly<Record<string, Field>> = {
  kind: { shape: text, required: true, says: "The tool." },
  name: {
    shape: name,
    says: "The task's label in a pipeline; the entry's name for a workbook call.",
  },
  desc: field(text, "What the call is for."),
  input: field(templatedMap, "Values the tool is given, by name."),
  args: field(templatedMap, "The same as input."),
  set: field(setMap, "Values to set after the call, whether it failed or not; sees output."),
  spec: field(toolSpec, "Settings of the call: its policy."),
  output: field(either(templated, templatedMap), "Where the result is kept, which fields show."),
  output_select: field({ is: "list", items: text, orSingle: true }, "Names of fields to expose."),
  auth: field(textOrMap, "The credential's alias, or a map that describes how to authenticate."),
  credential: field(textOrMap, "The same as auth."),
  libs: field(value, "Modules python code finds under the names given."),
  timeout: field(seconds, "Seconds the call may take."),
  timeout_seconds: field(seconds, "The same as timeout."),
  assert: { shape: value, ignored: "use spec.policy.rules", says: "Accepted, without effect." },
  retry: {
    shape: value,
    ignored: "use spec.policy.rules with do: retry",
    says: "Accepted, without effect.",
  },
};

const olderFields: Readonly<Record<string, string>> = {
  eval: "spec.policy.rules",
  when: "a condition on the arc that leads to the step",
  case: "spec.policy.rules",
  type: "kind",
  vars: "set",
  set_ctx: "set",
  set_iter: "set: {iter.NAME: …}",
  outcome: "output in set and when",
  result: "output in set and when",
  sink: "a task of its own that stores the result",
};

const kinds: Readonly<Record<string, ToolKind>> = {
  ...workerKinds,
  ...flowKinds,
  ...dataKinds,
  ...runKinds,
  ...referringKinds,
};

/** Every built-in kind, with all fields it accepts. */
export const toolKinds: ReadonlyMap<string, RecordShape> = new Map(
  Object.entries(kinds).map(([kind, { fields, own }]) => [kind, toolRecord(kind, fields, own)]),
);

/** Of each group of fields, a tool of this kind needs one (`spec.code`: code inside spec). */
export function neededFields(kind: string): readonly (readonly string[])[] {
  return kinds[kind]?.needs ?? [];
}

export function kindSays(kind: string): string {
  return kinds[kind]?.says ?? "";
}

function toolRecord(
  kind: string,
  fields: Readonly<Record<string, Field>>,
  own: readonly string[] = [],
): RecordShape {
  const older = Object.entries(olderFields).filter(([key]) => !own.includes(key));
  return {
    is: "record",
    noun: `${kind} tool`,
    others: "warn",
    older: Object.fromEntries(older),
    unsupported: ["emit"],
    fields: { ...commonFields, ...fields },
  };
}

/** Kinds of older forms, with the form to use instead. */
export const olderKinds: ReadonlyMap<string, string> = new Map([
  ["iterator", "the step's loop"],
  ["task_sequence", "a list of tools"],
  ["playbooks", "kind: playbook"],
  ["auth", "an alias under auth of the calls that need it"],
  ["sink", "a step of its own that stores the result"],
]);

const knownKinds: readonly string[] = [
  "agent",
  "container",
  "ducklake",
  "gateway",
  "gcs",
  "mcp",
  "nats",
  "provider",
  "result_fetch",
  "rhai",
  "script",
  "secrets",
  "snowflake",
  "snowflake_transfer",
  "subscription",
  "transfer",
  "wait",
  "wasm",
];

/** Kinds that the language knows and this version has no tool for. */
export const unsupportedKinds: ReadonlySet<string> = new Set(
  knownKinds.filter((kind) => !toolKinds.has(kind)),
);
