// People for whom the gateway asks: believed from machines, for a minute, and for nothing forged.

import { expect, test } from "bun:test";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { onMemory } from "#tests/support/control";
import { asked, internalToken, openGate } from "./gate.ts";

const secret = new Uint8Array(32).fill(7);
const oldSecret = new Uint8Array(32).fill(9);
const coded = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const settings = { NOETL_IDENTITY_KEY: [`new:${coded(secret)}`, `old:${coded(oldSecret)}`] };

interface Claims {
  readonly iat?: number;
  readonly exp?: number;
  readonly aud?: string;
  readonly sub?: string;
  readonly tenant?: unknown;
  readonly role?: unknown;
  readonly platform?: boolean;
}

const machine = { authorization: `Bearer ${internalToken}` };

onMemory((shelf) => {
  const nowSeconds = (): number => Math.floor(shelf().clock.nowMs() / 1000);
  const open = () => openGate(shelf(), { clock: shelf().clock, settings });
  const claims = (part: Claims = {}) => ({
    ...{ sub: "ada@example.org", aud: "noetl-control", tenant: "acme", role: "editor" },
    ...{ iat: nowSeconds(), exp: nowSeconds() + 60 },
    ...part,
  });
  const signed = (part: Claims = {}, kid = "new", key: Uint8Array = secret): Promise<string> =>
    new SignJWT(claims(part)).setProtectedHeader({ alg: "HS256", kid }).sign(key);

  test("a machine asks for a person, with either key", async () => {
    const gate = await open();
    for (const identity of [await signed(), await signed({}, "old", oldSecret)]) {
      const { status, text } = await asked(gate, "/api/me", {
        ...machine,
        "x-noetl-identity": identity,
      });
      expect(status).toBe(200);
      expect(JSON.parse(text)).toEqual({
        ...{ subject: "ada@example.org", kind: "person", tenant: "acme", role: "editor" },
        ...{ platform: false, via: "identity" },
      });
    }
  });

  test("what a person may not, a machine may not for them", async () => {
    const gate = await open();
    const identity = await signed({ role: "viewer" });
    const headers = { ...machine, "x-noetl-identity": identity };
    expect((await asked(gate, "/api/users", headers)).status).toBe(403);
    const claim = new Request("http://control/api/commands/claim", { method: "POST", headers });
    expect((await gate.world.control.fetch(claim)).status).toBe(403);
  });

  test("without a machine's token the header is refused, and not passed over", async () => {
    const gate = await open();
    const identity = await signed();
    const { token } = await gate.member("acme", "admin");
    const tries = [
      { "x-noetl-identity": identity },
      { authorization: `Bearer ${token}`, "x-noetl-identity": identity },
      { authorization: `Bearer ${identity}` },
      { "x-noetl-identity": "" },
    ];
    for (const headers of tries) {
      expect((await asked(gate, "/api/me", headers)).status).toBe(401);
      expect((await asked(gate, "/api/health", headers)).status).toBe(401);
    }
  });

  test("a forged, a stale and a strange one are refused", async () => {
    const gate = await open();
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const pem = new TextEncoder().encode(await exportSPKI(publicKey));
    const part = (value: object): string => btoa(JSON.stringify(value)).replace(/=+$/, "");
    const bad: Readonly<Record<string, string>> = {
      "another key": await signed({}, "new", new Uint8Array(32).fill(1)),
      "a key of another name": await signed({}, "old"),
      "a key that isn't there": await signed({}, "next"),
      "no algorithm": `${part({ alg: "none", kid: "new" })}.${part(claims())}.`,
      "a public key taken for a secret": await signed({}, "new", pem),
      "another algorithm": await new SignJWT(claims())
        .setProtectedHeader({ alg: "RS256", kid: "new" })
        .sign(privateKey),
      "a longer digest": await new SignJWT(claims())
        .setProtectedHeader({ alg: "HS512", kid: "new" })
        .sign(secret),
      "another audience": await signed({ aud: "noetl-gateway" }),
      "a life of 61 seconds": await signed({ exp: nowSeconds() + 61 }),
      "an end that has passed": await signed({ iat: nowSeconds() - 60, exp: nowSeconds() - 6 }),
      "a beginning to come": await signed({ iat: nowSeconds() + 7, exp: nowSeconds() + 60 }),
      "the tenant of the installation": await signed({ tenant: "*" }),
      "a tenant that is none": await signed({ tenant: ["acme"] }),
      "a role that is none": await signed({ role: "root" }),
      "who runs the installation": await signed({ platform: true }),
      nobody: await signed({ sub: "" }),
      "no token at all": "nonsense",
    };
    for (const [what, identity] of Object.entries(bad)) {
      const headers = { ...machine, "x-noetl-identity": identity };
      expect([what, (await asked(gate, "/api/me", headers)).status]).toEqual([what, 401]);
    }
  });

  test("one that was good is of no use after its end", async () => {
    const gate = await open();
    const headers = { ...machine, "x-noetl-identity": await signed() };
    expect((await asked(gate, "/api/me", headers)).status).toBe(200);
    await shelf().clock.advance(60_000 + 4_000);
    expect((await asked(gate, "/api/me", headers)).status).toBe(200);
    await shelf().clock.advance(2_000);
    expect((await asked(gate, "/api/me", headers)).status).toBe(401);
  });

  test("an installation without keys believes none", async () => {
    const gate = await openGate(shelf(), { clock: shelf().clock });
    const headers = { ...machine, "x-noetl-identity": await signed() };
    expect((await asked(gate, "/api/me", headers)).status).toBe(401);
  });
});
