// Numbers about a process, for whoever watches it. A name is made once; asking for it again gives
// the same one.

/** Names and values that tell one series from the others; few values each, never ids. */
export type MetricLabels = Readonly<Record<string, string>>;

export interface Counter {
  /** @param by 0 or more. */
  add(by: number, labels?: MetricLabels): void;
}

export interface Gauge {
  set(value: number, labels?: MetricLabels): void;
}

export interface Histogram {
  observe(value: number, labels?: MetricLabels): void;
}

/** One series as it stands. */
export interface MetricValue {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: MetricLabels;
  /** The count of a histogram. */
  readonly value: number;
  /** Of a histogram. */
  readonly sum?: number;
  /** Of a histogram: upper bounds, and how many were in each bucket, with one more beyond them. */
  readonly buckets?: { readonly bounds: readonly number[]; readonly counts: readonly number[] };
}

export interface Metrics {
  /** @param labels the names of labels that its series have. */
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, labels?: readonly string[]): Histogram;
  /** All of them as Prometheus reads them. */
  text(): string;
  snapshot(): readonly MetricValue[];
}
