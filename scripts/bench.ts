// `bun run bench [area…] [--json | --markdown] [--quick]`: takes the figures of tests/bench and
// shows each with its target. It judges nothing: a missed target is a row, not a failure.
//
// Ends with 0 when everything could be measured, 1 when something could not, 2 when it was called
// in a way that it doesn't know.

import { join } from "node:path";
import type { Figure, Measurement } from "./bench-figure.ts";
import type { Row, Versions } from "./bench-report.ts";
import { ensureDependencies, repositoryRoot } from "./install.ts";

ensureDependencies();
const { figuresOf } = await import("./bench-figure.ts");
const report = await import("./bench-report.ts");
process.exitCode = await main(process.argv.slice(2));

/** Cheapest first, so that the first rows are there soon. */
type Area = "engine" | "embedded";
type Form = "table" | "json" | "markdown";

interface Asked {
  readonly chosen: readonly Area[];
  readonly form: Form;
  readonly quick: boolean;
}

async function main(argv: readonly string[]): Promise<number> {
  const asked = parse(argv);
  if (typeof asked === "string") {
    console.error(
      `${asked}\nusage: bun run bench [engine] [embedded] [--json | --markdown] [--quick]`,
    );
    return 2;
  }
  const versions = report.versions();
  const measurements = await measurementsOf(asked.chosen);
  const names = measurements.flatMap(({ measurement }) => measurement.targets);
  const show = printer(asked, versions, Math.max(...names.map(({ metric }) => metric.length)));
  let complete = true;
  for (const { area, measurement } of measurements) {
    for (const figure of await figuresOf(area, measurement, asked.quick)) {
      show(figure);
      complete &&= figure.value !== null;
    }
  }
  return complete ? 0 : 1;
}

/** What was asked for, or what is wrong with it. */
function parse(argv: readonly string[]): Asked | string {
  const areas: readonly Area[] = ["engine", "embedded"];
  const named = new Set<Area>();
  let form: Form = "table";
  let quick = false;
  for (const argument of argv) {
    const area = areas.find((name) => name === argument);
    if (area !== undefined) named.add(area);
    else if (argument === "--quick") quick = true;
    else if (argument === "--json" || argument === "--markdown") {
      if (form !== "table") return "expected --json or --markdown, found both";
      form = argument === "--json" ? "json" : "markdown";
    } else {
      return `expected an area (${areas.join(", ")}) or a flag, found ${JSON.stringify(argument)}`;
    }
  }
  return { chosen: areas.filter((area) => named.size === 0 || named.has(area)), form, quick };
}

interface Placed {
  readonly area: Area;
  readonly measurement: Measurement;
}

/** Every tests/bench/<area>-*.ts exports its measurements, which are taken in order of file. */
async function measurementsOf(chosen: readonly Area[]): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  for (const area of chosen) {
    const files = new Bun.Glob(`tests/bench/${area}-*.ts`).scanSync({ cwd: repositoryRoot });
    for (const file of [...files].sort()) {
      // The folder is read at run time, so the compiler can't know the shape; it is checked here.
      const loaded = (await import(join(repositoryRoot, file))) as {
        measurements?: readonly Measurement[];
      };
      if (!Array.isArray(loaded.measurements)) {
        throw new Error(`${file}: expected an export called measurements, found none`);
      }
      for (const measurement of loaded.measurements) placed.push({ area, measurement });
    }
  }
  return placed;
}

function printer(asked: Asked, versions: Versions, metricWidth: number): (figure: Figure) => void {
  const about = `${report.machineLine()}\n${report.versionLine(versions)}`;
  const note = asked.quick ? "\nquick: one small run of each, the values say nothing" : "";
  if (asked.form === "json") {
    console.error(`${about}${note}`);
    return (figure) => console.log(report.jsonLine(figure, versions));
  }
  console.log(`${about}${note}\n`);
  if (asked.form === "markdown") console.log(report.markdownHead);
  const line = (row: Row): string =>
    asked.form === "markdown" ? report.markdownLine(row) : report.tableLine(row, metricWidth);
  return (figure) => console.log(line(report.rowOf(figure)));
}
