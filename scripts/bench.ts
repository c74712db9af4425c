// `bun run bench [area…] [--json | --markdown] [--quick]`: takes the figures of tests/bench and
// shows each with its target. It judges nothing: a missed target is a row, not a failure.
//
// Ends with 0 when everything could be measured, 1 when something could not, 2 when it was called
// in a way that it doesn't know.

import { join } from "node:path";
import { type Figure, figuresOf, type Measurement } from "./bench-figure.ts";
import {
  jsonLine,
  machineLine,
  markdownHead,
  markdownLine,
  type Row,
  rowOf,
  tableLine,
  type Versions,
  versionLine,
  versions,
} from "./bench-report.ts";
import { ensureDependencies, repositoryRoot } from "./install.ts";

/** In the order in which they are taken. */
const areas = ["engine", "embedded", "distributed", "language", "platform"] as const;
type Area = (typeof areas)[number];
type Form = "table" | "json" | "markdown";

ensureDependencies();
process.exitCode = await main(process.argv.slice(2));

interface Asked {
  readonly chosen: readonly Area[];
  readonly form: Form;
  readonly quick: boolean;
}

async function main(argv: readonly string[]): Promise<number> {
  const asked = parse(argv);
  if (typeof asked === "string") {
    const named = areas.map((area) => `[${area}]`).join(" ");
    console.error(`${asked}\nusage: bun run bench ${named} [--json | --markdown] [--quick]`);
    return 2;
  }
  const measurements = await measurementsOf(asked.chosen);
  const targets = measurements.flatMap(({ measurement }) => measurement.targets);
  const show = printer(asked, Math.max(...targets.map(({ metric }) => metric.length)));
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

function printer(asked: Asked, metricWidth: number): (figure: Figure) => void {
  const of: Versions = versions();
  const about = `${machineLine()}\n${versionLine(of)}`;
  const note = asked.quick ? "\nquick: one small run of each, the values say nothing" : "";
  if (asked.form === "json") {
    console.error(`${about}${note}`);
    return (figure) => console.log(jsonLine(figure, of));
  }
  console.log(`${about}${note}\n`);
  if (asked.form === "markdown") console.log(markdownHead);
  const line = (row: Row): string =>
    asked.form === "markdown" ? markdownLine(row) : tableLine(row, metricWidth);
  return (figure) => console.log(line(rowOf(figure)));
}
