// The numbers of processes: Prometheus can read them, they are what was done, a token is needed for
// them, and a collector is sent the same.

import { describe, expect, test } from "bun:test";
import { type Access, openAccess } from "#control/access/admission";
import { startControl } from "#control/control";
import { countedLog } from "#control/export/control-metrics";
import { metricsPush } from "#control/export/export-roles";
import { apiClient } from "#core/adapters/api-client";
import { httpControl } from "#core/adapters/http-control";
import { memoryBus } from "#core/adapters/memory-bus";
import { memoryStores } from "#core/adapters/memory-stores";
import { metrics } from "#core/adapters/metrics";
import { snowflakeMint, systemClock } from "#core/adapters/system-clock";
import type { Principal } from "#core/model/access";
import { machinePrincipal } from "#core/model/access";
import { metricsPushMs } from "#core/model/export-limits";
import { chain } from "#tests/control/playbooks";
import { sha256 } from "#tests/support/control";
import { handWorker } from "#tests/support/hand-worker";
import { virtualClock } from "#tests/support/virtual-clock";
import { serveHealth } from "#worker/health";
import { workerNumbers } from "#worker/worker-metrics";
import { attributesIn, startCollector } from "./collector.ts";
import { readExposition, type Sample } from "./prometheus-text.ts";

function scene(access: Access = openAccess()) {
  const clock = systemClock();
  const stores = memoryStores(clock);
  const numbers = metrics();
  const bus = memoryBus();
  const control = startControl(
    {
      ...stores,
      ...{ log: countedLog(stores.log, numbers, clock), metrics: numbers, bus, clock, sha256 },
      ids: snowflakeMint(clock, 1),
      credentials: async () => undefined,
      engineVersion: "1.2.3",
    },
    { access, report: () => {} },
  );
  const client = apiClient({ fetch: control.fetch, baseUrl: "http://control" });
  const close = async (): Promise<void> => {
    await control.stop();
    await bus.close();
    await stores.close();
  };
  return { control, client, stores, numbers, clock, close };
}

async function scraped(fetch: (request: Request) => Promise<Response>): Promise<readonly Sample[]> {
  const response = await fetch(new Request("http://control/metrics"));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const { samples, problems } = readExposition(await response.text());
  expect(problems).toEqual([]);
  return samples;
}

const numberIn = (
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number =>
  samples
    .filter((sample) => sample.name === name)
    .filter((sample) =>
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);

describe("the numbers of a control plane", () => {
  test("are what was asked and what went into the log", async () => {
    const { control, client, stores, close } = scene();
    await client.registerCatalog({ body: { content: chain("t/count", 2) } });
    for (let count = 0; count < 3; count++) await client.execute({ body: { path: "t/count" } });
    await handWorker(client).drain();
    await client.execute({ body: { path: "nowhere" } }).catch(() => {});

    const samples = await scraped(control.fetch);

    const { entries } = await stores.feed.after(undefined, { limit: 1_000 });
    expect(numberIn(samples, "noetl_events_ingested_total")).toBe(entries.length);
    for (const type of ["playbook.started", "step.exit", "call.done", "playbook.completed"]) {
      const count = entries.filter(({ event }) => event.type === type).length;
      expect(numberIn(samples, "noetl_events_ingested_total", { event_type: type })).toBe(count);
      expect(count).toBeGreaterThan(2);
    }
    const executes = { route: "/api/execute", method: "POST" };
    expect(numberIn(samples, "noetl_request_total", { ...executes, status: "200" })).toBe(3);
    expect(numberIn(samples, "noetl_request_total", { ...executes, status: "404" })).toBe(1);
    expect(numberIn(samples, "noetl_request_duration_seconds_count", executes)).toBe(4);
    const outcome = "noetl_execute_outcomes_total";
    expect(numberIn(samples, outcome, { outcome: "started" })).toBe(3);
    expect(numberIn(samples, outcome, { outcome: "completed" })).toBe(3);
    expect(numberIn(samples, "noetl_command_publish_total", { pool: "default" })).toBe(6);
    expect(numberIn(samples, "noetl_up")).toBe(1);
    expect(numberIn(samples, "noetl_info", { version: "1.2.3" })).toBe(1);
    await close();
  });

  test("name routes by their pattern, so that no id is ever a label", async () => {
    const { control, client, close } = scene();
    await client.registerCatalog({ body: { content: chain("t/ids", 1) } });
    const { execution_id: id } = await client.execute({ body: { path: "t/ids" } });
    await client.executionStatus({ params: { id } });

    const text = await (await control.fetch(new Request("http://control/metrics"))).text();

    const labels = 'method="GET",route="/api/executions/:id/status"';
    expect(text).toContain(`noetl_request_total{${labels},status="200"} 1\n`);
    expect(text).toContain(`noetl_request_duration_seconds_count{${labels}} 1\n`);
    expect(text).not.toContain(id);
    await close();
  });

  test("say that the store doesn't answer instead of not answering", async () => {
    const { control, stores, close } = scene();
    const { feed } = stores;
    Object.assign(feed, { lag: async () => Promise.reject(new Error("away")) });

    const samples = await scraped(control.fetch);

    expect(numberIn(samples, "noetl_up")).toBe(0);
    await close();
  });

  test("are for machines and for people of a tenant, and for nobody else", async () => {
    const { control, close } = scene();
    const person: Principal = { kind: "person", subject: "p", tenant: "default", role: "viewer" };
    const asked = (fetch: typeof control.fetch) => fetch(new Request("http://control/metrics"));
    expect((await asked(control.fetchAs(machinePrincipal("prometheus")))).status).toBe(200);
    expect((await asked(control.fetchAs(person))).status).toBe(200);
    await close();
    const strict = scene({ authenticate: async () => ({}) });
    expect((await asked(strict.control.fetch)).status).toBe(401);
    await strict.close();
  });
});

describe("the numbers of a worker", () => {
  test("are what it was given and what came of it, at the port of its health", async () => {
    const { client, clock, close } = scene();
    await client.registerCatalog({ body: { content: chain("t/worker", 2) } });
    await client.execute({ body: { path: "t/worker" } });
    const load = () => ({ running: 2, free: 3, waiting: 1 });
    const numbers = workerNumbers({ metrics: metrics(), clock, version: "1.2.3", load });
    const control = numbers.counted(httpControl(client));
    const self = { worker: "w", pools: ["default"], want: 1 };
    const [first] = await control.claim(self);
    const failed = { kind: "http", message: "no", retryable: false };
    const settled = { command_id: first?.command_id ?? "", attempt: 1, duration_ms: 20 };
    await control.settle({
      ...self,
      outcomes: [{ ...settled, output: { status: "error", error: failed } }],
    });
    await control.claim(self);
    const server = serveHealth(0, () => ({ status: "ok" }), numbers.text);

    const text = await (await fetch(server.url.replace("/healthz", "/metrics"))).text();
    const { samples, problems } = readExposition(text);

    expect(problems).toEqual([]);
    expect(numberIn(samples, "noetl_worker_pulls_total", { outcome: "given" })).toBe(1);
    expect(numberIn(samples, "noetl_worker_pulls_total", { outcome: "empty" })).toBe(1);
    expect(numberIn(samples, "noetl_worker_claim_succeeded_total")).toBe(1);
    expect(numberIn(samples, "noetl_worker_dispatch_errors_total", { kind: "http" })).toBe(1);
    expect(numberIn(samples, "noetl_worker_dispatch_duration_seconds_sum")).toBe(0.02);
    expect(numberIn(samples, "noetl_worker_concurrent_dispatches")).toBe(2);
    await server.stop();
    await close();
  });
});

describe("a collector", () => {
  test("is sent the same numbers every few seconds, a missed time not made up for", async () => {
    const collector = startCollector();
    const clock = virtualClock();
    const numbers = metrics();
    const reports: string[] = [];
    const count = numbers.counter("things_total", "Things.", ["kind"]);
    numbers.histogram("seconds", "Time.").observe(0.3);
    count.add(2, { kind: 'a "b"' });
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` } as const;
    const push = metricsPush(settings, {
      ...{ metrics: numbers, clock, owner: "me", report: (message) => void reports.push(message) },
    });
    collector.answer = () => new Response("", { status: 503 });
    const pushed = async (requests: number): Promise<void> => {
      await clock.advance(metricsPushMs);
      while (collector.requests.length < requests) await new Promise((turn) => setImmediate(turn));
      while (clock.sleeping() === 0) await new Promise((turn) => setImmediate(turn));
    };
    await pushed(1);
    collector.answer = () => Response.json({});
    count.add(1, { kind: 'a "b"' });
    await pushed(2);

    expect(reports).toEqual(["metrics push: the collector answered with status 503"]);
    const [, second] = collector.requests;
    expect(second?.path).toBe("/v1/metrics");
    const [resource] = JSON.parse(second?.body ?? "").resourceMetrics;
    expect(attributesIn(resource.resource.attributes, collector.problems)).toEqual({
      ...{ "service.name": "noetl", "service.instance.id": "me" },
    });
    const [things, seconds] = resource.scopeMetrics[0].metrics;
    expect(things).toMatchObject({
      name: "things_total",
      sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ asDouble: 3 }] },
    });
    const [point] = seconds.histogram.dataPoints;
    expect(point).toMatchObject({ count: "1", sum: 0.3 });
    expect(point.bucketCounts).toHaveLength(point.explicitBounds.length + 1);
    expect(point.bucketCounts.map(Number).reduce((a: number, b: number) => a + b)).toBe(1);
    expect(collector.problems).toEqual([]);
    await push?.stop();
    await collector.stop();
  });
});
