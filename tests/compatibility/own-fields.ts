// Fields of the language that the reference does not name: what this product adds, beside rows of
// its own. A field that is neither here nor in a row is one that somebody forgot.

/** Names of fields, as rows spell them; one that ends in `*` stands for all that begin so. */
export const ours: ReadonlySet<string> = new Set([
  "s3.*",
  "file.*",
  // Every field of the tool that claims.
  ..."credential connection_string host port user password database db_path schema pool url token"
    .split(" ")
    .map((field) => `loop.cursor.${field}`),
  // Of a cursor over a stream.
  "loop.cursor.stream",
  "loop.cursor.consumer",
  "loop.cursor.subject",
  // The maps below rules, which have rows as rules.
  "admission rule.*",
  "else of an admission.*",
  "then of an admission.*",
  "else.then",
  "approvers.*",
  // The same as command, and the other way round.
  "postgres.commands",
  "ducklake.query",
  "ducklake.script",
  "ducklake.params",
  "ducklake.as_objects",
  "duckdb.script",
  "snowflake.query",
  "snowflake.params",
  "snowflake.host",
  "snowflake.private_key_passphrase",
  "playbook.timeout_seconds",
  "nats.create",
  "nats.revision",
  "transfer.resumable",
  "transfer.on_bad_row",
  // What gcs does beside putting.
  ..."operation uri data encoding prefix delimiter limit start_after endpoint region"
    .split(" ")
    .map((field) => `gcs.${field}`),
  "gcs.access_key_id",
  "gcs.secret_access_key",
  "gcs.session_token",
  "mcp.headers",
  "agent.version",
  // Of entries of a keychain beyond the reference's, and of the step that reads a secret.
  ...(
    "desc value secret_name version project_id vault_url namespace residency allowed_regions " +
    "no_broker_fallback target_audience scopes service_account_secret service_account_credential"
  )
    .split(" ")
    .map((field) => `keychain.${field}`),
  "secrets.*",
  "container.runtime",
  "artifact.ref",
]);
