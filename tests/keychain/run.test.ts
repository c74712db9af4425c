// Entries of a keychain in whole runs: they reach what tools send and nothing that is kept.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { JsonObject } from "#core/model/json";
import { type House, type HouseRun, startHouse } from "#tests/support/embedded";

let house: House;
let server: ReturnType<typeof Bun.serve>;
const heard: string[] = [];

beforeAll(async () => {
  server = Bun.serve({
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/kv/shop") return Response.json({ data: { key: "key-of-the-shop" } });
      const shown = request.headers.get("authorization") ?? "none";
      heard.push(shown);
      return Response.json({ echo: shown, path: pathname });
    },
  });
  const vault = `http://127.0.0.1:${server.port}` as const;
  house = await startHouse({
    settings: { NOETL_VAULT_URL: vault },
    credentials: [
      { name: "shop", type: "bearer", data: { token: "tok-of-the-shop" } },
      { name: "db", type: "postgres", data: { user: "ada", password: "hunter2-of-ada" } },
    ],
  });
}, 60_000);

afterAll(async () => {
  await house.close();
  await server.stop(true);
});

let runs = 0;

interface Written {
  readonly keychain: string;
  readonly workflow: string;
  readonly workload?: JsonObject;
}

async function run({ keychain, workflow, workload = {} }: Written): Promise<HouseRun> {
  const path = `keychain/${++runs}`;
  await house.register(`apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: k${runs}, path: ${path}}
keychain: ${keychain}
workflow:
${workflow}
`);
  return house.run(path, { url: server.url.href, ...workload });
}

const asking = (authorization: string): string => `- step: start
  tool:
    kind: http
    url: "{{ workload.url }}"
    headers: {authorization: "${authorization}"}`;

test("a static entry reaches the server, and is in no event though it is told back", async () => {
  const { status, result, events } = await run({
    keychain: '[{name: api, kind: static, data: {token: "t-0-p-s-e-c-r-e-t"}}]',
    workflow: asking("Bearer {{ keychain.api.token }}"),
  });
  expect(status).toBe("completed");
  expect(heard.at(-1)).toBe("Bearer t-0-p-s-e-c-r-e-t");
  expect(result).toMatchObject({ data: { echo: "Bearer ***" } });
  expect(JSON.stringify(events)).not.toContain("t-0-p-s-e-c-r-e-t");
});

test("an entry reads the workload, and those that stand above it", async () => {
  const { status } = await run({
    keychain: `
  - {name: first, kind: static, map: {half: "{{ workload.half }}"}}
  - {name: shop, kind: bearer, auth: "{{ workload.alias }}"}
  - {name: whole, kind: static, data: {token: "{{ keychain.first.half }}/{{ keychain.shop.token }}"}}`,
    workflow: asking("{{ keychain.whole.token }}"),
    workload: { half: "one-half", alias: "shop" },
  });
  expect(status).toBe("completed");
  expect(heard.at(-1)).toBe("one-half/tok-of-the-shop");
});

test("an entry of kind credential gives its fields, by the names of its map", async () => {
  const { status } = await run({
    keychain: "[{name: db, kind: credential, ref: db, map: {pass: password}}]",
    workflow: asking("{{ keychain.db.pass }}"),
  });
  expect(status).toBe("completed");
  expect(heard.at(-1)).toBe("hunter2-of-ada");
});

test("what can't be resolved fails the step, and says which entry of which kind", async () => {
  const nobody = await run({
    keychain: "[{name: gone, kind: credential, credential: nobody}]",
    workflow: asking("{{ keychain.gone.x }}"),
  });
  expect(nobody.status).toBe("failed");
  expect(nobody.error).toContain(
    "keychain entry gone of kind credential: credential nobody does not exist",
  );
  const field = await run({
    keychain: "[{name: api, kind: static, data: {token: abc-def}}]",
    workflow: asking("{{ keychain.api.tokn }}"),
  });
  expect(field.error).toContain("keychain entry api has no field tokn, it has token");
  const unknown = await run({ keychain: "[]", workflow: asking("{{ keychain.other.x }}") });
  expect(unknown.error).toContain("keychain entry other does not exist");
});

test("a secret that a name would have to be worked out for is refused", async () => {
  const { error } = await run({
    keychain: "[{name: api, kind: static, data: {token: abc-def}}]",
    workflow: asking("{{ keychain[workload.which].token }}"),
    workload: { which: "api" },
  });
  expect(error).toContain("reads keychain[…], expected keychain.NAME");
});

test("a step reads a secret, and a later one sends it without ever showing it", async () => {
  const { status, events, result } = await run({
    keychain: "[]",
    workflow: `- step: login
  tool:
    kind: secrets
    provider: vault
    auth: {token: root-token}
    secret_name: "kv/{{ workload.which }}"
    map: {api_key: key}
  next: {arcs: [{step: send}]}
- step: send
  tool:
    kind: http
    url: "{{ workload.url }}"
    headers: {authorization: "Key {{ keychain.login.api_key }}"}
    input: {told: "{{ login.keys }}"}`,
    workload: { which: "shop" },
  });
  expect(status).toBe("completed");
  expect(heard.at(-1)).toBe("Key key-of-the-shop");
  expect(result).toMatchObject({ data: { echo: "Key ***" } });
  const [login] = events.filter(({ type }) => type === "call.done");
  expect(login).toMatchObject({
    output: {
      data: {
        status: "success",
        provider: "vault",
        as: "login",
        name: "kv/shop",
        keys: ["api_key"],
      },
    },
  });
  expect(JSON.stringify(events)).not.toContain("key-of-the-shop");
});

test("a secrets step whose provider refuses it fails with its status alone", async () => {
  const { status, error } = await run({
    keychain: "[]",
    workflow: `- step: start
  tool: {kind: secrets, provider: vault, auth: {token: t-o-k}, ref: "../sys/raw", as: x}`,
  });
  expect(status).toBe("failed");
  expect(error).toContain(
    "keychain entry x of kind secret_manager: Vault: expected the name of a secret",
  );
});
