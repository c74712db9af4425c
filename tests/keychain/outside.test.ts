// What is asked of the outside: in which form, for how long, at which addresses; and that nothing of
// an answer is told but its status.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { providerAnswerBytesMax, providerRequestMs } from "#core/model/keychain-limits";
import { until } from "#tests/support/virtual-clock";
import { provided, standIn } from "./stand-in.ts";

const server = standIn();
beforeEach(() => void server.heard.splice(0));
afterAll(() => server.close());

describe("a token endpoint", () => {
  const { providers } = provided({}, { hostsAllowed: [server.host] });
  const endpoint = `${server.url}/token`;

  test("is sent a form, JSON where the headers say so, or the text as it is", async () => {
    server.reply = () => Response.json({ access_token: "t" });
    const data = { grant_type: "client_credentials", client_secret: "s&t", n: 5 };
    await providers.tokenAnswer({ endpoint, headers: {}, data });
    await providers.tokenAnswer({
      endpoint,
      headers: { "Content-Type": "application/json" },
      data,
    });
    await providers.tokenAnswer({ endpoint, headers: { "X-A": "1" }, data: "as it is" });
    await providers.tokenAnswer({ endpoint, headers: {}, method: "get", data });
    expect(server.heard.map(({ method, body }) => `${method} ${body}`)).toEqual([
      "POST grant_type=client_credentials&client_secret=s%26t&n=5",
      `POST ${JSON.stringify(data)}`,
      "POST as it is",
      "GET ",
    ]);
    expect(server.heard[0]?.headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect(server.heard[2]?.headers.get("x-a")).toBe("1");
    const wrong = providers.tokenAnswer({ endpoint, headers: {}, method: "DELETE" });
    await expect(wrong).rejects.toThrow("method: expected GET, POST, PUT, PATCH");
  });

  const secret = "never-in-a-message";
  const answers: readonly (readonly [string, () => Response, string, string])[] = [
    ["401", () => Response.json({ error: secret }, { status: 401 }), "forbidden", "answered 401"],
    ["403", () => new Response(secret, { status: 403 }), "forbidden", "answered 403"],
    ["404", () => new Response(secret, { status: 404 }), "not_found", "answered 404"],
    ["422", () => new Response(secret, { status: 422 }), "invalid", "answered 422"],
    ["429", () => new Response(secret, { status: 429 }), "unavailable", "answered 429"],
    ["500", () => new Response(secret, { status: 500 }), "unavailable", "answered 500"],
    ["no JSON", () => new Response(secret), "invalid", "answered 200 with what is no JSON object"],
    [
      "a list",
      () => Response.json([secret]),
      "invalid",
      "answered 200 with what is no JSON object",
    ],
    ["nothing", () => new Response(null, { status: 204 }), "invalid", "what is no JSON object"],
    [
      "an error under a good status",
      () => Response.json({ error: "invalid_client", error_description: secret }),
      "forbidden",
      "answered with an error under a good status",
    ],
    [
      "a redirect",
      () => Response.redirect(`http://127.0.0.1:1/?${secret}`, 307),
      "invalid",
      "redirects are not followed",
    ],
    [
      "2 MB",
      () => new Response(secret.repeat((2 * providerAnswerBytesMax) / secret.length)),
      "invalid",
      `answered more than ${providerAnswerBytesMax} bytes`,
    ],
  ];
  for (const [what, reply, code, message] of answers) {
    test(`that answers ${what} is told of by that alone`, async () => {
      server.reply = reply;
      const asked = providers.tokenAnswer({
        endpoint: `${endpoint}?key=${secret}`,
        headers: { authorization: secret },
        data: { client_secret: secret },
      });
      const thrown = await asked.then(
        () => expect.unreachable(),
        (error: unknown) => error as Error & { code: string },
      );
      expect(thrown.code).toBe(code);
      expect(thrown.message).toContain(message);
      expect(thrown.message).not.toContain(secret);
      expect(server.heard).toHaveLength(1);
    });
  }

  test("that hangs is given up in its time, before its answer or within it", async () => {
    for (const part of [undefined, "{"]) {
      const { providers: hanging, clock } = provided({}, { hostsAllowed: [server.host] });
      const stream = () =>
        new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(part)) });
      server.reply = () =>
        part === undefined ? new Promise<Response>(() => undefined) : new Response(stream());
      server.heard.splice(0);
      const asked = hanging.tokenAnswer({ endpoint, headers: {} });
      asked.catch(() => undefined);
      await until(() => server.heard.length === 1);
      await clock.advance(providerRequestMs);
      await expect(asked).rejects.toMatchObject({ code: "unavailable" });
    }
  });

  test("that nobody answers at is told of without its address", async () => {
    const { providers: alone } = provided({}, { hostsAllowed: ["127.0.0.1:1"] });
    const asked = alone.tokenAnswer({ endpoint: "http://127.0.0.1:1/?k=s3cret", headers: {} });
    await expect(asked).rejects.toThrow(/^the token endpoint can't be reached$/);
  });
});

describe("an address that a playbook names", () => {
  const asked: string[] = [];
  const { providers } = provided(
    {},
    {
      hostsAllowed: ["idp.local:8080"],
      fetch: async (url) => {
        asked.push(url);
        return Response.json({ token: "t" });
      },
    },
  );
  const ask = (endpoint: string) => providers.tokenAnswer({ endpoint, headers: {} });

  for (const bad of [
    "http://idp.example.com/t",
    "http://idp.local/t",
    "https://169.254.169.254/computeMetadata",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fd00::1]/",
    "https://10.1.2.3/",
    "https://172.20.0.1/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://postgres/",
    "https://db.team.svc/",
    "https://user:pass@idp.example.com/",
    "file:///etc/passwd",
    "ftp://idp.example.com/",
    "not an address",
    "",
  ]) {
    test(`is refused: ${bad === "" ? "nothing" : bad}`, async () => {
      await expect(ask(bad)).rejects.toMatchObject({ code: "invalid" });
      expect(asked).toEqual([]);
    });
  }

  test("is asked where it is outside and by TLS, or where the operator allows it", async () => {
    await ask("https://idp.example.com/t");
    await ask("http://idp.local:8080/t");
    expect(asked.splice(0)).toEqual(["https://idp.example.com/t", "http://idp.local:8080/t"]);
  });
});
