// What the language reference names, section by section, written down by hand: every field, kind,
// filter, name, rule and event that a playbook's author may rely on. Each must have a row. What it
// has no single word for is in expected-rules.ts.

import { expectedRules } from "./expected-rules.ts";

const words: Readonly<Record<string, string>> = {
  "§0": `
    step.spec.next_mode expr step.case step.type step.set_ctx step.set_iter step.result step.outcome
    step.retry step.sink step.command_0.rows libs cmds spec.code
  `,
  "§1.1": `
    apiVersion kind metadata workflow workload keychain workbook executor metadata.name
    metadata.path metadata.description metadata.tags metadata.version metadata.labels
    metadata.exposes_as_mcp metadata.exposed_in_ui metadata.agent metadata.capabilities
    workbook.name workbook.tool workbook.sink workbook.assert
  `,
  "§1.2": "entry end executor.spec.final_step executor.spec.no_next_is_error",
  "§1.3": `
    executor.profile executor.version executor.requires executor.spec executor.spec.entry_step
    executor.spec.policy
  `,
  "§1.4": `
    step.step step.desc step.tool step.next step.loop step.set step.input step.output step.spec
    step.spec.timeout step.spec.policy.admit step.spec.policy.lifecycle step.spec.policy.failure
    step.spec.policy.emit step.vars step.spec.on_error
  `,
  "§1.5": `
    pipeline task.name task.kind task.input task.args task.set task.spec task.output task.auth
    task.credential task.libs policy.mode policy.on_unmatched policy.rules policy.before
    policy.after policy.finally rule.when rule.else rule.then then.do then.attempts then.backoff
    then.delay then.to then.set then.allow
  `,
  "§1.6": `
    loop.in loop.iterator loop.cursor loop.spec loop.spec.mode loop.spec.max_in_flight
    loop.spec.policy loop.cursor.kind loop.cursor.auth loop.cursor.claim loop.cursor.options
    loop.spec.frame loop.spec.frame.max_rows loop.spec.frame.max_seconds loop.spec.frame.max_bytes
    loop.spec.frame.lease_seconds loop.spec.frame.heartbeat_seconds loop.spec.frame.row_concurrency
    loop.spec.frame.process loop.spec.frame.verify_ipc loop.spec.frame.retry_mode
    loop.spec.frame.max_attempts
  `,
  "§1.7":
    "next.spec next.arcs next.spec.mode next.spec.on_no_match arc.step arc.when arc.set arc.spec",
  "§1.8": "ctx.k iter.k step.k k",
  "§1.9": "Subscription",
  "§2.2": [
    `
    python python.code python.script script.uri script.source.endpoint script.source.method
    script.source.timeout script.source.auth python.input python.args python.libs python.env
    python.cwd python.timeout_seconds python.python python.assert
  `,
    `
    postgres postgres.command postgres.query postgres.auth postgres.params
    postgres.connection_string postgres.host postgres.port postgres.database postgres.user
    postgres.password postgres.schema postgres.as_objects postgres.pool postgres.script
  `,
    `
    http http.method http.url http.endpoint http.headers http.params http.json http.form http.body
    http.payload http.data http.timeout_seconds http.timeout http.follow_redirects
    http.response_type http.auth http.verify_ssl
  `,
    `
    playbook playbook.path playbook.catalog_id playbook.version playbook.input playbook.args
    playbook.payload playbook.return_step playbook.return_result playbook.result_step
    playbook.timeout playbook.poll_interval
  `,
    "shell shell.command shell.cmds shell.shell shell.cwd shell.env shell.timeout_seconds shell.capture",
    `
    duckdb duckdb.command duckdb.query duckdb.commands duckdb.database duckdb.auth
    duckdb.gcs_credential duckdb.params duckdb.db_path duckdb.as_objects
  `,
    `
    noop noop.message noop.result workbook workbook.input artifact artifact.action
    artifact.result_ref artifact.uri artifact.data
  `,
    `
    snowflake snowflake.command snowflake.commands snowflake.command_b64 snowflake.account
    snowflake.user snowflake.password snowflake.private_key snowflake.warehouse snowflake.database
    snowflake.schema snowflake.role
  `,
    `
    ducklake ducklake.catalog_name ducklake.catalog_connection ducklake.data_path ducklake.command
    ducklake.commands ducklake.auth
  `,
    `
    nats nats.kv_get nats.kv_put nats.kv_delete nats.kv_keys nats.kv_purge nats.object_get nats.object_put
    nats.object_delete nats.object_list nats.object_info nats.js_publish nats.js_consume nats.js_get_msg
    nats.js_stream_info nats.operation nats.bucket nats.key nats.value nats.ttl nats.pattern nats.name nats.data
    nats.encoding nats.stream nats.subject nats.headers nats.seq nats.last nats.consumer nats.batch
    nats.timeout_ms nats.ack nats.auth nats.url nats.user nats.password nats.token
  `,
    `
    container container.image container.command container.args container.env container.resources
    container.timeout_seconds container.service_account container.namespace container.backoff_limit
    container.restart_policy container.node_selector container.tolerations container.volumes
    container.volume_mounts
  `,
    "transfer transfer.source transfer.target transfer.target.mapping transfer.chunk_size transfer.mode",
    `
    agent agent.framework agent.entrypoint agent.entrypoint_mode agent.entrypoint_args
    agent.invoke_method agent.payload agent.invoke_kwargs agent.on_failure
  `,
    `
    mcp mcp.endpoint mcp.url mcp.server_url mcp.base_url mcp.server mcp.method mcp.action mcp.tool
    mcp.arguments mcp.params mcp.timeout mcp.protocol_version NOETL_MCP_<SERVER>_ENDPOINT
  `,
    "gcs gcs.source gcs.destination gcs.credential gcs.content_type gcs.metadata",
  ].join(" "),
  "§2.3": "main default=str context",
  "§2.4": "numeric transactions",
  "§2.5": "non-2xx",
  "§3.1": `
    Jinja2 minijinja int default tojson replace length lower string first b64encode b64decode
    fromjson float upper trim split join last keys values items get safe d len encrypt_secret
    token() now() methods comparisons and or not + in
  `,
  "§3.2": `
    workload ctx <step> steps.<step> execution_id catalog_id path version job.uuid job.id
    job.execution_id iter.<iterator> iter._index iter._total iter._first iter._last _index _total
    loop.index loop.first loop.length loop.done __frame_max_rows __frame_policy event.name
    event.step event.payload event.timestamp output error results _prev _task _attempt
    keychain.<alias>.<field> args input_data action node_name step server_url worker_id command_id
    env
  `,
  "§3.3":
    "step.field step.data.field step.result.field step.label.field step.context _ref _store _uri",
  "§3.4": `
    output.field output.data.field output.status output.error output.http output.meta output.pg
    output.py output.ref
  `,
  "§3.5": "literals",
  "§4.1": `
    playbook_started playbook.initialized workflow.initialized step.enter command.issued
    command.claimed command.started call.done call.error command.completed command.failed
    command.heartbeat step.exit step.skipped ctx.updated loop.done loop.item loop.stalled
    loop.shard.done loop.fanin.completed stage.opened stage.closed frame.dispatched frame.started
    frame.committed frame.failed frame.abandoned batch.accepted batch.processing batch.completed
    batch.failed workflow.completed workflow.failed playbook.completed playbook.failed
    playbook_completed playbook_failed playbook_cancelled execution.cancelled
    subscription.message.deduplicated step_started step_enter step_completed step_failed
    step_skipped action_started action_completed action_failed action_done
  `,
  "§4.2": "command_id",
  "§4.5": "fan-out AND-join back-edge",
  "§4.6": "cycle self-loop",
  "§4.10": "cancel dedup recovery",
  "§5": `
    ResultRef.kind ResultRef.ref ResultRef.uri ResultRef.store ResultRef.scope ResultRef.expires_at
    ResultRef.meta ResultRef.preview ResultRef.extracted ResultRef.correlation ResultRef.ipc
    ResultRef.is_accumulated ResultRef.accumulation_index ResultRef.accumulation_manifest_ref
    temp_ref manifest tiers extracted output_select
  `,
  "§6": `
    auth credential db_host db_port db_user db_password db_name keychain.name keychain.kind
    keychain.type keychain.scope keychain.auth keychain.map keychain.provider keychain.credential
    keychain.endpoint keychain.method keychain.headers keychain.data keychain.ref keychain.token
    keychain.auto_renew keychain.ttl_seconds keychain.region
  `,
  "§9": `
    step.spec.policy.admit then.allow step.emit emit.event emit.data wait.for wait.key
    wait.timeout_s wait.approvers
  `,
};

/** Every section with all that it names. */
export const expectedNames: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set([...Object.keys(words), ...Object.keys(expectedRules)])]
    .sort()
    .map((section) => [
      section,
      [...(words[section]?.trim().split(/\s+/) ?? []), ...(expectedRules[section] ?? [])],
    ]),
);
