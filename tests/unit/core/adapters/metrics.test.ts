// The numbers of a process: what is counted, how Prometheus is told, and what can't fill the memory.

import { describe, expect, test } from "bun:test";
import { metrics } from "#core/adapters/metrics";

describe("metrics", () => {
  test("are one for each name, and shown with help and type once", () => {
    const all = metrics();
    all.counter("a_total", "How many.", ["kind"]).add(1, { kind: "x" });
    all.counter("a_total", "How many.", ["kind"]).add(2, { kind: "x" });
    all.counter("a_total", "How many.", ["kind"]).add(1, { kind: 'y"\n\\' });
    all.gauge("b", "Now.").set(1.5);
    expect(all.text()).toBe(
      [
        "# HELP a_total How many.",
        "# TYPE a_total counter",
        'a_total{kind="x"} 3',
        'a_total{kind="y\\"\\n\\\\"} 1',
        "# HELP b Now.",
        "# TYPE b gauge",
        "b 1.5",
        "",
      ].join("\n"),
    );
  });

  test("without labels are 0 from the start, and counters never fall", () => {
    const all = metrics();
    const counter = all.counter("a_total", "How many.");
    counter.add(-1);
    expect(all.snapshot()).toEqual([{ name: "a_total", kind: "counter", labels: {}, value: 0 }]);
  });

  test("that are histograms have cumulative buckets", () => {
    const all = metrics();
    const took = all.histogram("took_seconds", "How long.");
    for (const value of [0.0005, 0.003, 0.004, 99, Number.NaN]) took.observe(value);
    const lines = all.text().split("\n");
    const bucket = (le: string) =>
      lines.find((line) => line.startsWith(`took_seconds_bucket{le="${le}"}`))?.split(" ")[1];
    expect([bucket("0.001"), bucket("0.005"), bucket("30"), bucket("+Inf")]).toEqual([
      "1",
      "3",
      "3",
      "4",
    ]);
    expect(lines).toContain("took_seconds_count 4");
    expect(all.snapshot()).toMatchObject([{ value: 4, sum: 99.0075 }]);
  });

  test("have a bounded number of series, however many values come", () => {
    const all = metrics();
    const counter = all.counter("a_total", "How many.", ["who"]);
    for (let n = 0; n < 5_000; n++) counter.add(1, { who: `w${n}` });
    const values = all.snapshot();
    expect(values.length).toBeLessThanOrEqual(1_001);
    expect(values.find(({ labels }) => labels["who"] === "other")?.value).toBe(4_000);
  });

  test("of one name are of one kind", () => {
    const all = metrics();
    all.counter("a", "Once.");
    expect(() => all.gauge("a", "Twice.")).toThrow("a counter");
  });
});
