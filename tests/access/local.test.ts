// Programs of this machine, over a real socket: let in where that was asked for, and nobody else by
// way of them: no page of a browser, no name that leads here, no proxy.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startEmbedded } from "#cli/embedded";
import { isLocal } from "#control/access/local-request";
import { type Listening, listen } from "#core/adapters/listen";
import { memoryStores } from "#core/adapters/memory-stores";
import { systemClock } from "#core/adapters/system-clock";
import { wirePath } from "#core/wire/carried";

const localToken = `noetl_ses_${"a".repeat(24)}_${"b".repeat(43)}`;

function start(mode: "local" | "required") {
  const embedded = startEmbedded({
    stores: memoryStores(systemClock()),
    credentials: async () => undefined,
    policy: { shell: false, fileRoots: [] },
    slots: 1,
    report: () => {},
    settings: { NOETL_ACCESS: mode, NOETL_INTERNAL_API_TOKEN: ["internal-token-of-tests"] },
    localToken,
  });
  const at = { host: "127.0.0.1", port: 0, wire: true, refusal: embedded.refusal };
  return { embedded, server: listen(embedded.fetch, at) };
}

let local: ReturnType<typeof start>;
let required: ReturnType<typeof start>;
beforeAll(() => {
  local = start("local");
  required = start("required");
});
afterAll(async () => {
  for (const { server, embedded } of [local, required]) {
    await server.stop();
    await embedded.stop(0);
  }
});

const me = async ({ url }: Listening, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${url}/api/me`, { headers });
  return response.status === 200 ? ((await response.json()) as object) : response.status;
};

test("a program of this machine is its administrator, where that is the mode", async () => {
  expect(await me(local.server)).toMatchObject({ subject: "local", via: "local", platform: true });
  expect(await me(required.server)).toBe(401);
});

test("a token that is shown counts, and a bad one is not passed over", async () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  expect(await me(local.server, bearer("internal-token-of-tests"))).toMatchObject({
    kind: "machine",
  });
  expect(await me(local.server, bearer("wrong"))).toBe(401);
  expect(await me(required.server, bearer(localToken))).toMatchObject({ subject: "local" });
  expect(await me(required.server, bearer(`${localToken}x`))).toBe(401);
});

test("no page of another site, no foreign name and no proxy gets in by way of this machine", async () => {
  const { port } = new URL(local.server.url);
  const strangers: readonly Readonly<Record<string, string>>[] = [
    { host: "evil.example" },
    { host: `evil.example:${port}` },
    { host: "localhost.evil.example" },
    { host: "127.0.0.1.evil.example" },
    { host: "192.168.1.7" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "x-forwarded-for": "203.0.113.7" },
    { forwarded: "for=203.0.113.7" },
    { via: "1.1 proxy" },
  ];
  for (const headers of strangers) {
    expect([headers, await me(local.server, headers)]).toEqual([headers, 401]);
  }
  for (const headers of [{ host: `localhost:${port}` }, { origin: local.server.url }]) {
    expect(await me(local.server, headers)).toMatchObject({ subject: "local" });
  }
});

test("an address that is not this machine's own is no program of this machine", () => {
  const request = new Request("http://127.0.0.1:1/", { headers: { host: "127.0.0.1:1" } });
  for (const peer of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    expect(isLocal(request, peer)).toBe(true);
  }
  for (const peer of ["10.0.0.1", "203.0.113.7", "::ffff:10.0.0.1", "fe80::1", "", undefined]) {
    expect(isLocal(request, peer)).toBe(false);
  }
});

test("a cookie that a browser sends along with a page's request is not taken", async () => {
  const cookie = `session_token=${localToken}`;
  expect(await me(required.server, { cookie })).toMatchObject({ subject: "local" });
  expect(await me(required.server, { cookie, origin: "https://evil.example" })).toBe(401);
  expect(await me(required.server, { cookie, "sec-fetch-site": "same-site" })).toBe(401);
});

test("a stranger is given no socket that carries requests", async () => {
  const opened = async ({ url }: Listening, headers: Readonly<Record<string, string>>) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}${wirePath}`, { headers } as never);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
    const isOpen = await promise;
    socket.close();
    return isOpen;
  };
  const token = { authorization: "Bearer internal-token-of-tests" };
  expect(await opened(required.server, {})).toBe(false);
  expect(await opened(required.server, { authorization: "Bearer wrong" })).toBe(false);
  expect(await opened(required.server, token)).toBe(true);
  expect(await opened(local.server, {})).toBe(true);
});
