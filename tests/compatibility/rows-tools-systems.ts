// Rows of the tools that move data between systems and of those that run something elsewhere
// (language reference §2.2): nats, transfer, ducklake, gcs, snowflake, container, mcp, agent.

import {
  accepts,
  different,
  gives,
  more,
  type Proof,
  type Row,
  refusal,
  refused,
  rowsIn,
  same,
  shown,
  tool,
  under,
  warns,
} from "./row.ts";

/** A call in block style: a line for each field. */
const call = (...fields: readonly string[]): string =>
  `- step: start\n  tool:\n${fields.map((field) => `    ${field}\n`).join("")}`;

/** A call in which nothing is wrong, and no field is unknown. */
const reads = (...fields: readonly string[]): Proof => accepts(call(...fields));

export const rows: readonly Row[] = rowsIn("tool", "§2.2", [
  same(
    ["playbook", ...under("playbook.", "path input args payload return_result")],
    "starts another playbook with the non-empty one of `input`, `args` and `payload`; see [executions](#executions)",
    gives(tool("kind: playbook, path: child, args: {n: 5}, return_result: true"), { n: 5 }),
  ),
  same(
    under("playbook.", "catalog_id version"),
    "one version, by its number or its id; the newest without",
    shown("language/sub-playbook.test.ts", "a child has the version that is asked for"),
  ),
  same(
    under("playbook.", "return_step result_step"),
    "waits, and gives the status with the result; with `return_result` that step's output",
    shown(
      "language/sub-playbook.test.ts",
      "return_result with result_step gives that step's output",
    ),
  ),
  different("playbook.poll_interval", {
    says: "accepted without effect, with a warning",
    why: "nothing is polled",
    proof: warns(tool("kind: playbook, path: child, poll_interval: 2"), "nothing is polled"),
  }),
  same(
    "playbook.timeout",
    "seconds after which the step fails, kind `timeout`; the child goes on",
    shown("language/sub-playbook.test.ts", "a child that takes too long is left to itself"),
  ),
  same(
    "workbook",
    "calls an entry of the playbook's workbook by its name",
    shown("examples/flow.test.ts", "workbook calls one entry with the inputs of each step"),
  ),
  same(
    under("nats.", "kv_get kv_put kv_delete kv_keys kv_purge"),
    "keys of a bucket; `kv_get` says `success` or `not_found`",
    shown("tools/nats.test.ts", "a value comes back as it was stored, with its revision"),
  ),
  same(
    under("nats.", "object_get object_put object_delete object_list object_info"),
    "objects, larger than a message may be",
    shown("tools/nats.test.ts", "an object larger than a message comes back whole"),
  ),
  same(
    under("nats.", "js_publish js_consume js_get_msg js_stream_info"),
    "streams: a message is published once over all attempts, and taken in bounded batches",
    shown("tools/nats.test.ts", "every attempt of a call publishes the same message"),
  ),
  same(
    [
      "nats",
      ...under(
        "nats.",
        "operation bucket key value ttl pattern name data encoding stream subject headers seq last consumer batch",
      ),
      ...under("nats.", "timeout_ms ack auth url user password token"),
    ],
    "the fields of these operations",
    reads(
      "kind: nats",
      "operation: kv_put",
      "bucket: b",
      "key: k",
      "value: {a: 1}",
      "ttl: 60",
      "pattern: a.*",
      "name: n",
      "data: x",
      "encoding: json",
      "stream: s",
      "subject: s",
      "headers: {a: b}",
      "seq: 1",
      "last: true",
      "consumer: c",
      "batch: 10",
      "timeout_ms: 1000",
      "ack: true",
      "auth: n",
      "url: u",
      "user: u",
      "password: p",
      "token: t",
    ),
  ),
  more(
    ["transfer", ...under("transfer.", "source target chunk_size mode")],
    "from any of the sources to any of the targets: append, replace or upsert, in a database in one " +
      "transaction; the existing product has some of the pairs",
    shown(
      "tools/transfer.test.ts",
      "append adds, replace begins anew, upsert writes over what has the same keys",
    ),
  ),
  same(
    ["transfer.target.mapping"],
    "which column comes from which",
    shown(
      "tools/transfer.test.ts",
      "a mapping names the columns wanted; one that is missing on either side is an error",
    ),
  ),
  same(
    [
      "ducklake",
      ...under("ducklake.", "catalog_name catalog_connection data_path command commands auth"),
    ],
    "DuckDB with a catalog attached, where the worker has the extension",
    shown("tools/ducklake.test.ts", "with its catalog in a file is attached under its name"),
  ),
  more(
    ["gcs", ...under("gcs.", "source destination credential content_type metadata")],
    "puts an object, as before, and gets, lists, copies and deletes",
    shown("tools/objects.test.ts", "of Google is reached with HMAC keys alone"),
  ),
  same(
    ["snowflake", ...under("snowflake.", "command commands")],
    "SQL on Snowflake; the last statement decides the result",
    shown("tools/snowflake.test.ts", "is the last of several, which run in order in one session"),
  ),
  same(
    ["snowflake.command_b64"],
    "the same in base64",
    shown("tools/snowflake.test.ts", "may come in base64, with parameters by position"),
  ),
  same(
    under("snowflake.", "account user password private_key warehouse database schema role"),
    "where to log in, and with what",
    shown("tools/snowflake.test.ts", "is the credential's, where the step says nothing else"),
  ),
  same(
    [
      "container",
      ...under("container.", "image command args env resources timeout_seconds service_account"),
      ...under("container.", "namespace node_selector tolerations volumes volume_mounts"),
      ...under("container.", "backoff_limit restart_policy"),
    ],
    "a job of a cluster, whose answer ends the step; or a container on the worker's machine",
    shown("tools/container.test.ts", "is posted as a job, and parked until that answers"),
  ),
  different(["containers without a runtime"], {
    says: "are refused by a worker whose operator has named none",
    why: "a playbook's author should not have the cluster for the asking",
    proof: shown(
      "tools/container.test.ts",
      "is that of a worker without a runtime, or with another one",
    ),
  }),
  same(
    ["mcp", ...under("mcp.", "endpoint url server_url base_url tool arguments timeout")],
    "calls a tool of an MCP server over HTTP; the answer is an envelope with text and result",
    shown("tools/mcp.test.ts", "is answered with the envelope, from ${as}"),
  ),
  same(
    under("mcp.", "method action params"),
    "`tools/call`, `tools/list`, `health`, or whatever else the server answers",
    shown(
      "tools/mcp.test.ts",
      "list the tools, ask how the server is, and whatever else it answers",
    ),
  ),
  same(
    ["mcp error envelope"],
    "an error that rules see, with the server's content",
    shown("tools/mcp.test.ts", "that the tool tells of is an outcome with its content"),
  ),
  same(
    "mcp.server",
    "a name that the worker knows the address of",
    shown("tools/mcp.test.ts", "goes to the address that the worker knows by the server's name"),
  ),
  different("mcp.protocol_version", {
    says: "accepted without effect, with a warning",
    why: "the version is what both sides agree on",
    proof: warns(
      tool("kind: mcp, endpoint: 'http://127.0.0.1:1/', tool: t, protocol_version: '2025-03-26'"),
      "agree on",
    ),
  }),
  different(["NOETL_MCP_<SERVER>_ENDPOINT"], {
    says: "is one setting for all servers, `NOETL_MCP_SERVERS`: pairs of a name and an address",
    why: "names of settings are checked, so that a misspelt one is told",
    proof: shown(
      "tools/mcp.test.ts",
      "goes to the address that the worker knows by the server's name",
    ),
  }),
  same(
    ["agent", ...under("agent.", "framework entrypoint entrypoint_mode payload invoke_kwargs")],
    "runs a playbook as an agent (`framework: noetl`) and gives its answer in an envelope",
    shown(
      "language/agent.test.ts",
      "an agent's answer is its envelope, with its own execution and how long it took",
    ),
  ),
  same(
    "agent.on_failure",
    "a bad answer is data, and does not fail the step unless the playbook asks for that",
    shown("language/agent.test.ts", "an agent that fails is data, and the step goes on"),
  ),
  different(["agent.entrypoint_args", "agent.invoke_method"], {
    says: "accepted without effect, with a warning",
    why: "a playbook has neither a constructor nor methods",
    proof: warns(
      tool("kind: agent, framework: noetl, entrypoint: a, entrypoint_args: {}"),
      "under payload",
    ),
  }),
  refused(["agent.framework: adk", "agent.framework: langchain", "agent.framework: custom"], {
    says: "frameworks that run inside of the worker",
    use: "`python`, or `framework: noetl`, which runs a playbook",
    proof: refusal(tool("kind: agent, framework: langchain, entrypoint: a"), "framework"),
  }),
]);
