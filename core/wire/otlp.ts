// What a collector of OpenTelemetry reads: OTLP in JSON, as its protocol has it for HTTP. Ids are
// hexadecimal, times are nanoseconds as text.

import type { MetricValue } from "#core/ports/metrics";

export type OtlpValue = string | number | boolean;
export type OtlpAttributes = Readonly<Record<string, OtlpValue | undefined>>;

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: "internal" | "client";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: OtlpAttributes;
  readonly status: "unset" | "ok" | "error";
  /** What is said of an error. */
  readonly message?: string;
  readonly events?: readonly {
    readonly name: string;
    readonly timeMs: number;
    readonly attributes?: OtlpAttributes;
  }[];
}

const spanKinds = { internal: 1, client: 3 } as const;
const statusCodes = { unset: 0, ok: 1, error: 2 } as const;
/** Sums and histograms count from the start of the process on. */
const cumulative = 2;

/** One span as an element of the list of spans. */
export function spanText(span: OtlpSpan): string {
  const { events = [], message } = span;
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: spanKinds[span.kind],
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes: attributesOf(span.attributes),
    ...(events.length === 0
      ? {}
      : {
          events: events.map(({ name, timeMs, attributes = {} }) => ({
            timeUnixNano: nanos(timeMs),
            name,
            attributes: attributesOf(attributes),
          })),
        }),
    status: {
      ...(message === undefined ? {} : { message }),
      code: statusCodes[span.status],
    },
  });
}

/** The body of `POST /v1/traces`. */
export function tracesBody(spans: readonly string[], resource: OtlpAttributes): string {
  const about = JSON.stringify({ attributes: attributesOf(resource) });
  const scoped = `{"scope":{"name":"noetl"},"spans":[${spans.join(",")}]}`;
  return `{"resourceSpans":[{"resource":${about},"scopeSpans":[${scoped}]}]}`;
}

export interface MetricsMoment {
  readonly startMs: number;
  readonly nowMs: number;
  readonly resource: OtlpAttributes;
}

/** The body of `POST /v1/metrics`. */
export function metricsBody(values: readonly MetricValue[], moment: MetricsMoment): string {
  const families = Map.groupBy(values, ({ name }) => name);
  const metrics = [...families].map(([name, series]) => metricOf(name, series, moment));
  const scopeMetrics = [{ scope: { name: "noetl" }, metrics }];
  const resource = { attributes: attributesOf(moment.resource) };
  return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] });
}

function metricOf(name: string, series: readonly MetricValue[], moment: MetricsMoment): unknown {
  const times = { startTimeUnixNano: nanos(moment.startMs), timeUnixNano: nanos(moment.nowMs) };
  const numbers = series.map(({ labels, value }) => ({
    attributes: attributesOf(labels),
    ...times,
    asDouble: value,
  }));
  const [first] = series;
  if (first?.kind === "gauge") return { name, gauge: { dataPoints: numbers } };
  if (first?.kind !== "histogram") {
    const sum = { aggregationTemporality: cumulative, isMonotonic: true, dataPoints: numbers };
    return { name, sum };
  }
  const dataPoints = series.map(({ labels, value, sum = 0, buckets }) => ({
    attributes: attributesOf(labels),
    ...times,
    count: String(value),
    sum,
    bucketCounts: (buckets?.counts ?? []).map(String),
    explicitBounds: buckets?.bounds ?? [],
  }));
  return { name, histogram: { aggregationTemporality: cumulative, dataPoints } };
}

function attributesOf(attributes: OtlpAttributes): readonly unknown[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

function anyValue(value: OtlpValue): unknown {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanos(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n);
}
