// The search: ended executions are found by what a question says of them, within one tenant, by
// words or by an endpoint that may lie, and nothing of what they worked on is kept.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { openAccess } from "#control/access/admission";
import { type Control, startControl } from "#control/control";
import { askOver } from "#control/export/ask";
import { searchOf, sinksOf } from "#control/export/export-roles";
import type { ExportSettings } from "#control/export/settings";
import { memoryBus } from "#core/adapters/memory-bus";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Principal } from "#core/model/access";
import type { Stores } from "#core/ports/stores";
import { sha256 } from "#tests/support/control";
import { type QdrantStandIn, startQdrant } from "./qdrant-stand-in.ts";
import { telling, toldStores } from "./telling.ts";

let stores: Stores;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ stores, close } = await toldStores());
});
afterAll(() => close());

let qdrant: QdrantStandIn;
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  qdrant = startQdrant();
  stops.push(qdrant.stop);
});
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

type Given = Partial<ExportSettings>;
const settings = (more: Given = {}): Given => ({
  NOETL_QDRANT_URL: qdrant.url,
  NOETL_QDRANT_COLLECTION: "c",
  NOETL_QDRANT_KEY: "k",
  ...more,
});

/** Tells Qdrant of the log; gives what was reported. */
async function index(given: Given): Promise<readonly string[]> {
  const [sink] = sinksOf(given, stores.log, sha256);
  if (sink === undefined) throw new Error("expected the search to be on");
  const scene = telling(stores);
  const role = scene.begin(sink, askOver());
  await scene.toEnd(sink);
  await Promise.all([role.stop(), scene.clock.advance(60_000)]);
  return scene.reports;
}

function controlOver(given: Given): Control {
  const clock = systemClock();
  const search = searchOf(given);
  const control = startControl(
    {
      ...{ ...stores, bus: memoryBus(), clock, ids: snowflakeMint(clock, 2), sha256 },
      ...(search === undefined ? {} : { search }),
      credentials: async () => undefined,
      engineVersion: "1",
    },
    { access: openAccess(), report: () => {} },
  );
  stops.push(() => control.stop());
  return control;
}

interface Found {
  readonly items: readonly {
    readonly execution_id: string;
    readonly status: string;
    readonly path: string;
    readonly error: string | null;
    readonly failed_steps: readonly string[];
    readonly score: number;
  }[];
}

async function asked(fetch: Control["fetch"], query: Readonly<Record<string, string>>) {
  const text = new URLSearchParams(query).toString();
  return fetch(new Request(`http://control/api/search/executions?${text}`));
}

async function found(control: Control, query: Readonly<Record<string, string>>): Promise<Found> {
  const response = await asked(control.fetch, query);
  expect(response.status).toBe(200);
  return (await response.json()) as Found;
}

describe("the search by words", () => {
  test("finds what failed by its error, and what went well by its path", async () => {
    expect(await index(settings())).toEqual([]);
    const control = controlOver(settings());

    const bad = await found(control, { q: "which card was declined", limit: "2" });
    expect(bad.items.map(({ path, status }) => ({ path, status }))).toEqual([
      { path: "told/bad", status: "failed" },
      { path: "told/bad", status: "failed" },
    ]);
    expect(bad.items[0]).toMatchObject({ failed_steps: ["charge"] });
    expect(bad.items[0]?.error).toContain("card declined");
    const good = await found(control, { q: "charge", status: "completed" });
    expect(good.items.map(({ path }) => path)).toEqual(["told/good", "told/good"]);
    const byPath = await found(control, { q: "x", path: "told/bad" });
    expect(byPath.items).toHaveLength(2);
    expect(qdrant.refused).toEqual([]);
    expect(qdrant.key).toBe("k");
  });

  test("keeps one point for each execution, however often it is told, and nothing worked on", async () => {
    await index(settings());
    await index(settings());

    expect(qdrant.points.size).toBe(4);
    expect(JSON.stringify([...qdrant.points])).not.toContain("secret-note");
  });

  test("gives nobody what another tenant has, whatever Qdrant answers", async () => {
    await index(settings());
    const control = controlOver(settings());
    const stranger: Principal = { kind: "person", subject: "s", tenant: "other", role: "admin" };

    const answer = await asked(control.fetchAs(stranger), { q: "card declined" });

    expect((await answer.json()) as Found).toEqual({ items: [] });
    const lying = Bun.serve({
      port: 0,
      fetch: () => {
        const [[, first] = []] = [...qdrant.points];
        return Response.json({ result: [{ score: 1, payload: first?.payload }] });
      },
    });
    stops.push(() => lying.stop(true));
    const lied = controlOver(settings({ NOETL_QDRANT_URL: `http://127.0.0.1:${lying.port}` }));
    expect(await found(lied, { q: "x" })).toMatchObject({ items: [{ path: expect.any(String) }] });
    const second = await asked(lied.fetchAs(stranger), { q: "x" });
    expect((await second.json()) as Found).toEqual({ items: [] });
  });

  test("takes questions of any length and any characters", async () => {
    await index(settings());
    const control = controlOver(settings());
    for (const q of ["declined ".repeat(1_200), `"'}]{ \\ \u{1f600} %00`, "…", "\ud800x"]) {
      expect((await found(control, { q })).items).toHaveLength(4);
    }
    expect(qdrant.refused).toEqual([]);
  });

  test("says that what it asks can't be asked", async () => {
    const control = controlOver(settings());
    const none = await asked(control.fetch, { q: "x" });
    expect(none.status).toBe(503);
    const away = controlOver(settings({ NOETL_QDRANT_URL: "http://127.0.0.1:1" }));
    const answer = await asked(away.fetch, { q: "x" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });
});

/** An endpoint with vectors of three numbers: how often a text says `declined`, how long it is. */
function startEndpoint(change: (vector: number[], at: number) => unknown = (vector) => vector) {
  const bodies: { readonly input: readonly string[]; readonly model?: string }[] = [];
  const keys: (string | null)[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const body = (await request.json()) as { input: string[] };
      bodies.push(body);
      keys.push(request.headers.get("authorization"));
      const data = body.input.map((text, index) => {
        const vector = [text.split("declined").length - 1, 0.5, text.length / 10_000];
        return { index, embedding: change(vector, index) };
      });
      return Response.json({ data: data.reverse() });
    },
  });
  stops.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}/v1/embeddings` as const, bodies, keys };
}

describe("the search by an endpoint", () => {
  const by = (url: `http://${string}`): Given =>
    settings({ NOETL_EMBEDDING_URL: url, NOETL_EMBEDDING_KEY: "e", NOETL_EMBEDDING_MODEL: "m" });

  test("uses its vectors, in the order of the texts, whatever the order of the answer", async () => {
    const endpoint = startEndpoint();
    expect(await index(by(endpoint.url))).toEqual([]);

    const { items } = await found(controlOver(by(endpoint.url)), { q: "declined", limit: "2" });

    expect(items.map(({ path }) => path)).toEqual(["told/bad", "told/bad"]);
    expect(endpoint.bodies[0]).toMatchObject({ model: "m" });
    const texts = endpoint.bodies.flatMap(({ input }) => input);
    expect(texts.join("\n")).toContain("failed steps charge");
    expect(texts.join("\n")).not.toContain("secret-note");
    expect(new Set(endpoint.keys)).toEqual(new Set(["Bearer e"]));
  });

  test.each([
    ["numbers that are none", (vector: number[]) => vector.map(String)],
    ["nothing", () => undefined],
    ["vectors of different lengths", (vector: number[], at: number) => vector.slice(at % 2)],
  ] as const)("is held up by %s, and keeps nothing of them", async (_what, change) => {
    let isWell = true;
    const endpoint = startEndpoint((vector, at) => (isWell ? vector : change(vector, at)));
    const [sink] = sinksOf(by(endpoint.url), stores.log, sha256);
    if (sink === undefined) throw new Error("expected the search to be on");
    await sink.prepare?.(askOver());
    isWell = false;
    const scene = telling(stores);
    const role = scene.begin({ ...sink, prepare: async () => {} }, askOver());
    const asked = endpoint.bodies.length;
    while (endpoint.bodies.length < asked + 2) await scene.clock.advance(500);
    expect(qdrant.points.size).toBe(0);
    expect(scene.reports).toHaveLength(1);

    isWell = true;
    await scene.toEnd(sink);

    expect(qdrant.points.size).toBe(4);
    await Promise.all([role.stop(), scene.clock.advance(60_000)]);
  });

  test("says so where the collection holds vectors of another length", async () => {
    await index(settings());
    const endpoint = startEndpoint();
    const [sink] = sinksOf(by(endpoint.url), stores.log, sha256);

    await expect(sink?.prepare?.(askOver())).rejects.toMatchObject({
      code: "unavailable",
      message: "the collection c of the search: expected vectors of 3 numbers, found 384",
    });
  });
});
