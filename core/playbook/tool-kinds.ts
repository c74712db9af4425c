// The kinds of tools that compute, fetch and store (language reference §§2.2–2.5), with the fields
// of each. What all kinds share is in tool-fields.ts.

import { either, type Field, oneOf, templated } from "./shape.ts";
import { field, flag, map, type ToolKind, textOrList, textOrMap, value } from "./tool-shapes.ts";

const statements: Readonly<Record<string, Field>> = {
  command: field(templated, "SQL; several statements are separated by semicolons."),
  query: field(templated, "The same as command."),
  commands: field(textOrList, "SQL statements, run in order; the last one gives the result."),
  script: field(textOrMap, "SQL from a script."),
  params: field(value, "Values for the statement's parameters, by position."),
  as_objects: field(flag, "Rows as maps rather than lists."),
  database: field(templated, "The database's name, or its file."),
};

/** Kinds that compute, ask and store. */
export const workerKinds: Readonly<Record<string, ToolKind>> = {
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
};

/** Kinds that stand for what is kept elsewhere: an entry of the workbook, a result. */
export const referringKinds: Readonly<Record<string, ToolKind>> = {
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
