// Who may come in, and that passwords stay where they belong.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { natsBus } from "#core/adapters/nats-bus";
import { natsServers } from "#core/adapters/nats-servers";
import { type ScratchNats, startNats } from "#tests/support/nats";
import { until } from "#tests/support/virtual-clock";

let withPassword: ScratchNats;
let withToken: ScratchNats;
beforeAll(async () => {
  withPassword = await startNats({
    configuration: 'authorization { user: "edge", password: "p@ss:w%rd" }',
  });
  withToken = await startNats({ configuration: 'authorization { token: "to/ken" }' });
});
afterAll(async () => {
  await withPassword.stop();
  await withToken.stop();
});

const urlWith = (server: ScratchNats, login: string): string =>
  server.url.replace("nats://", `nats://${login}@`);

test("a user with a password, or a token, comes in", async () => {
  for (const servers of [
    urlWith(withPassword, "edge:p%40ss%3Aw%25rd"),
    urlWith(withToken, "to%2Fken"),
  ]) {
    const bus = natsBus({ servers, name: "test" });
    await until(() => bus.status().state === "connected");
    await bus.close();
  }
});

test("a wrong password keeps the bus trying, and is shown nowhere", async () => {
  const notices: string[] = [];
  const bus = natsBus({
    servers: urlWith(withPassword, "edge:wrong-secret"),
    name: "test",
    onNotice: (message) => notices.push(message),
  });
  await until(() => notices.length > 0);
  const status = bus.status();
  await bus.close();

  expect(status.state).toBe("connecting");
  expect(status.reason).toMatch(/authorization/i);
  expect(JSON.stringify([notices, status])).not.toContain("wrong-secret");
});

test("a server that is asked for encryption and has none is told no password", async () => {
  const bus = natsBus({
    servers: urlWith(withPassword, "edge:p%40ss%3Aw%25rd").replace("nats://", "tls://"),
    name: "test",
  });
  await until(() => bus.status().reason?.includes("tls") === true);
  const { state } = bus.status();
  await bus.close();

  expect(state).toBe("connecting");
});

const openssl = Bun.which("openssl");

// Without openssl there is no certificate to be had; the other tests need none.
test.skipIf(openssl === null)("an encrypted line needs a certificate that is trusted", async () => {
  const folder = await mkdtemp(join(tmpdir(), "noetl-tls-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const shape = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const name = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  await $`openssl req ${shape} ${name} -keyout ${key} -out ${certificate}`.quiet();
  const server = await startNats({
    configuration: `tls { cert_file: "${certificate}", key_file: "${key}" }`,
  });
  const servers = server.url.replace("nats://", "tls://");
  const trusting = natsBus({ servers, name: "test", caFile: certificate });
  const strange = natsBus({ servers, name: "test" });
  const messages: string[] = [];
  trusting.subscribe("a", ({ data }) => messages.push(data));
  trusting.publish("a", "over TLS");
  await until(() => messages.length > 0);
  await until(() => strange.status().reason?.includes("self signed") === true);
  await trusting.close();
  await strange.close();
  await server.stop();
  await rm(folder, { recursive: true });

  expect(messages).toEqual(["over TLS"]);
});

test("servers are read with their ports, credentials and encryption", () => {
  expect(natsServers("nats://localhost")).toEqual({
    servers: ["localhost:4222"],
    isEncrypted: false,
  });
  expect(natsServers(" a:1 ,tls://user:pa%20ss@b , [::1]:4333")).toEqual({
    servers: ["a:1", "b:4222", "[::1]:4333"],
    credentials: { kind: "password", user: "user", password: "pa ss" },
    isEncrypted: true,
  });
  expect(natsServers("nats://50%@a").credentials).toEqual({ kind: "token", token: "50%" });
});

const bad: readonly [text: string, message: string][] = [
  [" , ", "no server was given"],
  ["http://user:secret@host", "the server is not an address"],
  ["nats://user:secret@host:port", "the server is not an address"],
  ["nats://a, nats://user:secret@b/path", "server 2 of 2 is not an address"],
  ["nats://u:secret@a, nats://u:secret2@b", "the servers name different credentials"],
];
for (const [text, message] of bad) {
  test(`'${text.replaceAll("secret", "…")}' is refused without being shown`, () => {
    expect(() => natsServers(text)).toThrow(message);
    expect(() => natsServers(text)).not.toThrow("secret");
  });
}
