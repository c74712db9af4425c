// Values that stand for secrets are put everywhere that secrets come from, and given to everything
// that might tell of them. Then all that is kept, sent and reported is searched for them, in every
// form that anything is known to write texts in.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Embedded, startEmbedded } from "#cli/embedded";
import type { Sql } from "#control/store/sql";
import { sqlStores } from "#control/store/stores";
import { messageOf } from "#core/model/fault";
import { type ExecutionId, executionId } from "#core/model/ids";
import type { Stores } from "#core/ports/stores";
import { scratchPglite } from "#tests/contract/pglite-world";
import { eventually } from "#tests/support/control";
import { type StandIn, standIn } from "./stand-in.ts";

/** 4 KB without any part that comes twice. */
const long = Array.from({ length: 128 }, (_, n) =>
  Bun.SHA256.hash(`long ${n}`, "hex").slice(0, 32),
).join("");
const canaries = {
  static: `Kanarek "quoted" 'single' & <tag> /slash\\ žluť`,
  lines: "-----BEGIN KEY-----\nfirst-line-of-the-canary\nsecond-line-of-the-canary\n-----END",
  number: 8_675_309_123,
  long,
  bearer: "canary-bearer-3f9a77",
  password: "canary/password+word=",
  oauth: "canary-oauth-5d2e11",
  vault: "canary-vault-90cc41",
  tool: "canary-of-the-tool-17ab",
} as const;

let outside: StandIn;
let files: string;
let sql: Sql;
let stores: Stores;
let embedded: Embedded;
const told: string[] = [];

beforeAll(async () => {
  outside = standIn(({ path, headers, body }) => {
    if (path.startsWith("/token")) {
      return Response.json({ access_token: canaries.oauth, expires_in: 500 });
    }
    if (path.startsWith("/v1/kv/tool")) return Response.json({ data: { value: canaries.tool } });
    if (path.startsWith("/v1/")) return Response.json({ data: { pass: canaries.vault } });
    const echo = { path, body, headers: Object.fromEntries(headers) };
    const all = { ...echo, url: `${outside.url}${path}`, [body.slice(0, 200)]: "as a key" };
    if (path.startsWith("/moved")) return Response.redirect(`${outside.url}/gone${path}`, 302);
    if (path.startsWith("/gone")) return Response.json(all, { status: 500 });
    return Response.json({ ...all, base64: Buffer.from(`x${body}y`).toString("base64") });
  });
  files = await mkdtemp(join(tmpdir(), "noetl-canary-"));
  sql = await scratchPglite();
  stores = sqlStores(sql);
  const line = (text: string) => void told.push(text);
  embedded = startEmbedded({
    stores,
    credentials: async () => undefined,
    policy: { shell: true, fileRoots: [files] },
    slots: 4,
    report: line,
    settings: {
      NOETL_MASTER_KEY: `canary:${btoa("c".repeat(32))}`,
      NOETL_SECRET_HOSTS_ALLOWED: [outside.host],
      NOETL_VAULT_URL: outside.url,
    },
    workerLog: {
      line: ({ text }) => line(text),
      retry: (retry) => line(JSON.stringify({ ...retry, command: undefined })),
      notice: (message, thrown) =>
        line(`${message} ${thrown === undefined ? "" : messageOf(thrown)}`),
    },
  });
  embedded.bus.subscribe(">", ({ subject, data }) => line(`${subject} ${data}`));
  const { client } = embedded;
  const put = (name: string, type: string, data: Record<string, unknown>) =>
    client.putCredential({ body: { name, type, data } });
  await put("shop", "bearer", { token: canaries.bearer });
  await put("db", "postgres", {
    host: "127.0.0.1",
    port: 1,
    user: "ada",
    password: canaries.password,
    database: "d",
  });
  await put("idp", "oauth2", { client_id: "c", client_secret: canaries.static });
  await put("vault", "secret", { token: canaries.bearer });
}, 60_000);

afterAll(async () => {
  await embedded.stop(0);
  await outside.close();
  await rm(files, { recursive: true, force: true });
});

const keychain = (): string => `
- {name: own, kind: static, data: ${JSON.stringify({ ...canaries, oauth: "", vault: "", tool: "" })}}
- {name: shop, kind: bearer, auth: shop}
- {name: db, kind: credential, ref: db, map: {password: password}}
- {name: idp, kind: oauth2, auth: idp, endpoint: "${outside.url}/token"}
- {name: vault, kind: secret_manager, provider: vault, auth: vault, ref: kv/app}`;

let runs = 0;

async function run(workflow: string): Promise<ExecutionId> {
  const path = `canary/${++runs}`;
  const content = `apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: c, path: ${path}}
keychain: ${keychain()}
workflow:
${workflow}`;
  // The playbook's own text holds the canaries of its static entry: what is kept of it is not searched.
  await embedded.client.registerCatalog({ body: { content } });
  const started = await embedded.client.execute({ body: { path, payload: { url: outside.url } } });
  const id = executionId(started.execution_id);
  await eventually(async () => {
    const head = await stores.log.head(id);
    return head?.row.status === "running" ? undefined : head;
  });
  return id;
}

const everything = [
  ...["static", "lines", "long"].map((name) => `{{ keychain.own.${name} }}`),
  "{{ keychain.own.number }} {{ keychain.shop.token }} {{ keychain.db.password }}",
  "{{ keychain.idp.token }} {{ keychain.vault.pass }}",
].join("|");
const given = `{all: ${JSON.stringify(everything)}, number: "{{ keychain.own.number }}"}`;

/** What could tell of a secret, one step each. */
const workflows: Readonly<Record<string, string>> = {
  "an echo of headers, query and body, and a set of it": `
- step: start
  tool:
    kind: http
    method: POST
    url: "{{ workload.url }}/echo"
    headers: {authorization: "Bearer {{ keychain.idp.token }}", x-two: "{{ keychain.own.number }}"}
    params: {q: "{{ keychain.own.static }}", v: "{{ keychain.vault.pass }}"}
    json: ${given}
    set: {kept: "{{ output }}"}`,
  "a redirect and an error that name the address": `
- step: start
  tool:
    kind: http
    url: "{{ workload.url }}/moved?t={{ keychain.own.static | urlencode }}&b={{ keychain.shop.token }}"
    headers: {x-password: "{{ keychain.db.password }}"}`,
  "a credential by its alias, told back": `
- step: start
  tool: {kind: http, url: "{{ workload.url }}/echo", auth: shop}`,
  "python that prints, raises and is tried again": `
- step: start
  tool:
    kind: python
    input: ${given}
    code: |
      import base64, json, sys, urllib.parse
      print(all)
      print(repr(all), json.dumps(all), all.encode(), file=sys.stderr)
      print(urllib.parse.quote(all), urllib.parse.quote_plus(all), all.encode().hex())
      print(base64.b64encode(("x" + all).encode()).decode(), number, str(number)[::1])
      raise ValueError("with " + all + " and " + json.dumps({"k": all}))
    spec:
      policy:
        rules:
          - when: "{{ output.status == 'error' and _attempt < 3 }}"
            then: {do: retry, attempts: 3, delay: 0.01, set: {message: "{{ output.error.message }}"}}`,
  "python whose result is large and goes into the store of results": `
- step: start
  tool:
    kind: python
    input: ${given}
    code: |
      result = {"rows": [{"n": n, "all": all, "number": number, all: n} for n in range(60)]}`,
  "a shell that prints its environment": `
- step: start
  tool:
    kind: shell
    env: {SECRET: "{{ keychain.own.static }}", LINES_OF_IT: "{{ keychain.own.lines }}"}
    command: "printf '%s' \\"$SECRET\\" | base64; env; echo \\"$LINES_OF_IT\\" >&2; exit 3"`,
  "SQL in the worker, and a value that is put": `
- step: start
  tool:
    - name: sql
      kind: duckdb
      command: "select ? as a, ? as b"
      params: ["{{ keychain.own.static }}", "{{ keychain.own.number }}"]
    - name: put
      kind: artifact
      action: put
      data: ${given}`,
  "a database that isn't there": `
- step: start
  tool: {kind: postgres, auth: db, command: "select '{{ keychain.own.bearer }}'"}`,
  "a template that fails on it": `
- step: start
  tool: {kind: noop, message: "{{ keychain.own.static | fromjson }}{{ keychain.own.static + 1 }}"}`,
  "a secret that a step reads, and a later one shows": `
- step: start
  tool: {kind: secrets, provider: vault, auth: vault, secret_name: kv/tool, as: read}
  next: {arcs: [{step: show}]}
- step: show
  tool: {kind: http, method: POST, url: "{{ workload.url }}/echo", body: "{{ keychain.read.value }}"}`,
  "rows of a cursor that have it, and a row that fails with it": `
- step: make
  tool:
    kind: duckdb
    database: FILES/canary.duckdb
    input: ${given}
    commands:
      - create table jobs (id int, state text, frame text, note text)
      - insert into jobs values (1, 'new', '', '{{ keychain.shop.token }}'), (2, 'new', '', '{{ keychain.idp.token }}')
  next: {arcs: [{step: work}]}
- step: work
  loop:
    cursor:
      kind: duckdb
      database: FILES/canary.duckdb
      claim: |
        UPDATE jobs SET state = 'taken', frame = '{{ __frame_key }}'
        WHERE state = 'new' OR frame = '{{ __frame_key }}'
        RETURNING id, note, '{{ keychain.shop.token }}' AS one, '{{ keychain.idp.token }}' AS two
    iterator: job
    spec: {mode: cursor, frame: {max_attempts: 2}}
  tool:
    kind: python
    input: {job: "{{ iter.job }}", secret: "{{ keychain.vault.pass }}"}
    code: |
      print(job, secret)
      if job["id"] == 2: raise ValueError(f"row {job} with {secret}")
      result = {"job": job, "secret": secret}`,
  "javascript that returns it": `
- step: start
  tool: {kind: javascript, input: ${given}, code: "console.log(all); return {all, number}"}`,
};

/** As others write it: none of this is our own code. */
function formsOf(value: string | number): readonly string[] {
  const text = String(value);
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset, "x"), bytes]).toString("base64");
    return shifted.slice(offset + 1, -4);
  });
  return [
    ...[text, encodeURIComponent(text), encodeURI(text), escape(text)],
    encodeURIComponent(text).replace(/%../g, (part) => part.toLowerCase()),
    new URLSearchParams({ t: text }).toString().slice(2),
    ...[JSON.stringify(text).slice(1, -1), JSON.stringify(JSON.stringify(text)).slice(3, -3)],
    ...[bytes.toString("hex"), bytes.toString("base64"), ...base64],
    ...text.split("\n").filter((line) => line.length > 7),
  ].filter((form) => form.length > 5);
}

function leaksIn(haystack: string): readonly string[] {
  return Object.entries(canaries).flatMap(([name, value]) =>
    formsOf(value)
      .filter((form) => haystack.includes(form))
      .map((form) => `${name} as ${form.slice(0, 60)}`),
  );
}

/** Every row of every table, but what people wrote themselves: the text of playbooks. */
async function keptRows(): Promise<readonly string[]> {
  const tables = await sql.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relnamespace = 'noetl'::regnamespace
    and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'catalog'`,
  );
  expect(tables.length).toBeGreaterThan(15);
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await sql.query<{ row: string }>(
      `select to_jsonb(t)::text as row from noetl."${name}" t`,
    );
    for (const { row } of rows) {
      // Bytes are shown in hexadecimal; what is JSON in them is searched as such too.
      const bytes = [...row.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = ""]) =>
        Buffer.from(hex, "hex").toString("utf8"),
      );
      // The row's own quoting is taken off: texts are searched as they were written.
      found.push(`${name}: ${[row, ...textsIn(JSON.parse(row)), ...bytes].join("\n")}`);
    }
  }
  return found;
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(textsIn)];
}

describe("a secret is nowhere", () => {
  const ids: ExecutionId[] = [];

  for (const [what, workflow] of Object.entries(workflows)) {
    test(`after ${what}`, async () => {
      const id = await run(workflow.replace(/^\n/, "").replaceAll("FILES", files));
      ids.push(id);
      const { client } = embedded;
      const events = await stores.log.events(id, 0, 1_000);
      const detail = await client.getExecution({ params: { id } });
      const shown = textsIn([events, detail]).join("\n");
      expect(leaksIn(shown)).toEqual([]);
      // It was there to be told of: something stands in its place.
      if (!what.startsWith("a database")) expect(`${shown}${told.join("\n")}`).toContain("***");
    }, 30_000);
  }

  test("in any table of the database", async () => {
    const rows = await keptRows();
    expect(rows.some((row) => row.startsWith("keychain: ") && row.includes('"sealed"'))).toBe(true);
    const leaking = rows.flatMap((row) =>
      leaksIn(row).map((leak) => `${row.slice(0, 20)} ${leak}`),
    );
    expect(leaking).toEqual([]);
  });

  test("in what was sent to the bus, printed by tools or reported", () => {
    expect(told.length).toBeGreaterThan(50);
    expect(told.flatMap((line) => leaksIn(line))).toEqual([]);
    // The rows of the cursor were claimed, worked on and told of.
    expect(told.join("\n")).toContain("ValueError: row {'id': 2");
  });

  test("though all of them have reached where they were sent to", () => {
    const heard = JSON.stringify(outside.heard.map(({ headers, ...rest }) => [rest, [...headers]]));
    const all = heard.replaceAll('\\\\"', '"');
    for (const value of [canaries.bearer, canaries.oauth, canaries.vault, canaries.tool, long]) {
      expect(all).toContain(value);
    }
    expect(all).toContain(String(canaries.number));
    expect(ids).toHaveLength(Object.keys(workflows).length);
  });
});
