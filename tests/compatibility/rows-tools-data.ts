// Rows of the tools that ask and store (language reference §§2.2, 2.4, 2.5): http, postgres, duckdb.

import {
  accepts,
  different,
  gives,
  having,
  more,
  type Row,
  rowsIn,
  same,
  seen,
  shown,
  tool,
  under,
} from "./row.ts";

const echo = (fields: string, look: string): string =>
  `- step: start
  tool: {kind: http, url: "{{ workload.http }}/echo", ${fields}}
  next: {arcs: [{step: end}]}
- step: end
  tool: {kind: noop, result: "{{ ${look} }}"}
`;

export const rows: readonly Row[] = [
  ...rowsIn("tool", "§2.2", [
    same(
      ["http", ...under("http.", "method url headers params json")],
      "one request; GET unless it says otherwise",
      gives(
        echo(
          "method: POST, headers: {X-A: 1}, params: {q: 2, none: null}, json: {a: [1]}",
          "[start.data.method, start.data.headers['x-a'], start.data.query, start.data.body]",
        ),
        ["POST", "1", { q: "2" }, '{"a":[1]}'],
      ),
    ),
    same(
      "http.endpoint",
      "the same as `url`",
      gives(
        tool('kind: http, endpoint: "{{ workload.http }}/echo"') +
          '  next: {arcs: [{step: end}]}\n- step: end\n  tool: {kind: noop, result: "{{ start.data.path }}"}\n',
        "/echo",
      ),
    ),
    same(
      under("http.", "form body payload data"),
      "other forms of the body, with the content type that fits",
      shown(
        "tools/http.test.ts",
        "carries JSON, a form or text as its body, with the content type that fits",
      ),
    ),
    same(
      under("http.", "timeout_seconds timeout"),
      "a timeout is an error that may pass",
      shown(
        "tools/http-transport.test.ts",
        "that takes too long is a retryable timeout, and the server sees the request end",
      ),
    ),
    different(["http without a timeout"], {
      says: "may take as long as its command: an hour",
      why: "one default for all tools; half a minute cuts off what is merely slow",
      proof: shown(
        "tools/http-transport.test.ts",
        "cannot take longer than the command has left, whatever the playbook says",
      ),
    }),
    same(
      "http.follow_redirects",
      "true unless it says otherwise; credentials stay within the origin",
      shown("tools/http-transport.test.ts", "are not followed when the playbook says so"),
    ),
    same(
      "http.response_type",
      "`json`, `text`, or `binary` as base64",
      shown("tools/http.test.ts", "is text or base64 when asked for"),
    ),
    same(
      "http.auth",
      "an alias or a map: bearer, basic, api_key",
      shown(
        "tools/http.test.ts",
        "is authenticated by its credential, unless it has an authorization header",
      ),
    ),
    same(
      "http.verify_ssl",
      "true unless it says otherwise",
      shown(
        "tools/http-transport.test.ts",
        "with an untrusted certificate fails for good, unless verify_ssl is false",
      ),
    ),
    same(
      ["postgres", "postgres.command", "postgres.query", "postgres.auth", "postgres.params"],
      "SQL with parameters by position; `{columns, rows, row_count}`",
      gives(
        tool('kind: postgres, auth: pg, command: "select $1::int + 1 as n", params: [4]'),
        { columns: ["n"], rows: [{ n: 5 }], row_count: 1 },
        { needs: "postgres" },
      ),
    ),
    same(
      under("postgres.", "connection_string host port database user password"),
      "where the server is; fields win over the connection string and the credential",
      shown(
        "tools/postgres-failure.test.ts",
        "may be a connection string of either form, whose parts fields override",
      ),
    ),
    same(
      "postgres.schema",
      "where names without one are looked up",
      shown(
        "tools/postgres.test.ts",
        "finds its tables in the schema it names, and leaves no trace of it",
      ),
    ),
    same(
      "postgres.as_objects",
      "rows as maps, or as lists",
      shown(
        "tools/postgres.test.ts",
        "answers with lists when objects are not wanted, and keeps equal names apart",
      ),
    ),
    different("postgres.pool", {
      says: "accepted; connections are kept warm per target without it",
      why: "how many there are is for the worker's operator to say",
      proof: accepts(tool("kind: postgres, auth: pg, command: select 1, pool: {min: 1}")),
    }),
    same(
      "postgres.script",
      "SQL from a script, inline or a file",
      gives(
        tool("kind: postgres, auth: pg, script: {source: {type: inline, code: select 1 as a}}"),
        { columns: ["a"], rows: [{ a: 1 }], row_count: 1 },
        { needs: "postgres" },
      ),
    ),
    same(
      [
        "duckdb",
        "duckdb.command",
        "duckdb.query",
        "duckdb.commands",
        "duckdb.params",
        "duckdb.as_objects",
      ],
      "SQL like that of postgres",
      gives(
        tool('kind: duckdb, commands: ["create table t as select 1 as a", "select a from t"]'),
        { columns: ["a"], rows: [{ a: 1 }], row_count: 1, statement_count: 2 },
      ),
    ),
    more(
      ["duckdb.database", "duckdb.db_path"],
      "a file below a root of the worker, open once and shared; one of the existing " +
        "implementations ignores `database`",
      shown("tools/duckdb.test.ts", "hold a database over steps, in folders made as needed"),
    ),
    different("duckdb.gcs_credential", {
      says: "accepted; SQL reaches no network",
      why: "DuckDB runs in the worker's own process: what it may reach is the operator's to say",
      proof: shown("tools/duckdb.test.ts", "may not keep secrets on the worker's disk"),
    }),
    different("duckdb.auth", {
      says: "accepted without effect",
      why: "there is nothing to log in to",
      proof: accepts(tool("kind: duckdb, auth: pg, command: select 1")),
    }),
  ]),
  ...rowsIn("tool", "§2.4", [
    same(
      ["multi-statement split"],
      "in order; the last statement decides the result",
      shown("tools/postgres.test.ts", "runs all statements in order, and the last one decides"),
    ),
    more(
      ["INSERT … RETURNING"],
      "gives its rows, like every statement that returns some",
      shown("tools/postgres.test.ts", "returns rows for everything that returns rows"),
    ),
    different(["empty row set"], {
      says: "has its columns",
      why: "they are known, and one implementation drops them only because it looks at the first row",
      proof: having(
        seen(
          tool('kind: postgres, auth: pg, command: "select 1 as a where false"'),
          (run) => run.result,
          { columns: ["a"], rows: [], row_count: 0 },
        ),
        { needs: "postgres" },
      ),
    }),
    same(
      ["type mapping"],
      "numbers, booleans, text, JSON, times as ISO texts, uuid, bytea as base64",
      shown("tools/postgres-values.test.ts", "${sql} is ${JSON.stringify(expected)}"),
    ),
    same(
      ["numeric"],
      "exact decimal text, to the last digit",
      having(
        seen(
          tool('kind: postgres, auth: pg, command: "select 0.10::numeric as n"'),
          (run) => Object(run.result)["rows"],
          [{ n: "0.10" }],
        ),
        { needs: "postgres" },
      ),
    ),
    different(["int2, float4, arrays, intervals and other types"], {
      says: "have values: numbers, lists, texts",
      why: "one implementation gives null for what it doesn't know, which loses data in silence",
      proof: having(
        seen(
          tool('kind: postgres, auth: pg, command: "select 1::int2 as a, array[1,2] as b"'),
          (run) => Object(run.result)["rows"],
          [{ a: 1, b: [1, 2] }],
        ),
        { needs: "postgres" },
      ),
    }),
    different(["params of any JSON kind"], {
      says: "fit the column they are for",
      why: "one implementation binds every integer as 64 bits, which an int4 column refuses",
      proof: shown(
        "tools/postgres-values.test.ts",
        "fit the column they are for, whatever kind of JSON they are",
      ),
    }),
    different(["transactions"], {
      says: "all statements of a call are one transaction, unless one of them can't be in any",
      why: "a call that is tried again must not find half of itself done",
      proof: shown(
        "tools/postgres.test.ts",
        "is one transaction: when a statement fails, none of them happened",
      ),
    }),
    different(["duckdb between tasks"], {
      says: "the tasks of a step share one database in memory; steps do not",
      why: "one implementation forgets everything between tasks, so that a pipeline can't build on itself",
      proof: shown(
        "tools/duckdb.test.ts",
        "shares its database with the other tasks of the step and with no other step",
      ),
    }),
  ]),
  ...rowsIn("tool", "§2.5", [
    same(
      ["non-2xx"],
      "an error that keeps the body",
      shown("tools/http.test.ts", "with a status outside 2xx is an error that keeps the body"),
    ),
    same(
      ["body parse"],
      "JSON, else the text",
      shown("tools/http.test.ts", "that is not JSON is its text, in its own character set"),
    ),
    same(
      ["header and param values"],
      "become text; null params are left out",
      gives(echo("params: {a: null, b: true}", "start.data.query"), { b: "true" }),
    ),
    same(
      ["step.data is the body", "step.body is the body"],
      "in steps and arcs",
      gives(echo("method: GET", "start.data.path == start.body.path"), true),
    ),
    same(
      ["auth map"],
      "`type` `bearer`, `basic`, `api_key` or `none`, with credential, token, username, password and header",
      shown("tools/auth.test.ts", "the map form carries its own token, user or key"),
    ),
    different(["auth type gcp_adc"], {
      says: "is a failure that names the types there are",
      why: "a worker has no identity of its own to lend",
      proof: seen(
        tool('kind: http, url: "{{ workload.http }}/echo", auth: {type: gcp_adc}'),
        (run) => run.status,
        "failed",
      ),
    }),
  ]),
];
