// Rows of results and references (language reference §5) and of credentials and the keychain (§6).

import {
  accepts,
  different,
  gives,
  having,
  type Row,
  refused,
  rowsIn,
  same,
  seen,
  shown,
  tool,
  under,
} from "./row.ts";

const large = tool(`kind: noop, result: {text: "{{ 'x' * 150000 }}", n: 7}`);

export const rows: readonly Row[] = [
  ...rowsIn("result", "§5", [
    same(
      under("ResultRef.", "kind ref store scope meta extracted"),
      "a reference has them; `meta` says bytes, digest and media type",
      seen(
        large,
        (run) =>
          run.events.flatMap((event) =>
            event.type === "call.done" ? Object.keys(event.output.ref ?? {}).sort() : [],
          ),
        ["extracted", "kind", "meta", "ref", "scope", "store"],
      ),
    ),
    different(
      under(
        "ResultRef.",
        "uri expires_at preview correlation ipc is_accumulated accumulation_index accumulation_manifest_ref",
      ),
      {
        says: "are not there",
        why: "results don't expire while their execution is kept, are not shared in memory and not accumulated",
        proof: shown(
          "unit/core/engine/data.test.ts",
          "goes behind a reference, its scalars stay at hand",
        ),
      },
    ),
    different(["temp_ref", "manifest"], {
      says: "are not made: `result_ref` alone",
      why: "they are older names and parts of the same thing",
      proof: seen(
        large,
        (run) =>
          run.events.flatMap((event) =>
            event.type === "call.done" ? [event.output.ref?.kind] : [],
          ),
        ["result_ref"],
      ),
    }),
    same(
      ["noetl://execution/<eid>/result/<name>/<id>"],
      "the key of a result, whose id is the digest of its content",
      shown("control/values.test.ts", "the same value twice is one stored value"),
    ),
    different(["noetl://<tenant>/<project>/results/…"], {
      says: "is not made: one key for one result",
      why: "two addresses of one thing have to be kept equal",
      proof: shown(
        "control/values.test.ts",
        "a value that stands in the log can be asked for by its place in it",
      ),
    }),
    same(
      ["inline up to 102,400 bytes"],
      "as JSON; beyond that it is stored and referred to",
      shown(
        "control/values.test.ts",
        "a large result that comes inline leaves the log, and a later step still gets it whole",
      ),
    ),
    same(
      ["scrubbing of secrets"],
      "values of credentials are blanked out wherever they appear in what a tool gives",
      shown(
        "language/gotchas.test.ts",
        "15, secrets: a credential's value is in no event, even if a service tells it back",
      ),
    ),
    different(["a result that can't be stored"], {
      says: "fails its call, kind `result`",
      why: "one implementation goes on with a status and without the data",
      proof: shown(
        "control/faults.test.ts",
        "becomes an error of its own command; neighbours in the same flush are recorded",
      ),
    }),
    same(
      ["tiers"],
      "one store, that of the log; `output.store` is read and has no effect, as in the existing server",
      accepts(tool("kind: noop, output: {store: {kind: disk, ttl: 1h, compress: gzip}}")),
    ),
    same(
      ["extracted"],
      "a summary of what is stored, enough for most templates: scalars stay, long texts and lists are cut",
      shown("unit/core/engine/data.test.ts", "goes behind a reference, its scalars stay at hand"),
    ),
    same(
      ["bulk on demand"],
      "the value itself is fetched where a template needs more than the summary",
      shown(
        "unit/core/engine/data.test.ts",
        "is fetched where a template needs more than its summary",
      ),
    ),
    same(
      "output_select",
      "read and kept: every field of a result can be named as it is",
      accepts(tool("kind: noop, output_select: [a, b]")),
    ),
    same(
      ["artifact.get by step._ref"],
      "gives the whole value",
      gives(
        `${large}  next: {arcs: [{step: read}]}
- step: read
  tool: {kind: artifact, action: get, input: {result_ref: "{{ start._ref }}"}}
  next: {arcs: [{step: last}]}
- step: last
  tool: {kind: noop, result: "{{ read.data.text | length }}"}
`,
        150_000,
      ),
    ),
    same(
      ["_ref is defined"],
      "says that a result was stored",
      shown(
        "language/gotchas.test.ts",
        "15: large results become references, ids are text, and no secret reaches the log",
      ),
    ),
  ]),
  ...rowsIn("credential", "§6", [
    same(
      ["auth", "credential"],
      "the alias of a credential, also from a template, or a map that says how to authenticate",
      having(
        seen(
          tool('kind: http, url: "{{ workload.http }}/echo", auth: "{{ who }}"'),
          (run) => run.status,
          "completed",
        ),
        { workload: { who: "bearer" } },
      ),
    ),
    same(
      ["explicit fields win"],
      "what the playbook says is never overridden by the credential",
      shown(
        "tools/auth.test.ts",
        "fields of the playbook are never overridden, under any of their names",
      ),
    ),
    same(
      ["type postgres", "db_host", "db_port", "db_user", "db_password", "db_name"],
      "fields of the connection, under these and plain names",
      shown(
        "tools/auth.test.ts",
        "database fields are taken from the db_ names and from plain ones",
      ),
    ),
    same(
      ["type bearer", "type bearer_token", "type oauth2", "type google_oauth"],
      "the token under `token`, `access_token` or `bearer_token`",
      shown("tools/auth.test.ts", "a bearer token is found under each of its names"),
    ),
    same(
      ["type api_key"],
      "in `X-API-Key`, or the header that is named",
      shown(
        "tools/auth.test.ts",
        "an API key goes into X-API-Key unless the credential or the playbook names a header",
      ),
    ),
    same(
      ["type basic"],
      "user and password",
      shown("tools/auth.test.ts", "basic authentication encodes user and password as UTF-8"),
    ),
    same(
      ["type nats"],
      "`nats_url`, `nats_user`, `nats_password`, `nats_token`",
      shown(
        "tools/nats-failure.test.ts",
        "that are right let us in, from a credential, from fields and from the address",
      ),
    ),
    same(
      ["type snowflake"],
      "`sf_` names",
      shown("tools/snowflake.test.ts", "is the credential's, where the step says nothing else"),
    ),
    same(
      ["type s3", "type gcs_hmac", "type gcs"],
      "keys for objects",
      shown("tools/objects.test.ts", "of Google is reached with HMAC keys alone"),
    ),
    refused(
      [
        "type pubsub",
        "type kafka",
        "type google_service_account",
        "type auth0",
        "type secret",
        "type interactive_brokers",
      ],
      {
        says: "types that no tool here can use: the call fails, and says which types it takes",
        use: "a credential of a type that the tool takes, such as `bearer` or `gcs_hmac`",
        proof: shown(
          "tools/auth.test.ts",
          "a credential of a type that the tool cannot use names both",
        ),
      },
    ),
    same(
      ["structured auth maps"],
      "`{alias: {type, source, key}}` finds its credential by key",
      shown("tools/auth.test.ts", "the form for several services finds its credential by key"),
    ),
    different(["keychain resolution"], {
      says: "by the control plane, for the command that reads an entry; an unknown kind is refused",
      why: "nothing of the environment stands in for an entry, and none is passed over",
      proof: shown(
        "keychain/run.test.ts",
        "what can't be resolved fails the step, and says which entry of which kind",
      ),
    }),
    same(
      under(
        "keychain.",
        "name kind type scope auth map provider credential endpoint method headers data ref token " +
          "auto_renew ttl_seconds region",
      ),
      "what they are there, see [Keychain](keychain.md)",
      accepts(
        tool("kind: noop"),
        `keychain: [{name: a, kind: secrets, scope: local, provider: gcp,
  map: {k: p}, auto_renew: true, ttl_seconds: 5, region: eu}]
`,
      ),
    ),
    same(
      ["secrets in persisted commands"],
      "never: credentials are read by workers, when a tool runs",
      shown(
        "language/gotchas.test.ts",
        "15, secrets: a credential's value is in no event, even if a service tells it back",
      ),
    ),
  ]),
];
