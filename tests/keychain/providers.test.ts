// Each provider against one that stands in for it: what it is asked, by which signature, and what is
// made of its answers.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash, createHmac, createVerify, generateKeyPairSync } from "node:crypto";
import { crc32c } from "#control/keychain/providers/gcp";
import { type Heard, provided, standIn } from "./stand-in.ts";

const server = standIn();
beforeEach(() => void server.heard.splice(0));
afterAll(() => server.close());

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const serviceAccount = {
  client_email: "svc@acme.iam",
  private_key: pem,
  private_key_id: "k-1",
  token_uri: `${server.url}/token`,
};

const only = (): Heard => {
  expect(server.heard).toHaveLength(1);
  return server.heard[0] as Heard;
};

const secretAnswer = (text: string, crc = String(crc32c(new TextEncoder().encode(text)))) =>
  Response.json({ payload: { data: Buffer.from(text).toString("base64"), dataCrc32c: crc } });

describe("Google", () => {
  const settings = {
    NOETL_GCP_SECRETS_URL: server.url,
    NOETL_GCP_METADATA_URL: `${server.url}/meta` as const,
  };
  const { providers, clock } = provided(settings, { hostsAllowed: [server.host] });

  test("a secret is read by the machine's token", async () => {
    server.reply = ({ path }) =>
      path.startsWith("/meta/")
        ? Response.json({ access_token: "machine-token", expires_in: 600 })
        : secretAnswer("žluť & co");
    const read = await providers.secret.gcp({ ref: "projects/p/secrets/api/versions/3", auth: {} });
    expect(read.value).toBe("žluť & co");
    const [metadata, secret] = server.heard;
    expect(metadata?.headers.get("metadata-flavor")).toBe("Google");
    expect(metadata?.path).toStartWith(
      "/meta/computeMetadata/v1/instance/service-accounts/default/token?scopes=",
    );
    expect(`${secret?.method} ${secret?.path}`).toBe(
      "GET /v1/projects/p/secrets/api/versions/3:access",
    );
    expect(secret?.headers.get("authorization")).toBe("Bearer machine-token");
  });

  test("a secret has the parts of its name from the entry, and the newest version", async () => {
    server.reply = () => secretAnswer("x-y-z");
    const auth = { access_token: "given" };
    await providers.secret.gcp({ ref: "api", auth, project: "p 1" });
    await providers.secret.gcp({ ref: "projects/q/secrets/s", auth, version: "7" });
    await providers.secret.gcp({ ref: "api", auth: { ...auth, project_id: "r" }, region: "eu-1" });
    expect(server.heard.map(({ path }) => path)).toEqual([
      "/v1/projects/p%201/secrets/api/versions/latest:access",
      "/v1/projects/q/secrets/s/versions/7:access",
      "/v1/projects/r/locations/eu-1/secrets/api/versions/latest:access",
    ]);
    await expect(providers.secret.gcp({ ref: "api", auth })).rejects.toThrow("expected project_id");
    await expect(providers.secret.gcp({ ref: "projects/../secrets/x", auth })).rejects.toThrow(
      "expected the name of a secret",
    );
  });

  test("a checksum that differs is an answer that may be better later", async () => {
    server.reply = () => secretAnswer("x-y-z", "1");
    const asked = providers.secret.gcp({ ref: "projects/p/secrets/s", auth: { token: "t" } });
    await expect(asked).rejects.toMatchObject({
      code: "unavailable",
      message: "Google's Secret Manager answered with a checksum that differs",
    });
  });

  test("a service account signs for its token, for access and for an audience", async () => {
    server.reply = ({ body }) => {
      const claims = claimsOf(body);
      return Response.json(
        "target_audience" in claims
          ? { id_token: "id-token" }
          : { access_token: "access-token", expires_in: 3_599 },
      );
    };
    const access = await providers.accessToken({ auth: serviceAccount, scopes: ["a", "b"] });
    expect(access).toEqual({ token: "access-token", expiresInSeconds: 3_599 });
    const document = { service_account: JSON.stringify(serviceAccount) };
    const id = await providers.idToken({ auth: document, audience: "https://run" });
    expect(id.token).toBe("id-token");
    const [first, second] = server.heard.map(({ body }) => claimsOf(body));
    const nowSeconds = Math.floor(clock.nowMs() / 1_000);
    expect(first).toEqual({
      iss: "svc@acme.iam",
      sub: "svc@acme.iam",
      aud: `${server.url}/token`,
      iat: nowSeconds,
      exp: nowSeconds + 3_600,
      scope: "a b",
    });
    expect(second).toMatchObject({ target_audience: "https://run" });
  });

  test("a refresh token is exchanged, and a key that is none is not told", async () => {
    server.reply = () => Response.json({ access_token: "fresh" });
    const auth = { refresh_token: "r", client_id: "c", client_secret: "s", token_uri: server.url };
    expect(await providers.accessToken({ auth })).toEqual({ token: "fresh" });
    expect(only().body).toBe(
      "grant_type=refresh_token&refresh_token=r&client_id=c&client_secret=s",
    );
    const broken = {
      ...serviceAccount,
      private_key: "-----BEGIN X-----\nsecret-key\n-----END X-----",
    };
    const failing = providers.accessToken({ auth: broken });
    await expect(failing).rejects.toThrow("private_key is no RSA key in PEM (PKCS #8)");
  });
});

/** What an assertion claims, its signature checked. */
function claimsOf(body: string): object {
  const form = new URLSearchParams(body);
  expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
  const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".");
  const verify = createVerify("RSA-SHA256").update(`${header}.${claims}`);
  expect(verify.verify(publicKey, Buffer.from(signature, "base64url"))).toBe(true);
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
    alg: "RS256",
    typ: "JWT",
    kid: "k-1",
  });
  return JSON.parse(Buffer.from(claims, "base64url").toString()) as object;
}

describe("AWS", () => {
  const { providers } = provided({ NOETL_AWS_SECRETS_URL: server.url });
  const auth = { access_key_id: "AKID", secret_access_key: "s/e+c", session_token: "sess" };

  test("a secret is asked for with a signature that can be worked out again", async () => {
    server.reply = () => Response.json({ SecretString: '{"user":"ada"}' });
    const read = await providers.secret.aws({ ref: "app/db", auth, region: "eu-west-1" });
    expect(read.value).toBe('{"user":"ada"}');
    const asked = only();
    expect(asked.body).toBe('{"SecretId":"app/db"}');
    expect(asked.headers.get("x-amz-target")).toBe("secretsmanager.GetSecretValue");
    expect(asked.headers.get("authorization")).toBe(signatureOf(asked, auth.secret_access_key));
  });

  test("a version is named by its stage or its id, and bytes are text", async () => {
    const binary = { SecretBinary: Buffer.from("from bytes").toString("base64") };
    server.reply = () => Response.json(binary);
    const ask = { ref: "a", auth: { ...auth, region: "us-east-1" } };
    expect((await providers.secret.aws({ ...ask, version: "AWSPREVIOUS" })).value).toBe(
      "from bytes",
    );
    await providers.secret.aws({ ...ask, version: "v-1" });
    expect(server.heard.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { SecretId: "a", VersionStage: "AWSPREVIOUS" },
      { SecretId: "a", VersionId: "v-1" },
    ]);
    await expect(providers.secret.aws({ ref: "a", auth })).rejects.toThrow("expected a region");
    await expect(providers.secret.aws({ ref: "a", auth: {}, region: "x" })).rejects.toThrow(
      "expected secret_access_key",
    );
  });
});

/** Signature Version 4 as its own description has it, from what arrived. */
function signatureOf({ headers, body, path }: Heard, secret: string): string {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const mac = (key: string | Buffer, text: string) =>
    createHmac("sha256", key).update(text).digest();
  const names = ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"];
  const canonical = names.map((name) => `${name}:${headers.get(name)}\n`).join("");
  const request = `POST\n${path}\n\n${canonical}\n${names.join(";")}\n${hash(body)}`;
  const time = headers.get("x-amz-date") ?? "";
  const scope = `${time.slice(0, 8)}/eu-west-1/secretsmanager/aws4_request`;
  const key = scope.split("/").reduce<string | Buffer>(mac, `AWS4${secret}`);
  const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(request)}`;
  const signature = mac(key, toSign).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
}

test("Azure is asked as an application or as the machine, at the entry's vault", async () => {
  const settings = {
    NOETL_AZURE_LOGIN_URL: `${server.url}/login` as const,
    NOETL_AZURE_METADATA_URL: `${server.url}/imds` as const,
  };
  const { providers } = provided(settings, { hostsAllowed: [server.host] });
  server.reply = ({ path }) =>
    Response.json(path.startsWith("/secrets/") ? { value: "v-1" } : { access_token: "az" });
  const auth = { tenant_id: "t", client_id: "c", client_secret: "s&s" };
  const vaultUrl = server.url;
  expect((await providers.secret.azure({ ref: "db", auth, vaultUrl })).value).toBe("v-1");
  await providers.secret.azure({ ref: "db", auth: {}, vaultUrl, version: "9" });
  const [login, secret, machine, versioned] = server.heard;
  expect(login?.path).toBe("/login/t/oauth2/v2.0/token");
  expect(login?.body).toContain(
    "client_secret=s%26s&scope=https%3A%2F%2Fvault.azure.net%2F.default",
  );
  expect(secret?.path).toBe("/secrets/db?api-version=7.4");
  expect(secret?.headers.get("authorization")).toBe("Bearer az");
  expect(machine?.headers.get("metadata")).toBe("true");
  expect(versioned?.path).toBe("/secrets/db/9?api-version=7.4");
  await expect(providers.secret.azure({ ref: "db", auth })).rejects.toThrow("expected vault_url");
});

test("Vault gives fields of both engines, by token, role or pod", async () => {
  const readText = async (path: string) => {
    if (path.endsWith("/token")) return "pod-jwt\n";
    throw new Error("no such file");
  };
  const { providers } = provided({ NOETL_VAULT_URL: server.url }, { readText });
  const read = providers.secret.vault;
  server.reply = ({ path }) => {
    if (path.includes("/auth/")) return Response.json({ auth: { client_token: "logged-in" } });
    return path.startsWith("/v1/secret/data/")
      ? Response.json({ data: { data: { a: "1" }, metadata: { version: 2 } } })
      : Response.json({ data: { b: "2" }, lease_duration: 90 });
  };
  expect(await read({ ref: "secret/data/app", auth: { token: "root" }, version: "2" })).toEqual({
    value: { a: "1" },
  });
  expect(
    await read({ ref: "kv/app", auth: { role_id: "r", secret_id: "s" }, namespace: "ns" }),
  ).toEqual({ value: { b: "2" }, expiresInSeconds: 90 });
  await read({ ref: "kv/app", auth: { role: "noetl" } });
  const shown = server.heard.map(({ method, path, headers, body }) =>
    [method, path, headers.get("x-vault-token"), headers.get("x-vault-namespace"), body].join(" "),
  );
  expect(shown).toEqual([
    "GET /v1/secret/data/app?version=2 root  ",
    'POST /v1/auth/approle/login  ns {"role_id":"r","secret_id":"s"}',
    "GET /v1/kv/app logged-in ns ",
    'POST /v1/auth/kubernetes/login   {"role":"noetl","jwt":"pod-jwt"}',
    "GET /v1/kv/app logged-in  ",
  ]);
});

test("Kubernetes gives the fields of a secret, by the pod's own account", async () => {
  const files: Readonly<Record<string, string>> = { token: "pod-token", namespace: "team" };
  const readText = async (path: string) => {
    const text = files[path.slice(path.lastIndexOf("/") + 1)];
    if (text === undefined) throw new Error("no such file");
    return text;
  };
  const { providers } = provided({ NOETL_SECRETS_KUBERNETES_URL: server.url }, { readText });
  server.reply = () => Response.json({ data: { pass: Buffer.from("p-1").toString("base64") } });
  expect((await providers.secret.kubernetes({ ref: "db", auth: {} })).value).toEqual({
    pass: "p-1",
  });
  await providers.secret.kubernetes({ ref: "db", auth: { token: "own" }, namespace: "other" });
  expect(
    server.heard.map(({ path, headers }) => `${path} ${headers.get("authorization")}`),
  ).toEqual([
    "/api/v1/namespaces/team/secrets/db Bearer pod-token",
    "/api/v1/namespaces/other/secrets/db Bearer own",
  ]);
});
