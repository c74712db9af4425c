// Holds credential merging to the language: which field wins, which type fits, what stays secret.

import { expect, test } from "bun:test";

import type { JsonObject } from "#core/model/json";
import { toolContext } from "#tests/tools/context";
import { httpAuth, postgresAuth, redactor, refuseCredential } from "#worker/tools/auth";
import { ToolFailure } from "#worker/tools/tool";

function contextWith(type: string, data: JsonObject) {
  return toolContext({ credentials: { alias: { name: "alias", type, data } } });
}

async function failure(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ToolFailure)) throw new Error("expected a ToolFailure");
  return error.failure;
}

test("a bearer token is found under each of its names", async () => {
  for (const name of ["token", "access_token", "bearer_token"]) {
    for (const type of ["bearer", "bearer_token"]) {
      const auth = await httpAuth({ auth: "alias" }, contextWith(type, { [name]: "t0ken" }));
      expect(auth).toEqual({
        header: "authorization",
        value: "Bearer t0ken",
        secrets: ["t0ken"],
      });
    }
  }
});

test("an API key goes into X-API-Key unless the credential or the playbook names a header", async () => {
  const plain = contextWith("api_key", { api_key: "k3y" });
  expect(await httpAuth({ credential: "alias" }, plain)).toMatchObject({
    header: "x-api-key",
    value: "k3y",
  });
  const named = contextWith("api_key", { api_key: "k3y", header: "X-Token" });
  expect((await httpAuth({ auth: "alias" }, named))?.header).toBe("x-token");
  const auth = { type: "api_key", credential: "alias", header: "X-Mine" };
  expect((await httpAuth({ auth }, named))?.header).toBe("x-mine");
});

test("basic authentication encodes user and password as UTF-8", async () => {
  const context = contextWith("basic", { username: "ada", password: "pä:ss" });
  const auth = await httpAuth({ auth: "alias" }, context);
  const pair = Buffer.from(auth?.value.slice("Basic ".length) ?? "", "base64").toString("utf8");
  expect(pair).toBe("ada:pä:ss");
});

test("the map form carries its own token, user or key", async () => {
  const context = toolContext();
  const bearer = await httpAuth({ auth: { type: "bearer", token: "t" } }, context);
  expect(bearer?.value).toBe("Bearer t");
  const basic = await httpAuth({ auth: { type: "basic", username: "a", password: "b" } }, context);
  expect(basic?.value).toBe("Basic YTpi");
  expect(await httpAuth({ auth: { type: "none" } }, context)).toBeUndefined();
  expect(await httpAuth({}, context)).toBeUndefined();
});

test("fields in the map win over the credential's", async () => {
  const context = contextWith("basic", { username: "ada", password: "old" });
  const auth = { type: "basic", credential: "alias", password: "new" };
  const value = (await httpAuth({ auth }, context))?.value ?? "";
  expect(Buffer.from(value.slice(6), "base64").toString()).toBe("ada:new");
});

test("the form for several services finds its credential by key", async () => {
  const http = contextWith("bearer", { token: "t" });
  const auth = { api: { type: "bearer", source: "credential", key: "alias" } };
  expect((await httpAuth({ auth }, http))?.value).toBe("Bearer t");
  const database = contextWith("postgres", { db_host: "db" });
  const merged = await postgresAuth({ auth: { pg: { type: "postgres", key: "alias" } } }, database);
  expect(merged.config["host"]).toBe("db");
});

test("an unknown alias is a failure of kind credential", async () => {
  const found = await failure(httpAuth({ auth: "nowhere" }, toolContext()));
  expect(found.kind).toBe("credential");
  expect(found.message).toContain("nowhere");
});

test("what the credential store throws is a credential failure that does not repeat it", async () => {
  const context = toolContext({
    credential: async () => {
      throw new Error("vault token hvs.secret expired");
    },
  });
  const found = await failure(postgresAuth({ auth: "pg" }, context));
  expect(found).toEqual({
    kind: "credential",
    message: 'credential "pg" could not be resolved',
    retryable: false,
  });
});

test("a credential of a type that the tool cannot use names both", async () => {
  const snowflake = contextWith("snowflake", { sf_user: "u" });
  for (const [tool, promise] of [
    ["http", httpAuth({ auth: "alias" }, snowflake)],
    ["postgres", postgresAuth({ auth: "alias" }, snowflake)],
    ["duckdb", refuseCredential("duckdb", { credential: "alias" }, snowflake)],
  ] as const) {
    const found = await failure(promise);
    expect(found.kind).toBe("credential");
    expect(found.message).toContain(`tool ${tool} `);
    expect(found.message).toContain('"snowflake"');
  }
});

test("a credential without its token says what it lacks", async () => {
  const found = await failure(httpAuth({ auth: "alias" }, contextWith("bearer", { other: "x" })));
  expect(found).toMatchObject({ kind: "credential" });
  expect(found.message).toContain("token");
});

test("database fields are taken from the db_ names and from plain ones", async () => {
  const context = contextWith("postgres", {
    db_host: "db.example",
    db_port: "5433",
    db_user: "ada",
    db_password: "pw",
    database: "shop",
    unrelated: "x",
  });
  const { config, secrets } = await postgresAuth({ auth: "alias", command: "select 1" }, context);
  expect(config).toEqual({
    auth: "alias",
    command: "select 1",
    host: "db.example",
    port: "5433",
    user: "ada",
    password: "pw",
    database: "shop",
  });
  expect(secrets).toEqual(["pw"]);
});

test("fields of the playbook are never overridden, under any of their names", async () => {
  const context = contextWith("postgres", { db_host: "theirs", db_name: "theirs", user: "theirs" });
  const { config } = await postgresAuth(
    { auth: "alias", db_host: "mine", database: "mine", user: null },
    context,
  );
  expect(config).toMatchObject({ host: "mine", database: "mine", user: "theirs" });
});

test("the password inside a connection string counts as a secret", async () => {
  const { secrets } = await postgresAuth(
    { connection_string: "postgres://ada:p%40ss@db/shop" },
    toolContext(),
  );
  expect(secrets).toContain("p@ss");
  expect(secrets).toContain("p%40ss");
});

test("auth of the wrong shape is a config failure that names the field and not its value", async () => {
  const found = await failure(httpAuth({ auth: ["s3cret"] }, toolContext()));
  expect(found).toEqual({
    kind: "config",
    message: "auth: expected an alias or an object, found a list",
    retryable: false,
  });
  const unknown = await failure(httpAuth({ auth: { type: "kerberos" } }, toolContext()));
  expect(unknown.message).toContain('"kerberos"');
});

test("a redactor blanks secrets in plain and URL-encoded form, longest first", () => {
  const redact = redactor(["p@ss", "p@ss-long", ""]);
  expect(redact("a p@ss-long b p@ss c p%40ss d")).toBe("a *** b *** c *** d");
});

test("a credential whose token has to be fetched says who fetches it", async () => {
  for (const type of ["oauth2", "google_oauth", "google_id_token", "google_service_account"]) {
    const context = contextWith(type, { client_id: "c", client_secret: "hunter2" });
    const failed = await failure(httpAuth({ auth: "alias" }, context));
    expect(failed).toMatchObject({ kind: "credential", retryable: false });
    expect(failed.message).toContain("{{ keychain.<name>.access_token }}");
    expect(failed.message).not.toContain("hunter2");
  }
  const held = contextWith("oauth2", { access_token: "t", client_id: "c" });
  expect((await httpAuth({ auth: "alias" }, held))?.value).toBe("Bearer t");
  const auth = { api: { type: "bearer", source: "secret_manager", key: "k" } };
  expect(await failure(httpAuth({ auth }, held))).toMatchObject({
    kind: "config",
    message: expect.stringContaining("an entry of the keychain"),
  });
});

test("the form for several services reads an entry of the keychain too", async () => {
  const context = toolContext({
    keychain: async (name) => ({ name, type: "oauth2", data: { access_token: "of the keychain" } }),
  });
  const auth = { api: { type: "bearer", source: "keychain", key: "idp" } };
  expect((await httpAuth({ auth }, context))?.value).toBe("Bearer of the keychain");
});
