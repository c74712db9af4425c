// A credential that was put over the API serves the tools of a running playbook, and leaves no trace
// of itself in the log.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type House, startHouse } from "#tests/support/embedded";
import { postgresMissing, startPostgres } from "#tests/support/postgres";
import { postgresAvailable } from "#tests/tools/postgres-calls";

let house: House;
let seen: Readonly<Record<string, string | null>>[] = [];
const server = Bun.serve({
  port: 0,
  fetch: ({ headers }) => {
    seen.push({ authorization: headers.get("authorization"), key: headers.get("x-api-key") });
    return Response.json({ ok: true });
  },
});

beforeAll(async () => {
  house = await startHouse({ store: "memory" });
});
afterAll(async () => {
  await house.close();
  await server.stop(true);
});

const playbook = (alias: string): string => `
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: uses-${alias}, path: t/uses-${alias}}
workflow:
  - step: start
    tool: {kind: http, method: GET, url: "http://127.0.0.1:${server.port}/x", auth: ${alias}}
`;

const put = (name: string, type: string, data: Record<string, unknown>) =>
  house.client.putCredential({ body: { name, type, data } });

test.each([
  ["bearer", { token: "tok-bearer-1" }, { authorization: "Bearer tok-bearer-1" }],
  [
    "basic",
    { username: "ada", password: "lovelace-1" },
    { authorization: `Basic ${btoa("ada:lovelace-1")}` },
  ],
  ["api_key", { api_key: "key-value-1" }, { key: "key-value-1" }],
])("http calls show what a credential of type %s holds", async (type, data, shown) => {
  seen = [];
  await put(`${type}-cred`, type, data);
  await house.register(playbook(`${type}-cred`));
  const run = await house.run(`t/uses-${type}-cred`);
  expect(run.status).toBe("completed");
  expect(seen).toEqual([expect.objectContaining(shown)]);
  const told = JSON.stringify([run, house.reports]);
  for (const secret of Object.values(data).filter((text) => text !== "ada")) {
    expect(told).not.toContain(secret);
  }
});

test("a credential that is not for the playbook fails its step, and says so", async () => {
  await house.client.putCredential({
    body: {
      name: "elsewhere",
      type: "bearer",
      data: { token: "t" },
      allow: { playbooks: ["other/**"] },
    },
  });
  await house.register(playbook("elsewhere"));
  const run = await house.run("t/uses-elsewhere");
  expect(run.status).toBe("failed");
  expect(run.error).toContain("credential elsewhere could not be read: the control plane refused");
});

test("a new value counts for the next command at once", async () => {
  seen = [];
  await put("bearer-cred", "bearer", { token: "tok-bearer-2" });
  await house.run("t/uses-bearer-cred");
  expect(seen).toEqual([expect.objectContaining({ authorization: "Bearer tok-bearer-2" })]);
});

// Without PostgreSQL's programs there is no server to test against: the skip says how to get it.
if (!postgresAvailable) test.skip(postgresMissing, () => undefined);

// The same reason: no server.
test.skipIf(!postgresAvailable)(
  "a postgres step runs with a stored credential",
  async () => {
    const scratch = await startPostgres();
    try {
      const { host, port, user, database } = scratch;
      await put("warehouse", "postgres", {
        db_host: host,
        db_port: port,
        db_user: user,
        db_password: "pa55-w0rd",
        db_name: database,
      });
      await house.register(`
apiVersion: noetl.io/v2
kind: Playbook
metadata: {name: sql, path: t/sql}
workflow:
  - step: start
    tool: {kind: postgres, auth: warehouse, command: "select 6 * 7 as answer"}
`);
      const run = await house.run("t/sql");
      expect(run.error).toBeUndefined();
      expect(JSON.stringify(run.events)).toContain('"answer":42');
      expect(JSON.stringify(run.events)).not.toContain("pa55-w0rd");
    } finally {
      await scratch.stop();
    }
  },
  30_000,
);
