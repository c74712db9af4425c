// Makes docs/error-codes.md: the codes of refused requests from the contract itself, and the kinds
// of failures with what each means. Run it alone to write the file.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault, type FaultCode } from "#core/model/fault";
import { faultCodes, statusOf } from "#core/wire/problem";

const path = "docs/error-codes.md";

const meaningOfCode: Readonly<Record<FaultCode, string>> = {
  invalid: "The request is not as expected; `details` lists each problem with its place.",
  unauthenticated: "The caller has not said who it is.",
  forbidden: "The caller is known and may not do this, or has not leased the command it names.",
  not_found: "Nothing has that id, path or reference, or no such route exists.",
  conflict: "What is asked for can't be done any more: the execution has ended.",
  cancelled: "The caller itself gave the request up.",
  too_large: "The body, a list in it, a playbook or a result is over its limit.",
  limited: "Too many requests; wait as long as `retry-after` says.",
  internal: "A defect on our side, or a log that doesn't replay; the server's own log says more.",
  unavailable: "The store does not answer. What was asked for may have been done all the same.",
  timeout: "It took too long. What was asked for may have been done all the same.",
};

interface Kind {
  readonly meaning: string;
  readonly retryable: "yes" | "no" | "depends on the code";
}

/** The kinds of failures by name: what `output.error.kind` may be. */
export const failureKinds: Readonly<Record<string, Kind>> = {
  agent: {
    meaning: "An agent's call makes no sense, or with `on_failure: fail` it failed.",
    retryable: "no",
  },
  callback: { meaning: "The answer to a callback told of a failure.", retryable: "no" },
  cancelled: { meaning: "The execution was cancelled while the tool ran.", retryable: "no" },
  config: { meaning: "The step asks for something that the tool doesn't do.", retryable: "no" },
  connection: { meaning: "No connection, or it was lost.", retryable: "depends on the code" },
  container: {
    meaning:
      "A job ended badly, or could not be made; the code is its exit status, or the cluster's.",
    retryable: "depends on the code",
  },
  control: {
    meaning: "The control plane refused what the worker asked of it.",
    retryable: "depends on the code",
  },
  credential: {
    meaning: "Nobody has a credential of that name, or it doesn't fit.",
    retryable: "no",
  },
  duckdb: { meaning: "DuckDB refused the statement.", retryable: "depends on the code" },
  file: {
    meaning: "A file of the worker can't be used; the code is the system's.",
    retryable: "depends on the code",
  },
  forbidden: { meaning: "The worker's policy doesn't allow it.", retryable: "no" },
  frame: { meaning: "Rows of a cursor loop's frame failed, in every attempt.", retryable: "no" },
  gcs: {
    meaning: "Google Cloud Storage refused it; the code is its own.",
    retryable: "depends on the code",
  },
  guard: {
    meaning: "Guards led round and round without entering a step (`guard_cycle`).",
    retryable: "no",
  },
  http: {
    meaning: "The answer has a status from 400 on, or is no proper answer.",
    retryable: "depends on the code",
  },
  javascript: {
    meaning: "The program threw, or broke one of its limits.",
    retryable: "depends on the code",
  },
  lease_expired: {
    meaning: "Worker after worker fell silent while they ran the command.",
    retryable: "no",
  },
  limit: { meaning: "A pipeline ran more tasks than it may.", retryable: "no" },
  loop: { meaning: "The collection is none, or iterations failed.", retryable: "no" },
  mcp: {
    meaning: "An MCP server or its tool answered with an error.",
    retryable: "depends on the code",
  },
  missing_program: {
    meaning: "A program or extension that the tool needs is not on the worker's machine.",
    retryable: "no",
  },
  nats: { meaning: "NATS refused it, or does not answer.", retryable: "depends on the code" },
  no_next: { meaning: "No arc matched, where the playbook wants one to.", retryable: "no" },
  pg: {
    meaning: "PostgreSQL refused the statement; the code is its SQLSTATE.",
    retryable: "depends on the code",
  },
  playbook: { meaning: "A sub-playbook failed, or can't be started.", retryable: "no" },
  policy: { meaning: "A rule of the task's policy asked for the failure.", retryable: "no" },
  python: { meaning: "The program raised, or its process died.", retryable: "depends on the code" },
  rejected: { meaning: "Somebody rejected what was to be approved.", retryable: "no" },
  result: {
    meaning: "The result is too large, is no JSON, or can't be stored (`result_rejected`).",
    retryable: "depends on the code",
  },
  s3: {
    meaning: "An object store refused it; the code is its own.",
    retryable: "depends on the code",
  },
  script: {
    meaning: "The text of a program could not be fetched, or is not UTF-8 (`encoding`).",
    retryable: "depends on the code",
  },
  shell: {
    meaning: "The command ended with another status than 0.",
    retryable: "depends on the code",
  },
  snowflake: {
    meaning: "Snowflake refused; the code is the service's.",
    retryable: "depends on the code",
  },
  template: { meaning: "A template can't be parsed or evaluated.", retryable: "no" },
  timeout: { meaning: "The call took longer than its step allows.", retryable: "yes" },
  tool: { meaning: "The tool itself broke.", retryable: "no" },
  transfer: {
    meaning: "A transfer's source or target does not fit, or changed under it.",
    retryable: "depends on the code",
  },
  unknown: { meaning: "A step failed and nothing more is known.", retryable: "no" },
  wait: {
    meaning: "What a wait is to wait for makes no sense, or its key is taken (`key_taken`).",
    retryable: "no",
  },
};

const intro = `# Error codes

Made by \`bun run generate\`; change the code, not this page.

## Refused requests

Every answer of the API with a status from 400 on has one shape:

\`\`\`json
{"error": {"code": "not_found", "message": "execution 12 does not exist"}}
\`\`\`

\`details\` stands beside the message where there is more to say. A request with a retryable code may
do well later, and carries \`retry-after\` in seconds.

| code | status | retryable | means |
|---|---|---|---|
`;

const failuresIntro = `
## Failures of steps

A tool that fails is no error of the API: its outcome is recorded, and arcs can read it as
\`output.error\` with \`kind\`, \`message\`, \`retryable\` and often a finer \`code\`.

| kind | retryable | means |
|---|---|---|
`;

/** The generated file: its path relative to the root of the repository, and its whole text. */
export function generate(): readonly { readonly path: string; readonly text: string }[] {
  const codes = faultCodes.map((code) => {
    const { retryable } = new Fault(code, "");
    return `| \`${code}\` | ${statusOf(code)} | ${retryable ? "yes" : "no"} | ${meaningOfCode[code]} |\n`;
  });
  const kinds = Object.entries(failureKinds).map(
    ([kind, { meaning, retryable }]) => `| \`${kind}\` | ${retryable} | ${meaning} |\n`,
  );
  return [{ path, text: [intro, ...codes, failuresIntro, ...kinds].join("") }];
}

if (import.meta.main) {
  for (const file of generate()) writeFileSync(join(import.meta.dir, "..", file.path), file.text);
}
