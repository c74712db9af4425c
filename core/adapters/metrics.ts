// The numbers of one process: kept in memory, shown as Prometheus reads them (text format 0.0.4). A
// label with too many values is counted under one for all the rest, so that nothing that comes from
// outside can fill the memory.

import { invariant } from "#core/model/fault";
import type {
  Counter,
  Gauge,
  Histogram,
  MetricLabels,
  Metrics,
  MetricValue,
} from "#core/ports/metrics";

/** Series that one name may have. */
const seriesMax = 1_000;
/** What stands for the values of labels that there is no room for. */
const otherValue = "other";

/** Seconds: from what a cache takes to what a slow request takes. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

interface Series {
  readonly labels: MetricLabels;
  value: number;
  sum: number;
  /** Of a histogram: how many were at most as large as each bucket and larger than the one before. */
  readonly counts: number[];
}

interface Family {
  readonly name: string;
  readonly kind: MetricValue["kind"];
  readonly help: string;
  readonly labels: readonly string[];
  readonly series: Map<string, Series>;
}

export function metrics(): Metrics {
  const families = new Map<string, Family>();

  const familyOf = (
    kind: MetricValue["kind"],
    name: string,
    { help, labels }: { readonly help: string; readonly labels: readonly string[] },
  ): Family => {
    const known = families.get(name);
    if (known !== undefined) {
      invariant(known.kind === kind, `metric ${name} is a ${known.kind}, and asked for as ${kind}`);
      return known;
    }
    invariant(namePattern.test(name), `metric ${name}: expected another name`);
    for (const label of labels) invariant(labelPattern.test(label), `label ${label} of ${name}`);
    const family: Family = { name, kind, help, labels, series: new Map() };
    families.set(name, family);
    // A count that nothing was added to is 0, which is worth more than its absence.
    if (labels.length === 0) seriesOf(family, {});
    return family;
  };

  return {
    counter: (name, help, labels = []): Counter => {
      const family = familyOf("counter", name, { help, labels });
      return {
        add: (by, given = {}) => {
          if (by > 0) seriesOf(family, given).value += by;
        },
      };
    },
    gauge: (name, help, labels = []): Gauge => {
      const family = familyOf("gauge", name, { help, labels });
      return {
        set: (value, given = {}) => {
          seriesOf(family, given).value = value;
        },
      };
    },
    histogram: (name, help, labels = []): Histogram => {
      const family = familyOf("histogram", name, { help, labels });
      return { observe: (value, given = {}) => observed(seriesOf(family, given), value) };
    },
    text: () => [...families.values()].map(familyText).join(""),
    snapshot: () => [...families.values()].flatMap(valuesOf),
  };
}

function seriesOf(family: Family, given: MetricLabels): Series {
  const { labels, series } = family;
  const [only = ""] = labels;
  const key =
    labels.length < 2 ? (given[only] ?? "") : labels.map((label) => given[label] ?? "").join("\0");
  const known = series.get(key);
  if (known !== undefined) return known;
  const isRoom = series.size < seriesMax || labels.length === 0;
  const entries = labels.map((label) => [label, isRoom ? (given[label] ?? "") : otherValue]);
  const added: Series = { labels: Object.fromEntries(entries), value: 0, sum: 0, counts: [] };
  if (isRoom) {
    series.set(key, added);
    return added;
  }
  const shared = labels.map(() => otherValue).join("\0");
  const rest = series.get(shared) ?? added;
  series.set(shared, rest);
  return rest;
}

function observed(series: Series, value: number): void {
  if (!Number.isFinite(value)) return;
  const at = buckets.findIndex((bound) => value <= bound);
  const index = at === -1 ? buckets.length : at;
  series.counts[index] = (series.counts[index] ?? 0) + 1;
  series.value += 1;
  series.sum += value;
}

// --- text ---------------------------------------------------------------------------------

function familyText({ name, kind, help, series }: Family): string {
  if (series.size === 0) return "";
  const head = `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${kind}\n`;
  const lines = [...series.values()].map((each) =>
    kind === "histogram" ? histogramLines(name, each) : line(name, each.labels, each.value),
  );
  return head + lines.join("");
}

function histogramLines(name: string, { labels, counts, value, sum }: Series): string {
  let total = 0;
  const cumulative = buckets.map((bound, index) => {
    total += counts[index] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: String(bound) }, total);
  });
  const last = line(`${name}_bucket`, { ...labels, le: "+Inf" }, value);
  return `${cumulative.join("")}${last}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, value)}`;
}

function line(name: string, labels: MetricLabels, value: number): string {
  const parts = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  const told = parts.length === 0 ? "" : `{${parts.join(",")}}`;
  return `${name}${told} ${numberText(value)}\n`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valuesOf({ name, kind, series }: Family): readonly MetricValue[] {
  return [...series.values()].map(({ labels, value, sum, counts }) => ({
    ...{ name, kind, labels, value },
    ...(kind === "histogram"
      ? {
          sum,
          buckets: {
            bounds: buckets,
            counts: Array.from({ length: buckets.length + 1 }, (_, at) => counts[at] ?? 0),
          },
        }
      : {}),
  }));
}
