// Places that the log is told to, over real sockets: what each is sent is what it can read.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { askOver } from "#control/export/ask";
import { clickhouse } from "#control/export/clickhouse";
import { clickhouseSchema } from "#control/export/clickhouse-schema";
import { sinksOf } from "#control/export/export-roles";
import type { ExportSink } from "#control/export/sink";
import { victoriaLogs } from "#control/export/victorialogs";
import { victoriaMetrics } from "#control/export/victoriametrics";
import { metrics } from "#core/adapters/metrics";
import type { Stores } from "#core/ports/stores";
import { metricsBody } from "#core/wire/otlp";
import { repositoryRoot } from "#scripts/install";
import { observabilityPython } from "#scripts/observability-python";
import { sha256 } from "#tests/support/control";
import { type Seen, startPlace, stopPlaces } from "./place-server.ts";
import { readExposition } from "./prometheus-text.ts";
import { telling, toldStores } from "./telling.ts";

let stores: Stores;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ stores, close } = await toldStores());
});
afterAll(() => close());
afterEach(stopPlaces);

/** Tells the place of the whole log, over the network. */
async function tell(sink: ExportSink): Promise<readonly string[]> {
  const scene = telling(stores);
  const ask = askOver();
  const role = scene.begin(sink, ask);
  await scene.toEnd(sink);
  await Promise.all([role.stop(), scene.clock.advance(60_000)]);
  return scene.reports;
}

const events = async () => (await stores.feed.after(undefined, { limit: 1_000 })).entries;
const lines = (seen: readonly Seen[]) =>
  seen.flatMap(({ body }) => body.split("\n").filter((line) => line !== ""));

const columns = (statement: string): ReadonlyMap<string, string> =>
  new Map(
    [...statement.matchAll(/^ {2}(\w+) (.+?),?$/gm)].map(([, name = "", kind = ""]) => [
      name,
      kind,
    ]),
  );

describe("ClickHouse", () => {
  test("is sent its tables first, then a row for each event with just their columns", async () => {
    const place = startPlace();

    await tell(clickhouse({ url: `http://user:p%40ss@${place.host}`, database: "observability" }));

    const [table = "", ...rest] = clickhouseSchema("observability").slice(1);
    const queries = place.seen.map(({ url }) => url.searchParams.get("query"));
    expect(queries.slice(0, 2 + rest.length)).toEqual([...clickhouseSchema("observability")]);
    expect(new Set(queries.slice(2 + rest.length))).toEqual(
      new Set(["insert into observability.noetl_events format JSONEachRow"]),
    );
    const rows = lines(place.seen).map((line) => JSON.parse(line));
    const entries = await events();
    expect(rows.map(({ EventId }) => EventId)).toEqual(entries.map(({ event }) => event.event_id));
    for (const row of rows) {
      expect(Object.keys(row).sort()).toEqual([...columns(table).keys()].sort());
      for (const [name, kind] of columns(table)) {
        const isNumber = /^(UInt32|Float64)/.test(kind);
        expect(typeof row[name]).toBe(isNumber ? "number" : "string");
      }
      expect(row.Timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    }
    const failed = rows.filter(({ EventType }) => EventType === "call.error");
    expect(failed).toHaveLength(2);
    expect(failed[0]).toMatchObject({ StepName: "charge", ErrorKind: "python", Path: "told/bad" });
    expect(failed[0].ErrorMessage).toContain("card declined");
    const [{ headers, url } = { headers: new Headers(), url: new URL("http://x") }] = place.seen;
    expect(headers.get("authorization")).toBe(`Basic ${btoa("user:p@ss")}`);
    expect(url.username).toBe("");
  });

  test("that lets nobody make tables is content with those that are there", async () => {
    const place = startPlace(({ url }) =>
      url.searchParams.get("query")?.startsWith("create")
        ? new Response("no", { status: 497 })
        : new Response(""),
    );

    expect(await tell(clickhouse({ url: place.url, database: "d" }))).toEqual([]);

    expect(lines(place.seen)).toHaveLength((await events()).length);
  });

  test("has its schema in a file for those who make tables by hand", async () => {
    const file = join(repositoryRoot, "deploy/observability/clickhouse.sql");
    const text = await Bun.file(file).text();
    for (const statement of clickhouseSchema("observability")) expect(text).toContain(statement);
  });

  const found = observabilityPython();
  const missing = "missing" in found ? found.missing : undefined;
  // Its engine is large: where it isn't, the shape alone is checked, above.
  test.skipIf(missing !== undefined)(
    `reads the rows, once where they came twice${missing === undefined ? "" : `: ${missing}`}`,
    async () => {
      const server = await startClickhouse("missing" in found ? "" : found.program);
      try {
        const sink = clickhouse({ url: server.url, database: "observability" });
        expect(await tell(sink)).toEqual([]);
        expect(await tell(sink)).toEqual([]);
        const query = (text: string) => server.query(text);
        const entries = await events();

        const [count] = await query("select count() as n from observability.noetl_events final");
        expect(Number(count?.["n"])).toBe(entries.length);
        const stats = await query(
          "select * from observability.noetl_execution_stats order by StartedAt",
        );
        const [good, bad] = ["playbook.completed", "playbook.failed"];
        expect(stats.map(({ Ended }) => Ended)).toEqual([good, bad, good, bad]);
        const [rate] = await query(
          "select * from observability.error_rate_by_service where Path = 'told/bad'",
        );
        expect(rate).toMatchObject({ ErrorRate: 1 });
        const spans = await query("select StepName from observability.avg_duration_by_span");
        expect(new Set(spans.map(({ StepName }) => StepName))).toEqual(
          new Set(["first", "each", "charge"]),
        );
      } finally {
        await server.stop();
      }
    },
    30_000,
  );
});

async function startClickhouse(program: string) {
  const script = join(import.meta.dir, "clickhouse-server.py");
  const child = Bun.spawn([program, script], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
  return {
    url,
    query: async (text: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
      const response = await fetch(`${url}/?query=${encodeURIComponent(text)}`, { method: "POST" });
      const body = await response.text();
      if (response.status !== 200) throw new Error(body);
      return body
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    },
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

describe("VictoriaMetrics", () => {
  test("is sent counts that only grow, at times that never go back", async () => {
    const place = startPlace(() => new Response(null, { status: 204 }));

    await tell(victoriaMetrics(`${place.url}/`));

    expect(new Set(place.seen.map(({ url }) => url.pathname))).toEqual(
      new Set(["/api/v1/import/prometheus"]),
    );
    const last = new Map<string, { readonly value: number; readonly timeMs: number }>();
    for (const line of lines(place.seen)) {
      const [, name = "", value = "", time = ""] = /^(\w+\{.*\}) (\S+) (\d{13})$/.exec(line) ?? [];
      const before = last.get(name);
      expect(Number(value)).toBeGreaterThanOrEqual(before?.value ?? 0);
      expect(Number(time)).toBeGreaterThanOrEqual(before?.timeMs ?? 0);
      last.set(name, { value: Number(value), timeMs: Number(time) });
      const labelled = `# TYPE ${name.replace(/\{.*/, "")} counter\n${name} ${value}\n`;
      expect(readExposition(labelled).problems).toEqual([]);
    }
    const total = [...last]
      .filter(([name]) => name.startsWith("noetl_log_events_total"))
      .reduce((sum, [, { value }]) => sum + value, 0);
    expect(total).toBe((await events()).length);
    const ended = 'noetl_log_executions_total{tenant="default",path="told/bad",status="failed"}';
    expect(last.get(ended)?.value).toBe(2);
  });

  test("is sent no time before the last one, where the log's order is not that of time", async () => {
    const conversion = victoriaMetrics("http://v").begin(undefined, new AbortController().signal);
    const about = { tenant: "t", path: "p", version: 1 };
    const times: number[] = [];
    for (const [at, { event, position }] of (await events()).entries()) {
      const earlier = { ...event, time: event.time - at * 60_000 };
      const items = await conversion.items([{ position, event: earlier, ...about }]);
      times.push(...items.map((line) => Number(line.split(" ").at(-1))));
    }
    expect(times.length).toBeGreaterThan(10);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("is sent a bounded number of series, and the whole sum all the same", async () => {
    const conversion = victoriaMetrics("http://v").begin(undefined, new AbortController().signal);
    const [first] = await events();
    if (first === undefined) throw new Error("expected an event");
    const told = Array.from({ length: 3_000 }, (_, at) => ({
      ...{ ...first, tenant: `tenant ${at}`, path: 'a"b\\c', version: 1 },
    }));
    const items = await conversion.items(told);

    const names = new Map(items.map((line) => [line.replace(/ \S+ \S+$/, ""), line]));
    expect(names.size).toBe(1_001);
    const total = [...names.values()].reduce(
      (sum, line) => sum + Number(line.split(" ").at(-2)),
      0,
    );
    expect(total).toBe(3_000);
    expect(JSON.stringify(conversion.state?.()).length).toBeLessThan(200_000);
  });
});

describe("VictoriaLogs", () => {
  test("is sent a line for each event, with its time and its streams, without its data", async () => {
    const place = startPlace();

    await tell(victoriaLogs(place.url));

    const [{ url } = { url: new URL("http://x") }] = place.seen;
    expect(url.pathname).toBe("/insert/jsonline");
    const [time = "", message = ""] = ["_time_field", "_msg_field"].map(
      (name) => url.searchParams.get(name) ?? "",
    );
    const streams = (url.searchParams.get("_stream_fields") ?? "").split(",");
    const rows = lines(place.seen).map((line) => JSON.parse(line));
    expect(rows).toHaveLength((await events()).length);
    for (const row of rows) {
      expect(Date.parse(row[time])).toBeGreaterThan(0);
      expect(row[message]).toStartWith(row.event_type);
      for (const name of streams) expect(row[name]).toBeString();
      for (const value of Object.values(row)) expect(value).toBeString();
    }
    expect(lines(place.seen).join("\n")).not.toContain("secret-note");
  });
});

describe("OpenTelemetry's own definitions", () => {
  const found = observabilityPython();
  const missing = "missing" in found ? found.missing : undefined;
  // The checker of the other tests knows the names of fields alone.
  test.skipIf(missing !== undefined)(
    `read what is sent${missing === undefined ? "" : `: ${missing}`}`,
    async () => {
      const place = startPlace(() => Response.json({}));
      const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: place.url };
      const [traces] = sinksOf(settings, stores.log, sha256);
      if (traces === undefined) throw new Error("expected a sink");
      await tell(traces);
      const numbers = metrics();
      numbers.counter("a_total", "A.", ["b"]).add(1, { b: "c" });
      numbers.gauge("g", "G.").set(0.5);
      numbers.histogram("h", "H.").observe(3);
      const moment = { startMs: 1_750_000_000_000, nowMs: 1_750_000_001_000, resource: {} };
      const bodies = [
        ...place.seen.map(({ url, body }) => [url.pathname, body]),
        ["/v1/metrics", metricsBody(numbers.snapshot(), moment)],
      ];
      const child = Bun.spawn(
        ["missing" in found ? "" : found.program, join(import.meta.dir, "otlp-check.py")],
        {
          stdin: new Blob([bodies.map((each) => JSON.stringify(each)).join("\n")]),
          stderr: "pipe",
        },
      );
      const [out, errors] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      expect(errors).toBe("");
      const counts = JSON.parse(out) as readonly number[];
      expect(counts.at(-1)).toBe(3);
      expect(counts[0]).toBeGreaterThan(10);
    },
    30_000,
  );
});
