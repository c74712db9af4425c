// The fields of every tool kind (language reference §§2.1–2.5), and the kinds that are known by
// name only. A field that may hold a template is checked for its type only where it is literal.

import { stepNameCharsMax } from "#core/model/limits";
import { policy, setMap } from "./language.ts";
import {
  either,
  type Field,
  oneOf,
  type RecordShape,
  type Shape,
  templated,
  templatedData,
  templatedMap,
  text,
} from "./shape.ts";

const seconds: Shape = { is: "number", min: 0, orTemplate: true };
const flag: Shape = { is: "flag", orTemplate: true };
const map: Shape = { ...templatedMap, orTemplate: true };
const textOrList: Shape = { is: "list", items: templated, orSingle: true };
const value: Shape = templatedData;
const textOrMap: Shape = either(templated, templatedMap);
const textOrNumber: Shape = either(templated, { is: "number" });

function field(shape: Shape, says: string): Field {
  return { shape, says };
}

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

const notTimed = "a sub-playbook is waited for until it ends or is cancelled";

const commonFields: Readonly<Record<string, Field>> = {
  kind: { shape: text, required: true, says: "The tool." },
  name: {
    shape: { is: "text", charsMax: stepNameCharsMax, templates: "none" },
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

interface ToolKind {
  readonly says: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** One of each group must be there. */
  readonly needs?: readonly (readonly string[])[];
  /** Fields of this kind that are older forms elsewhere. */
  readonly own?: readonly string[];
}

const statements: Readonly<Record<string, Field>> = {
  command: field(templated, "SQL; several statements are separated by semicolons."),
  query: field(templated, "The same as command."),
  commands: field(textOrList, "SQL statements, run in order; the last one gives the result."),
  script: field(textOrMap, "SQL from a script."),
  params: field(value, "Values for the statement's parameters, by position."),
  as_objects: field(flag, "Rows as maps rather than lists."),
  database: field(templated, "The database's name, or its file."),
};

const kinds: Readonly<Record<string, ToolKind>> = {
  noop: {
    says: "Does nothing; gives its result or a message back.",
    fields: {
      message: field(value, "A text for the log."),
      result: field(value, "The result."),
    },
    own: ["result"],
  },
  python: {
    says: "Runs Python code in a warm interpreter.",
    fields: {
      code: field(templated, "The source; what it leaves in result is the result."),
      script: field(textOrMap, "Where the source comes from instead."),
      env: field(map, "Environment variables."),
      cwd: field(templated, "The folder to run in."),
      python: field(templated, "The interpreter."),
    },
    needs: [["code", "script", "spec.code"]],
  },
  javascript: {
    says: "Runs JavaScript code in a sandbox without I/O.",
    fields: {
      code: field(templated, "The source; what it returns is the result."),
      script: field(textOrMap, "Where the source comes from instead."),
    },
    needs: [["code", "script"]],
  },
  http: {
    says: "Sends one HTTP request.",
    fields: {
      method: field(templated, "GET unless given."),
      url: field(templated, "The address."),
      endpoint: field(templated, "The same as url."),
      headers: field(map, "Headers."),
      params: field(map, "The query's parameters."),
      json: field(value, "The body, as JSON."),
      form: field(map, "The body, as a form."),
      body: field(value, "The body, as it is."),
      payload: field(value, "The body: JSON for maps and lists, else text."),
      data: field(value, "The same as payload."),
      follow_redirects: field(flag, "Whether redirects are followed (default true)."),
      response_type: {
        shape: oneOf("json", "text", "binary"),
        says: "How the answer's body is read.",
      },
      verify_ssl: field(flag, "Whether certificates are checked (default true)."),
    },
    needs: [["url", "endpoint"]],
  },
  postgres: {
    says: "Runs SQL on PostgreSQL.",
    fields: {
      ...statements,
      connection_string: field(templated, "Address of the database."),
      host: field(templated, "The server."),
      port: field(either(templated, { is: "number", whole: true, min: 1 }), "Its port."),
      user: field(templated, "The user."),
      password: field(templated, "The password; better a credential."),
      schema: field(templated, "The schema that names without one belong to."),
      pool: field(value, "Settings of the connection pool."),
    },
    needs: [["command", "query", "commands", "script"]],
  },
  duckdb: {
    says: "Runs SQL on DuckDB, in memory or on a file.",
    fields: {
      ...statements,
      db_path: field(templated, "The database's file."),
      gcs_credential: field(templated, "The credential for gs:// addresses."),
    },
    needs: [["command", "query", "commands", "script"]],
  },
  shell: {
    says: "Runs shell commands, where the worker allows it.",
    fields: {
      command: field(textOrList, "The command."),
      cmds: field(textOrList, "Commands, run in order; the first failure ends the call."),
      shell: field(templated, "The shell (default sh)."),
      cwd: field(templated, "The folder to run in."),
      env: field(map, "Environment variables."),
      capture: field(flag, "Whether output is part of the result."),
    },
    needs: [["command", "cmds"]],
  },
  playbook: {
    says: "Runs another playbook.",
    fields: {
      path: field(templated, "Its place in the catalog."),
      catalog_id: field(textOrNumber, "Its id in the catalog."),
      version: field(textOrNumber, "Its version (default the newest)."),
      payload: field(templatedMap, "The same as input."),
      return_step: field(templated, "Wait for the end and give the playbook's result."),
      return_result: field(flag, "Wait for the end and give its result."),
      result_step: {
        shape: templated,
        ignored: "the playbook's own result is given: let its step end make it",
        says: "No effect.",
      },
      timeout: { shape: seconds, ignored: notTimed, says: "No effect." },
      timeout_seconds: { shape: seconds, ignored: notTimed, says: "No effect." },
      poll_interval: { shape: seconds, ignored: "nothing is polled", says: "No effect." },
    },
    needs: [["path", "catalog_id"]],
  },
  workbook: {
    says: "Calls an entry of this playbook's workbook.",
    fields: {},
    needs: [["name"]],
  },
  artifact: {
    says: "Reads or stores a result by reference.",
    fields: {
      action: field(oneOf("get", "put"), "get (default) or put."),
      result_ref: field(value, "The reference."),
      uri: field(templated, "The same as result_ref."),
      ref: field(value, "The same as result_ref."),
      data: field(value, "What is stored (put)."),
    },
  },
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
]);

/** Kinds that the language knows and this version has no tool for. */
export const unsupportedKinds: ReadonlySet<string> = new Set([
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
]);
