// Rows of tools in general (language reference §2.1) and of those that compute: noop, python,
// javascript, shell (§§2.2, 2.3).

import {
  accepts,
  different,
  gives,
  more,
  type Row,
  rowsIn,
  same,
  seen,
  shown,
  tool,
  under,
} from "./row.ts";

export const rows: readonly Row[] = [
  ...rowsIn("tool", "§2.1", [
    same(
      ["result contract"],
      "`status` `ok` or `error`, `data`, and for a failure `error` with kind, message, retryable and code",
      seen(
        tool('kind: http, url: "{{ workload.http }}/status/404"'),
        (run) =>
          run.events.flatMap((event) =>
            event.type === "call.error"
              ? [
                  [
                    event.output.status,
                    event.output.error?.kind,
                    event.output.error?.code,
                    event.output.error?.retryable,
                  ],
                ]
              : [],
          ),
        [["error", "http", 404, false]],
      ),
    ),
    same(
      ["rules see thrown errors"],
      "as in the Python implementation: whatever a tool throws is an output with `status: error`",
      shown("worker/pipeline.test.ts", "what a tool throws is an output that rules see"),
    ),
    same(
      ["input as template variables"],
      "each key is a name for the tool's own fields, and a global of code",
      gives(tool('kind: noop, input: {who: Ada}, result: "{{ who }}"'), "Ada"),
    ),
  ]),
  ...rowsIn("tool", "§2.2", [
    same(
      ["noop", "noop.message", "noop.result"],
      "gives its result, or its message back",
      gives(tool("kind: noop, message: hello"), { status: "ok", message: "hello" }),
    ),
    same(
      ["python", "python.code"],
      "runs code in a warm interpreter; what it leaves in `result` is the data",
      gives(tool('kind: python, input: {a: 2}, code: "result = a + 1"'), 3, { needs: "python" }),
    ),
    same(
      under("python.", "input args"),
      "each key a global, all of them in `args` and `input_data`",
      shown("tools/python.test.ts", "names and the context of the execution"),
    ),
    same(
      "python.libs",
      "modules under the names given, as in the Python implementation",
      shown("tools/python.test.ts", "libs import modules under names"),
    ),
    same(
      under("python.", "env cwd"),
      "for this call alone",
      shown(
        "tools/python.test.ts",
        "env and cwd hold for one call, the worker's own environment never",
      ),
    ),
    same(
      under("python.", "timeout timeout_seconds"),
      "ends the program and all that it started",
      shown(
        "tools/python-processes.test.ts",
        "at its timeout is killed with the programs it started",
      ),
    ),
    same(
      "python.python",
      "the interpreter",
      shown("tools/python-processes.test.ts", "another interpreter has processes of its own"),
    ),
    same(
      ["python.script", "script.uri", "script.source.type: inline", "script.source.type: file"],
      "the program from a script: inline, or a file below a root of the worker",
      shown(
        "tools/script-source.test.ts",
        "is a file below a root, by relative or absolute path or file address",
      ),
    ),
    same(
      [
        "script.source.type: http",
        "script.source.endpoint",
        "script.source.method",
        "script.source.timeout",
        "script.source.auth",
      ],
      "fetched for each call, within its time",
      shown(
        "tools/script-fetch.test.ts",
        "is fetched with the method, the headers and the credential of its source",
      ),
    ),
    same(
      ["script.source.type: s3", "script.source.type: gcs"],
      "read from an object store, with the keys of a credential",
      shown("tools/script-fetch.test.ts", "is had by bucket and key, or by address"),
    ),
    same(
      "python.assert",
      "accepted without effect, as before, with a warning",
      shown(
        "unit/core/playbook/check-tools.test.ts",
        "with fields that have no effect are warned about",
      ),
    ),
    same(
      ["shell", "shell.command"],
      "runs a command where the worker allows it; stdout, stderr and exit code",
      gives(tool("kind: shell, command: printf hi"), { stdout: "hi", stderr: "", exit_code: 0 }),
    ),
    more(
      "shell.cmds",
      "commands in order, the first failure ends the call; the existing worker does not take them",
      shown("tools/shell.test.ts", "goes on after a failure, cmds stop at the first"),
    ),
    same(
      "shell.shell",
      "the shell; `sh` without it",
      shown("tools/shell.test.ts", "runs in the named shell"),
    ),
    same(
      under("shell.", "cwd env"),
      "folder and environment",
      shown("tools/shell.test.ts", "has a clean environment, its own names and the call's"),
    ),
    same(
      "shell.timeout_seconds",
      "ends the command with all that it started",
      shown("tools/shell.test.ts", "at its timeout ends with the programs it started"),
    ),
    same(
      "shell.capture",
      "whether output is part of the result",
      shown("tools/shell.test.ts", "without capture keeps no text but logs it"),
    ),
    different(["shell without leave"], {
      says: "is refused by a worker whose operator has not allowed it",
      why: "a playbook's author should not have the machine for the asking",
      proof: shown(
        "tools/shell.test.ts",
        "shell is denied unless the policy allows it, and says how to",
      ),
    }),
    same(
      ["workbook.input"],
      "a call of the workbook: input of the step wins over that of the entry",
      gives(tool("kind: workbook, name: a, input: {x: 2}"), 2, {
        more: 'workbook: [{name: a, tool: {kind: noop, input: {x: 1}, result: "{{ x }}"}}]\n',
      }),
    ),
    same(
      ["artifact", "artifact.action", "artifact.result_ref", "artifact.uri"],
      "`get` and `put`; the reference under each of its names",
      shown(
        "tools/artifact.test.ts",
        "a stored value is fetched by its reference, under each name of the field",
      ),
    ),
    same(
      "artifact.data",
      "what `put` stores",
      shown("tools/artifact.test.ts", "what put stores is what get fetches"),
    ),
  ]),
  ...rowsIn("tool", "§2.3", [
    same(
      ["unindented return"],
      "the code is a function, and that is its result",
      shown(
        "tools/python-result.test.ts",
        "is what a top-level return gives, over result and main",
      ),
    ),
    same(
      ["global result"],
      "is the result",
      shown("tools/python-result.test.ts", "is the global result"),
    ),
    same(
      ["main"],
      "is called with the inputs it names, all of them with `**kwargs`; a coroutine is awaited",
      shown("tools/python-result.test.ts", "is what main returns, called with the inputs it names"),
    ),
    same(
      ["no result"],
      "gives `{stdout, stderr}`",
      shown("tools/python-result.test.ts", "is stdout and stderr when there is none"),
    ),
    same(
      ["default=str"],
      "values that are not JSON become their text",
      shown("tools/python-result.test.ts", "values that are not JSON become their text"),
    ),
    different(["integers beyond 2^53"], {
      says: "keep their digits, as text",
      why: "JSON numbers would lose them",
      proof: shown("tools/python-result.test.ts", "integers beyond 2^53 keep their digits as text"),
    }),
    same(
      ["args, variables, execution_id, step, input_data"],
      "globals of the code",
      shown("tools/python.test.ts", "names and the context of the execution"),
    ),
    more(
      ["context"],
      "what the existing worker gives, and lookups of steps, workload and variables",
      shown(
        "unit/core/engine/data.test.ts",
        "that names variables or context is given the whole execution",
      ),
    ),
    same(
      ["loop variables in code"],
      "iterator, `_index` and `_total` are inputs",
      shown(
        "worker/task-scope.test.ts",
        "a loop's body sees its item, and code tools are given it as inputs",
      ),
    ),
    same(
      ["user prints"],
      "go to the step's log, line by line, and never into the result",
      shown(
        "tools/python.test.ts",
        "is caught from Python, from its descriptors and from programs it starts",
      ),
    ),
    different(["non-zero exit"], {
      says: "an error of kind `python`, with the exit code",
      why: "soft and thrown errors are alike here; rules and arcs see it",
      proof: shown("tools/python.test.ts", "exit codes are failures"),
    }),
    different(["third-party modules"], {
      says: "are those of the interpreter on the worker's machine",
      why: "nothing is installed behind the operator's back",
      proof: accepts(tool('kind: python, code: "import psycopg2"')),
    }),
  ]),
];
