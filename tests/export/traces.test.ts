// Executions as traces: what a collector is sent is a whole tree for each, it is the same whenever
// it is sent, the services that steps call are told where they are in it, and it holds no data.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startEmbedded } from "#cli/embedded";
import { exportRole } from "#control/export/exporter";
import { otlpTraces } from "#control/export/otlp-traces";
import { memoryCursors } from "#core/adapters/memory-cursors";
import { memoryStores } from "#core/adapters/memory-stores";
import { systemClock } from "#core/adapters/system-clock";
import { givenPlace } from "#core/engine/trace";
import { machinePrincipal } from "#core/model/access";
import { eventually, sha256 } from "#tests/support/control";
import { type House, startHouse } from "#tests/support/embedded";
import { type Collector, type SeenSpan, startCollector } from "./collector.ts";

const clock = systemClock();
const canary = "canary-7f3a9d";

const head = (name: string): string =>
  `apiVersion: noetl.io/v2\nkind: Playbook\nmetadata: {name: ${name}, path: traces/${name}}\n`;

const playbooks = [
  `${head("child")}workload: {n: 1, api: ""}
workflow:
  - step: ask
    tool: {kind: http, url: "{{ workload.api }}/child"}
`,
  `${head("all")}workload: {api: "", secret: ""}
workflow:
  - step: start
    tool: {kind: http, method: POST, url: "{{ workload.api }}/once", json: {secret: "{{ workload.secret }}"}}
    next: {arcs: [{step: each}]}
  - step: each
    loop: {in: [1, 2, 3], iterator: n, spec: {mode: parallel, max_in_flight: 2}}
    tool: {kind: noop, result: "{{ workload.secret }} {{ n }}"}
    next: {arcs: [{step: below}]}
  - step: below
    tool: {kind: playbook, path: traces/child, return_result: true, input: {api: "{{ workload.api }}"}}
    next: {arcs: [{step: rest}]}
  - step: rest
    tool: {kind: wait, for: timer, seconds: 0.05}
    next: {arcs: [{step: again}]}
  - step: again
    tool:
      kind: http
      url: "{{ workload.api }}/twice"
      spec: {policy: {rules: [{when: "{{ output.status == 'error' }}", then: {do: retry, attempts: 3, delay: 0.01}}]}}
    next: {arcs: [{step: broken}]}
  - step: broken
    tool: {kind: python, code: "raise ValueError('${canary} in a message')"}
`,
];

/** What steps call: fails the first time under `/twice`, and keeps the headers. */
function startService() {
  const seen: { readonly path: string; readonly traceparent: string | null }[] = [];
  let fails = 1;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname: path } = new URL(request.url);
      seen.push({ path, traceparent: request.headers.get("traceparent") });
      if (path === "/twice" && fails-- > 0) return new Response("busy", { status: 503 });
      return Response.json({ [canary]: canary });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, seen, stop: () => server.stop(true) };
}

let house: House;
let service: ReturnType<typeof startService>;
let collector: Collector;

beforeAll(async () => {
  house = await startHouse({ playbooks });
});
afterAll(() => house.close());
beforeEach(() => {
  service = startService();
  collector = startCollector();
});
afterEach(() => Promise.all([service.stop(), collector.stop()]));

/** Sends the whole log, from its beginning, to the collector. */
async function sendAll(pageEvents: number): Promise<readonly SeenSpan[]> {
  const { log, feed } = house.stores;
  const cursors = memoryCursors(clock);
  const sink = otlpTraces(log, {
    ...{ endpoint: collector.url, headers: { "x-key": "k" }, serviceName: "edge", sha256 },
  });
  const role = exportRole({ log, feed, cursors, clock }, sink, {
    ...{ owner: "t", report: () => {}, from: "begin", pageEvents },
  });
  const before = collector.spans().length;
  const end = await feed.end();
  await eventually(async () => {
    const [cursor] = await cursors.list();
    return cursor?.position?.includes(end) === true ? true : undefined;
  });
  await role.stop();
  return collector.spans().slice(before);
}

const byId = (spans: readonly SeenSpan[]) => new Map(spans.map((span) => [span.spanId, span]));

const ofExecution = (spans: readonly SeenSpan[], id: string): readonly SeenSpan[] =>
  spans.filter(({ attributes }) => attributes["noetl.execution_id"] === id);

describe("a process that stays", () => {
  test("sends what runs in it to its collector, and counts it", async () => {
    const stores = memoryStores(clock);
    const embedded = startEmbedded({
      stores,
      credentials: async () => undefined,
      policy: { shell: false, fileRoots: [] },
      ...{ slots: 2, report: () => {}, duties: [] },
      settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: "edge" },
    });
    const { client } = embedded;
    await client.registerCatalog({ body: { content: playbooks[0] ?? "" } });
    await client.execute({ body: { path: "traces/child", payload: { api: service.url } } });

    const spans = await eventually(async () => {
      const seen = collector.spans();
      return seen.length >= 3 ? seen : undefined;
    });

    expect(spans.map(({ name }) => name).sort()).toEqual(["ask", "http ask", "traces/child"]);
    const numbers = await eventually(async () => {
      const asked = new Request("http://control/metrics");
      const text = await (await embedded.fetchAs(machinePrincipal("p"))(asked)).text();
      return text.includes('noetl_export_sent_total{sink="traces"} 3\n') ? text : undefined;
    });
    expect(numbers).toContain('noetl_execute_outcomes_total{entry="end",outcome="completed"} 1\n');
    expect(numbers).toContain('noetl_role_lag_seconds{role="projector"} 0\n');
    await embedded.stop(0);
  });
});

describe("the trace of an execution", () => {
  test("is one tree over loops, retries, waits and children, and its calls are told of it", async () => {
    const run = await house.run("traces/all", { api: service.url, secret: canary });
    expect(run.status).toBe("failed");

    const spans = await sendAll(1_000);

    expect(collector.problems).toEqual([]);
    const [root] = ofExecution(spans, run.executionId).filter(
      ({ name, parentSpanId }) => name === "traces/all" && parentSpanId === undefined,
    );
    const tree = spans.filter(({ traceId }) => traceId === root?.traceId);
    expect(new Set(tree.map(({ spanId }) => spanId)).size).toBe(tree.length);
    const known = byId(tree);
    for (const span of tree) {
      expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
      if (span === root) continue;
      const parent = known.get(span.parentSpanId ?? "");
      expect({ of: span.name, parent: parent?.name }).toEqual({
        of: span.name,
        parent: expect.any(String),
      });
      expect(span.startMs).toBeGreaterThanOrEqual(parent?.startMs ?? 0);
      expect(span.endMs).toBeLessThanOrEqual(parent?.endMs ?? 0);
    }
    const steps = tree.filter(({ attributes }) => attributes["noetl.visit"] !== undefined);
    expect(steps.map(({ name }) => name).sort()).toEqual(
      ["again", "ask", "below", "broken", "each", "rest", "start"].sort(),
    );
    const inLoop = tree.filter(({ attributes }) => attributes["noetl.iteration"] !== undefined);
    expect(inLoop.map(({ attributes }) => attributes["noetl.iteration"]).sort()).toEqual([
      "0",
      "1",
      "2",
    ]);
    expect(root).toMatchObject({ status: 2, attributes: { "noetl.status": "failed" } });

    expect(service.seen.map(({ path }) => path)).toEqual(["/once", "/child", "/twice", "/twice"]);
    for (const { path, traceparent } of service.seen) {
      const place = givenPlace({ traceparent: traceparent ?? "" });
      expect(place?.traceId).toBe(root?.traceId ?? "");
      const caller = known.get(place?.spanId ?? "");
      const step = { "/once": "start", "/child": "ask" }[path] ?? "again";
      expect(caller).toMatchObject({ name: `http ${step}`, attributes: { "noetl.kind": "http" } });
    }
  });

  test("is the same byte for byte, however often and in whatever pages it is sent", async () => {
    await house.run("traces/all", { api: service.url, secret: canary });

    const first = await sendAll(1_000);
    const second = await sendAll(7);

    expect(first.length).toBeGreaterThan(10);
    expect(second.map(({ text }) => text).sort()).toEqual(first.map(({ text }) => text).sort());
  });

  test("holds nothing of workload, results and messages", async () => {
    await house.run("traces/all", { api: service.url, secret: canary });

    await sendAll(1_000);

    const sent = collector.requests.map(({ body }) => body).join("\n");
    expect(sent).toContain("traces/all");
    expect(sent).not.toContain(canary);
    expect(collector.requests[0]?.headers.get("x-key")).toBe("k");
  });

  test("goes on where the one who started it said", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { execution_id: id } = await house.client.execute({
      body: { path: "traces/child", payload: { api: service.url }, trace: { traceparent } },
    });
    await house.ended(id as never);

    const spans = ofExecution(await sendAll(1_000), id);

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(
      new Set(["0af7651916cd43dd8448eb211c80319c"]),
    );
    const [root] = spans.filter(({ name }) => name === "traces/child");
    expect(root?.parentSpanId).toBe("b7ad6b7169203331");
    expect(service.seen[0]?.traceparent).toStartWith("00-0af7651916cd43dd8448eb211c80319c-");
  });

  test("leaves the header to a playbook that sets it", async () => {
    const traceparent = "00-11111111111111111111111111111111-2222222222222222-00";
    await house.register(`${head("own")}workload: {api: ""}
workflow:
  - step: start
    tool: {kind: http, url: "{{ workload.api }}/own", headers: {Traceparent: "${traceparent}"}}
`);

    await house.run("traces/own", { api: service.url });

    expect(service.seen).toEqual([{ path: "/own", traceparent }]);
  });
});
