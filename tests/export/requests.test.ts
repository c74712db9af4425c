// One request to a place outside, and the settings that name places: what others may do to it, and
// what is taken for an address.

import { afterEach, describe, expect, test } from "bun:test";
import { askOver } from "#control/export/ask";
import { sinksOf } from "#control/export/export-roles";
import { exportSettings } from "#control/export/settings";
import type { ExportRequest } from "#control/export/sink";
import { memoryStores } from "#core/adapters/memory-stores";
import { systemClock } from "#core/adapters/system-clock";
import { sha256 } from "#tests/support/control";
import { startPlace, stopPlaces } from "./place-server.ts";

afterEach(stopPlaces);

describe("a request to a place", () => {
  const request = (url: string): ExportRequest => ({ method: "POST", url, headers: {}, body: "x" });

  test("follows nobody to another host", async () => {
    const other = startPlace();
    const place = startPlace(() => Response.redirect(other.url, 307));

    expect(await askOver()(request(place.url))).toMatchObject({ status: 307 });

    expect(other.seen).toEqual([]);
  });

  test("that is cut off half-way is one without an answer, and may be made again", async () => {
    const server = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: {
        data: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
          socket.flush();
          socket.end();
        },
      },
    });
    const asked = askOver()(request(`http://secret:pass@127.0.0.1:${server.port}/path`));

    const thrown = await asked.then(
      () => undefined,
      (error: unknown) => error,
    );

    expect(thrown).toMatchObject({ code: "unavailable", retryable: true });
    expect(String(thrown)).not.toContain("secret");
    server.stop(true);
  });

  test("that hangs ends with its time, and with the role", async () => {
    const place = startPlace(() => new Promise<Response>(() => {}));
    const late = askOver({ requestMsMax: 20 })(request(place.url));
    await expect(late).rejects.toMatchObject({ code: "unavailable" });
    const lasting = { signal: new AbortController().signal, requestMsMax: 20 };
    const lateToo = askOver(lasting)(request(place.url));
    await expect(lateToo).rejects.toMatchObject({ code: "unavailable" });
    const ending = new AbortController();
    const stopped = askOver({ signal: ending.signal })(request(place.url));
    ending.abort();
    await expect(stopped).rejects.toMatchObject({ code: "unavailable" });
  });

  test("reads no more of an answer than anybody looks at", async () => {
    const chunk = "y".repeat(10_000);
    let sent = 0;
    const body = () =>
      new ReadableStream({
        pull: (controller) => {
          sent += 1;
          controller.enqueue(new TextEncoder().encode(chunk));
        },
      });
    const place = startPlace(() => new Response(body()));

    const { text } = await askOver({ answerCharsMax: 100 })(request(place.url));

    expect(text).toBe("y".repeat(100));
    expect(sent).toBeLessThan(10_000);
  });

  test("reads how long to wait from seconds and from dates", async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    for (const [header, leastMs, mostMs] of [
      ["7", 7_000, 7_000],
      [inAMinute, 50_000, 60_000],
      ["99999999", 600_000, 600_000],
    ] as const) {
      const headers = { "retry-after": header };
      const place = startPlace(() => new Response("", { status: 429, headers }));
      const { retryAfterMs = -1 } = await askOver()(request(place.url));
      expect(retryAfterMs).toBeGreaterThanOrEqual(leastMs);
      expect(retryAfterMs).toBeLessThanOrEqual(mostMs);
    }
    const odd = startPlace(
      () => new Response("", { status: 429, headers: { "retry-after": "x" } }),
    );
    expect(await askOver()(request(odd.url))).toEqual({ status: 429, text: "" });
  });
});

describe("settings", () => {
  const stores = memoryStores(systemClock());

  test("turn on each place by its address, and nothing without one", () => {
    const names = (settings: Parameters<typeof sinksOf>[0]) =>
      sinksOf(settings, stores.log, sha256).map(({ name }) => name);
    expect(names({})).toEqual([]);
    expect(names({ NOETL_CLICKHOUSE_DATABASE: "d", NOETL_EMBEDDING_URL: "http://e" })).toEqual([]);
    const OTEL_EXPORTER_OTLP_ENDPOINT = "http://o" as const;
    expect(names({ OTEL_EXPORTER_OTLP_ENDPOINT, NOETL_TRACES: "off" })).toEqual([]);
    const all = {
      OTEL_EXPORTER_OTLP_ENDPOINT,
      NOETL_CLICKHOUSE_URL: "http://c",
      NOETL_VICTORIAMETRICS_URL: "http://v",
      NOETL_VICTORIALOGS_URL: "http://l",
      NOETL_QDRANT_URL: "http://q",
    } as const;
    expect(names(all)).toEqual([
      ...["traces", "clickhouse", "victoriametrics", "victorialogs", "search"],
    ]);
  });

  test("refuse names that would be more than a name in a statement, and headers that are none", () => {
    const database = exportSettings.NOETL_CLICKHOUSE_DATABASE.shape;
    expect(database.allows("obs_1")).toBe(true);
    for (const bad of ["a.b", "a; drop", "1a", "", "a`"]) expect(database.allows(bad)).toBe(false);
    const headers = exportSettings.OTEL_EXPORTER_OTLP_HEADERS.shape;
    expect(headers.allows("authorization=Bearer%20x,x-y=1")).toBe(true);
    for (const bad of ["x", "x y=1", "x=a\nb"]) expect(headers.allows(bad)).toBe(false);
  });
});
