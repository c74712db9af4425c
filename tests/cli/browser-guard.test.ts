// What a web page can make a browser send to this machine is not served; programs are.

import { describe, expect, test } from "bun:test";
import { guarded } from "#cli/browser-guard";

const app = guarded(async () => new Response("served"));
const status = async (headers: Record<string, string>): Promise<number> =>
  (await app(new Request("http://127.0.0.1:8082/api/execute", { method: "POST", headers }))).status;

describe("served", () => {
  for (const headers of [
    { host: "127.0.0.1:8082" },
    { host: "localhost:8082" },
    { host: "[::1]:8082" },
    { host: "192.168.1.5:8082" },
    { host: "localhost:8082", origin: "http://localhost:8082", "sec-fetch-site": "same-origin" },
    { host: "127.0.0.1:8082", "sec-fetch-site": "none" },
  ]) {
    test(JSON.stringify(headers), async () => {
      expect(await status(headers)).toBe(200);
    });
  }
});

describe("refused", () => {
  for (const headers of [
    { host: "127.0.0.1:8082", origin: "https://evil.example" },
    { host: "127.0.0.1:8082", origin: "http://127.0.0.1:3000" },
    { host: "127.0.0.1:8082", origin: "null" },
    { host: "rebound.example:8082" },
    { host: "localhost.evil.example:8082" },
    { host: "rebound.example:8082", origin: "http://rebound.example:8082" },
    { host: "127.0.0.1:8082", "sec-fetch-site": "cross-site" },
    { host: "127.0.0.1:8082", "sec-fetch-site": "same-site" },
    { host: "" },
  ]) {
    test(JSON.stringify(headers), async () => {
      expect(await status(headers)).toBe(403);
    });
  }
  test("with a problem that says why", async () => {
    const headers = { host: "127.0.0.1", origin: "https://evil.example" };
    const answer = await app(new Request("http://127.0.0.1/", { headers }));
    expect(await answer.json()).toMatchObject({ error: { code: "forbidden" } });
  });
});
