// Runs the bench command itself, as quickly as it can be run, and holds what it prints to its form.
// What the figures say is nobody's business here: no test may depend on how fast a machine is.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Figure, figuresOf, type Measurement, median } from "#scripts/bench-figure";
import { repositoryRoot } from "#scripts/install";
import { measurements as python } from "#tests/bench/embedded-python";

interface Ended {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly errors: string;
}

async function runBench(argv: readonly string[], path = process.env["PATH"]): Promise<Ended> {
  const child = Bun.spawn([process.execPath, join(repositoryRoot, "scripts/bench.ts"), ...argv], {
    env: { ...process.env, PATH: path },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const lines = out.split("\n").filter((line) => line !== "");
  return { exitCode: await child.exited, lines, errors };
}

/** Platforms are started and stopped, some of them for the first time on this machine. */
const embeddedTimeoutMs = 60_000;
const figureKeys = "area better met metric n target unit value versions".split(" ");

/** Every line is a figure that was measured once, in the form that programs read. */
function expectFigures(lines: readonly string[]): readonly Figure[] {
  const figures = lines.map((line) => JSON.parse(line) as Figure & { readonly versions: object });
  for (const figure of figures) {
    // `why` stands only where nothing could be measured, so it shows here with its reason.
    expect(figure).not.toHaveProperty("why");
    expect(Object.keys(figure).sort()).toEqual(figureKeys);
    expect(Number.isFinite(figure.value)).toBe(true);
    expect(typeof figure.met).toBe("boolean");
    expect(figure.n).toBe(1);
    expect(Object.keys(figure.versions).sort()).toEqual(["bun", "noetl", "pglite"]);
  }
  return figures;
}

test("prints one JSON object for each figure of an area, and the machine beside them", async () => {
  const { exitCode, lines, errors } = await runBench(["engine", "--json", "--quick"]);

  expect(errors).toMatch(/ cores, .* GiB, load /);
  const figures = expectFigures(lines);
  expect(new Set(figures.map(({ area }) => area))).toEqual(new Set(["engine"]));
  expect(new Set(figures.map(({ metric }) => metric)).size).toBe(figures.length);
  expect(figures.length).toBeGreaterThanOrEqual(10);
  expect(exitCode).toBe(0);
});

test(
  "measures the embedded shape, and says what it can't measure where a program is missing",
  async () => {
    const { exitCode, lines } = await runBench(["embedded", "--json", "--quick"], "");

    const isPython = (line: string): boolean => line.includes("python");
    const figures = expectFigures(lines.filter((line) => !isPython(line)));
    expect(new Set(figures.map(({ unit }) => unit))).toEqual(new Set(["MB", "ms", "s", "steps/s"]));
    const [unmeasured = "{}"] = lines.filter(isPython);
    const why = "expected python3 on PATH, found none";
    expect(JSON.parse(unmeasured)).toMatchObject({ value: null, met: false, n: 0, why });
    expect(exitCode).toBe(1);
  },
  embeddedTimeoutMs,
);

// Without the interpreter there is nothing to measure.
test.skipIf(Bun.which("python3") === null)("measures python steps", async () => {
  const [measurement] = python;
  const [ms = 0] = (await measurement?.take(true)) ?? [];

  expect(ms).toBeGreaterThan(0);
});

test("prints the same figures as a table of markdown", async () => {
  const { exitCode, lines } = await runBench(["engine", "--markdown", "--quick"]);

  const rows = lines.filter((line) => line.startsWith("|"));
  expect(rows[0]).toContain("| Figure |");
  expect(new Set(rows.map((row) => row.split("|").length))).toEqual(new Set([7]));
  for (const row of rows.slice(2)) expect(row).toMatch(/\| (?:met|missed) \|$/);
  expect(rows.length).toBeGreaterThan(10);
  expect(exitCode).toBe(0);
});

test("ends with 2 for an area, or a combination of flags, that it does not know", async () => {
  const area = await runBench(["engin", "--quick"]);
  const both = await runBench(["--json", "--markdown"]);

  expect(area).toMatchObject({ exitCode: 2, lines: [] });
  expect(area.errors).toContain(
    '(engine, embedded, distributed, language, platform) or a flag, found "engin"',
  );
  expect(both).toMatchObject({ exitCode: 2, lines: [] });
});

const target = { metric: "m", unit: "ms", target: 2, better: "lower" } as const;

test("takes the median of the runs and holds it to the target", async () => {
  const values = [9, 1, 2];
  const measurement: Measurement = {
    targets: [target, { ...target, better: "higher", target: 3 }],
    runs: 3,
    take: () => {
      const value = values.pop() ?? 0;
      return [value, value];
    },
  };

  const [lower, higher] = await figuresOf("engine", measurement, false);

  expect(lower).toMatchObject({ value: 2, met: true, n: 3 });
  expect(higher).toMatchObject({ value: 2, met: false, n: 3 });
  expect(median([4, 1, 3, 2])).toBe(2);
});

test("says why something could not be measured", async () => {
  const measurement: Measurement = {
    targets: [target],
    runs: 3,
    take: () => Promise.reject(new Error("there is no such program")),
  };

  const figures = await figuresOf("engine", measurement, false);

  expect(figures).toEqual([
    {
      area: "engine",
      ...target,
      value: null,
      met: false,
      n: 0,
      why: "there is no such program",
    },
  ]);
});
