// The role that tells places of the log: whatever dies, is slow, refuses or is cut off, the place
// comes to know all of it, what it is told twice is the same twice, and one bad item holds up nothing.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { clickhouse } from "#control/export/clickhouse";
import { otlpTraces } from "#control/export/otlp-traces";
import type { Ask, ExportAnswer, ExportSink } from "#control/export/sink";
import { victoriaLogs } from "#control/export/victorialogs";
import { victoriaMetrics } from "#control/export/victoriametrics";
import { wordEmbedding } from "#control/search/embedding";
import { executionIndex } from "#control/search/index-executions";
import { qdrant } from "#control/search/qdrant";
import { metrics } from "#core/adapters/metrics";
import { Fault } from "#core/model/fault";
import { encodePosition, parsePosition } from "#core/model/position";
import type { EventFeed } from "#core/ports/event-feed";
import type { Stores } from "#core/ports/stores";
import { sha256 } from "#tests/support/control";
import { settled } from "#tests/support/virtual-clock";
import { type Cut, cutOff, plainSink, taken, telling, toldStores } from "./telling.ts";

let stores: Stores;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ stores, close } = await toldStores());
});
afterAll(() => close());

async function wholeLog(): Promise<readonly string[]> {
  const { entries } = await stores.feed.after(undefined, { limit: 1_000 });
  return entries.map(({ event }) => `${event.execution_id}:${event.seq}:${event.type}`);
}

const linesOf = (bodies: readonly string[]): readonly string[] =>
  bodies.flatMap((body) => body.split("\n"));

/** A place that keeps what it says yes to. */
function place(answer: (body: string, asked: number) => ExportAnswer = () => taken) {
  const bodies: string[] = [];
  let asked = 0;
  const ask: Ask = async ({ body }) => {
    const given = answer(body, asked++);
    if (given.status === 200) bodies.push(body);
    return given;
  };
  return { ask, bodies, asked: () => asked };
}

const endpoint = "http://place";

/** Every kind of place that there is, with the text that must be among what it was sent. */
function sinks(): readonly ExportSink[] {
  const { log } = stores;
  const index = { qdrant: qdrant({ url: endpoint, collection: "c" }), embedding: wordEmbedding() };
  return [
    plainSink(),
    otlpTraces(log, { endpoint, headers: {}, serviceName: "edge", sha256 }),
    clickhouse({ url: endpoint, database: "db" }),
    victoriaMetrics(endpoint),
    victoriaLogs(endpoint),
    executionIndex(log, { ...index, sha256 }),
  ];
}

/** Tells a sink's place of all; gives the items of each request that came through. */
async function tellAll(sink: ExportSink, cuts: readonly Cut[]): Promise<readonly string[]> {
  const scene = telling(stores);
  const items: string[] = [];
  const watched: ExportSink = {
    ...sink,
    prepare: async () => {},
    request: (given) => ({ ...sink.request(given), headers: { items: JSON.stringify(given) } }),
  };
  const { ask } = place();
  const keeping: Ask = async (request) => {
    items.push(...(JSON.parse(request.headers["items"] ?? "[]") as string[]));
    return ask(request);
  };
  const pageEvents = 9;
  for (const cut of cuts) {
    const process = cutOff(cut, keeping, scene.cursors);
    scene.begin(watched, process.ask, { pageEvents, ports: { cursors: process.cursors } });
    for (let turns = 0; turns < 200 && !process.wasCut(); turns++) await scene.clock.advance(500);
    if (!process.wasCut()) return items;
  }
  const last = scene.begin(watched, keeping, { pageEvents });
  await scene.toEnd(sink);
  await Promise.all([last.stop(), scene.clock.advance(60_000)]);
  return items;
}

describe("a process that tells a place of the log", () => {
  test("tells it of every event, in the log's order", async () => {
    const scene = telling(stores);
    const { ask, bodies } = place();
    const role = scene.begin(plainSink(), ask, { pageEvents: 10 });

    await scene.toEnd(plainSink());

    expect(linesOf(bodies)).toEqual(await wholeLog());
    expect(scene.reports).toEqual([]);
    await role.stop();
  });

  for (const name of [
    "plain",
    "traces",
    "clickhouse",
    "victoriametrics",
    "victorialogs",
    "search",
  ]) {
    test(`may die at any request or note: ${name} is told of all, and twice the same`, async () => {
      const sink = sinks().find((each) => each.name === name) ?? plainSink();
      const whole = await tellAll(sink, []);
      expect(whole.length).toBeGreaterThan(3);
      for (const when of ["before", "after"] as const) {
        for (let at = 0; at < 14; at++) {
          const told = await tellAll(sink, [
            { at, when },
            { at: 1, when },
          ]);
          expect(new Set(told)).toEqual(new Set(whole));
        }
      }
    });
  }

  test("waits with the next page until the place has taken the one before", async () => {
    const scene = telling(stores);
    let pages = 0;
    const feed: EventFeed = {
      ...stores.feed,
      after: (position, query) => {
        pages += 1;
        return stores.feed.after(position, query);
      },
    };
    const held = Promise.withResolvers<ExportAnswer>();
    const role = scene.begin(plainSink(), () => held.promise, { pageEvents: 5, ports: { feed } });

    await scene.clock.advance(120_000);

    expect(pages).toBe(1);
    held.resolve(taken);
    await scene.toEnd(plainSink());
    await role.stop();
  });

  test("leaves a place alone for as long as it asks", async () => {
    const scene = telling(stores);
    const times: number[] = [];
    const { ask } = place((_body, asked) =>
      asked === 0 ? { status: 429, text: "", retryAfterMs: 7_000 } : taken,
    );
    const role = scene.begin(plainSink(), (request) => {
      times.push(scene.clock.nowMs());
      return ask(request);
    });

    await scene.toEnd(plainSink());

    const [first = 0, second = 0] = times;
    expect(second - first).toBe(7_000);
    expect(scene.reports).toEqual(["export plain: held up: status 429"]);
    await role.stop();
  });

  test("asks a place that is away less and less often, and says so once", async () => {
    const scene = telling(stores);
    const times: number[] = [];
    const role = scene.begin(plainSink(), async () => {
      times.push(scene.clock.nowMs());
      throw new Fault("unavailable", "place gave no whole answer");
    });

    await scene.clock.advance(400_000);

    const waits = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    expect(waits.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(scene.reports).toEqual(["export plain: held up: place gave no whole answer"]);
    await role.stop();
  });

  test("brings in halves what is too much at once", async () => {
    const scene = telling(stores);
    const { ask, bodies } = place((body) =>
      body.length > 200 ? { status: 413, text: "" } : taken,
    );
    const role = scene.begin(plainSink(), ask);

    await scene.toEnd(plainSink());

    expect(linesOf(bodies)).toEqual(await wholeLog());
    expect(bodies.length).toBeGreaterThan(4);
    expect(scene.reports).toEqual([]);
    await role.stop();
  });

  test("keeps bodies below their bound", async () => {
    const scene = telling(stores);
    const { ask, bodies } = place();
    const role = scene.begin(plainSink(), ask, { bodyBytesMax: 300 });

    await scene.toEnd(plainSink());

    expect(linesOf(bodies)).toEqual(await wholeLog());
    expect(Math.max(...bodies.map((body) => body.length))).toBeLessThanOrEqual(300);
    await role.stop();
  });

  test("leaves out the one item that a place won't take, counts it, and brings the rest", async () => {
    const scene = telling(stores);
    const numbers = metrics();
    const all = await wholeLog();
    const poison = all[7] ?? "";
    const { ask, bodies } = place((body) =>
      body.split("\n").includes(poison) ? { status: 400, text: poison } : taken,
    );
    const role = scene.begin(plainSink(), ask, { ports: { metrics: numbers } });

    await scene.toEnd(plainSink());

    expect(linesOf(bodies)).toEqual(all.filter((line) => line !== poison));
    expect(scene.reports).toEqual([
      "export plain: 1 of the items were refused and left out: status 400",
    ]);
    expect(numbers.text()).toContain('noetl_export_rejected_total{sink="plain"} 1\n');
    expect(numbers.text()).toContain(`noetl_export_sent_total{sink="plain"} ${all.length - 1}\n`);
    await role.stop();
  });

  test.each([401, 403, 404, 400])(
    "keeps everything from a place that answers %d to all",
    async (status) => {
      const scene = telling(stores);
      let isWell = false;
      const { ask, bodies } = place(() => (isWell ? taken : { status, text: "" }));
      // Of a single item nobody else says that it is the place, and not the item: the status does.
      const role = scene.begin(plainSink(), ask, { pageEvents: status === 400 ? 1_000 : 1 });
      await scene.clock.advance(300_000);
      expect(bodies).toEqual([]);

      isWell = true;
      await scene.toEnd(plainSink());

      expect(linesOf(bodies)).toEqual(await wholeLog());
      await role.stop();
    },
  );

  test("is one of two: the other stands by, and goes on when it stops", async () => {
    const scene = telling(stores);
    const [first, second] = [place(), place()];
    const one = scene.begin(plainSink(), first.ask, { pageEvents: 10 });
    await settled();
    const two = scene.begin(plainSink(), second.ask, { pageEvents: 10 });

    await scene.toEnd(plainSink());
    expect(linesOf(first.bodies)).toEqual(await wholeLog());
    expect(second.asked()).toBe(0);

    await one.stop();
    await scene.clock.advance(60_000);
    const held = (await scene.cursors.list()).filter((cursor) => cursor.held);
    expect(held).toHaveLength(1);
    expect(second.asked()).toBe(0);
    await two.stop();
  });

  test("starts with what comes from now on where it is told to", async () => {
    const scene = telling(stores);
    const { ask, asked } = place();
    const role = scene.begin(plainSink(), ask, { from: "now" });

    await scene.clock.advance(60_000);

    expect(asked()).toBe(0);
    await scene.toEnd(plainSink());
    await role.stop();
  });

  test("begins anew with another place of the same name, and goes on with the same one", async () => {
    const scene = telling(stores);
    const tellAgain = async (sink: ExportSink): Promise<readonly string[]> => {
      const { ask, bodies } = place();
      const role = scene.begin(sink, ask);
      await scene.clock.advance(60_000);
      await Promise.all([role.stop(), scene.clock.advance(60_000)]);
      return linesOf(bodies);
    };
    expect(await tellAgain(plainSink("plain", "here"))).toEqual(await wholeLog());
    expect(await tellAgain(plainSink("plain", "here"))).toEqual([]);
    expect(await tellAgain(plainSink("plain", "there"))).toEqual(await wholeLog());
  });

  test("begins anew over another copy of the data, and goes on over the same one", async () => {
    const scene = telling(stores);
    const first = scene.begin(plainSink(), place().ask);
    await scene.toEnd(plainSink());
    await Promise.all([first.stop(), scene.clock.advance(60_000)]);
    const over = (timeline: string): EventFeed => ({
      ...stores.feed,
      identity: async () => ({ clusterId: "c", timeline }),
      after: (position, query) => {
        if (position === undefined) return stores.feed.after(undefined, query);
        const place = parsePosition(position);
        if (place.timeline !== timeline) throw new Fault("conflict", "another timeline");
        return stores.feed.after(encodePosition({ ...place, timeline: "memory-0" }), query);
      },
    });
    const [sameCopy, otherCopy] = [place(), place()];

    const same = scene.begin(plainSink(), sameCopy.ask, { ports: { feed: over("memory-1") } });
    await scene.clock.advance(60_000);
    await same.stop();
    expect(sameCopy.asked()).toBe(0);

    const other = scene.begin(plainSink(), otherCopy.ask, { ports: { feed: over("other-0") } });
    await scene.clock.advance(60_000);
    await other.stop();
    expect(new Set(linesOf(otherCopy.bodies))).toEqual(new Set(await wholeLog()));
  });
});
