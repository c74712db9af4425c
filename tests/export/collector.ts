// A collector in the test's own process: takes OTLP over HTTP, refuses whatever the protocol's
// JSON doesn't know, and keeps the spans.

export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface SeenRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: Headers;
}

export interface Collector {
  readonly url: `http://${string}`;
  readonly requests: SeenRequest[];
  /** What its answers are; 200 with nothing in it without it. */
  answer: (request: SeenRequest) => Response | Promise<Response>;
  /** Of bodies it has said yes to, each span as often as it came. */
  spans(): readonly SeenSpan[];
  /** What it found that the protocol doesn't have. */
  readonly problems: string[];
  stop(): Promise<void>;
}

export function startCollector(): Collector {
  const requests: SeenRequest[] = [];
  const taken: string[] = [];
  const problems: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const seen = { path, body: await request.text(), headers: request.headers };
      requests.push(seen);
      const response = await collector.answer(seen);
      if (response.status === 200 && path === "/v1/traces") taken.push(seen.body);
      return response;
    },
  });
  const collector: Collector = {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    answer: () => Response.json({}),
    problems,
    spans: () => taken.flatMap((body) => spansIn(body, problems)),
    stop: () => server.stop(true),
  };
  return collector;
}

type Fields = Readonly<Record<string, unknown>>;

/** An element of the protocol, with no other fields than it has there. */
function only(value: unknown, names: readonly string[], problems: string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`expected a map with ${names.join(", ")}`);
    return {};
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) problems.push(`unknown field ${name} beside ${names.join(", ")}`);
  }
  return value as Fields;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function spansIn(body: string, problems: string[]): readonly SeenSpan[] {
  const { resourceSpans } = only(JSON.parse(body), ["resourceSpans"], problems);
  return list(resourceSpans).flatMap((each) => {
    const { resource, scopeSpans } = only(each, ["resource", "scopeSpans"], problems);
    const { attributes } = only(resource, ["attributes"], problems);
    attributesIn(attributes, problems);
    return list(scopeSpans).flatMap((scoped) => {
      const { scope, spans } = only(scoped, ["scope", "spans"], problems);
      only(scope, ["name", "version"], problems);
      return list(spans).map((span) => spanIn(span, problems));
    });
  });
}

const spanFields = [
  ...["traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"],
  ...["attributes", "events", "status"],
];

function spanIn(value: unknown, problems: string[]): SeenSpan {
  const span = only(value, spanFields, problems);
  const { traceId, spanId, parentSpanId, name, kind, status } = span;
  const expectText = (text: unknown, pattern: RegExp, what: string): string => {
    if (typeof text === "string" && pattern.test(text)) return text;
    problems.push(`${what}: found ${String(text)}`);
    return "";
  };
  if (typeof kind !== "number" || kind < 1 || kind > 5) problems.push(`kind ${String(kind)}`);
  for (const event of list(span["events"])) {
    const { timeUnixNano, attributes } = only(
      event,
      ["timeUnixNano", "name", "attributes"],
      problems,
    );
    expectText(timeUnixNano, /^\d{19}$/, "time of an event");
    attributesIn(attributes, problems);
  }
  const { code } = only(status, ["message", "code"], problems);
  if (code !== 0 && code !== 1 && code !== 2) problems.push(`status ${String(code)}`);
  const timeMs = (name: string): number =>
    Number(BigInt(expectText(span[name], /^\d{19}$/, name) || "0") / 1_000_000n);
  return {
    traceId: expectText(traceId, /^(?!0{32})[0-9a-f]{32}$/, "traceId"),
    spanId: expectText(spanId, /^(?!0{16})[0-9a-f]{16}$/, "spanId"),
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanId: expectText(parentSpanId, /^(?!0{16})[0-9a-f]{16}$/, "parentSpanId") }),
    name: expectText(name, /./, "name"),
    startMs: timeMs("startTimeUnixNano"),
    endMs: timeMs("endTimeUnixNano"),
    status: Number(code),
    attributes: attributesIn(span["attributes"], problems),
    text: JSON.stringify(value),
  };
}

/** Integers are texts, as the protocol's JSON has them. */
export function attributesIn(value: unknown, problems: string[]): Fields {
  return Object.fromEntries(
    list(value).map((each) => {
      const { key, value: held } = only(each, ["key", "value"], problems);
      const names = ["stringValue", "intValue", "doubleValue", "boolValue"];
      const entries = Object.entries(only(held, names, problems));
      const [entry] = entries;
      if (entry === undefined || entries.length !== 1) problems.push(`value of ${String(key)}`);
      if (entry?.[0] === "intValue" && !/^-?\d+$/.test(String(entry[1]))) problems.push("intValue");
      return [String(key), entry?.[1]];
    }),
  );
}
