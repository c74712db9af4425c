// How figures are shown: a table for people, markdown for the page that keeps them, one JSON object
// a line for programs; and what they were taken on, without which they say nothing.

import { cpus, loadavg, totalmem } from "node:os";
import manifest from "../package.json";
import type { Figure } from "./bench-figure.ts";
import { repositoryRoot } from "./install.ts";

export interface Versions {
  readonly bun: string;
  /** The commit, with a plus sign when the checkout differs from it. */
  readonly noetl: string;
  readonly pglite: string;
}

export function versions(): Versions {
  return {
    bun: Bun.version,
    noetl: commit(),
    pglite: manifest.dependencies["@electric-sql/pglite"],
  };
}

function commit(): string {
  const said = (...argv: readonly string[]): string | undefined => {
    const command = ["git", "--no-optional-locks", ...argv];
    try {
      const { exitCode, stdout } = Bun.spawnSync(command, {
        cwd: repositoryRoot,
        stderr: "ignore",
      });
      return exitCode === 0 ? stdout.toString().trim() : undefined;
    } catch {
      return undefined;
    }
  };
  const head = said("rev-parse", "--short=12", "HEAD");
  if (head === undefined) return `${manifest.version}, commit unknown`;
  return said("status", "--porcelain") === "" ? head : `${head}+`;
}

const gibibyte = 1_073_741_824;

/** Processor, cores, memory and load of this machine, in one line. */
export function machineLine(): string {
  const processors = cpus();
  const [load = 0] = loadavg();
  return [
    processors[0]?.model.trim() ?? "unknown processor",
    `${processors.length} cores`,
    `${(totalmem() / gibibyte).toFixed(1)} GiB`,
    `load ${load.toFixed(2)} at the start`,
  ].join(", ");
}

export function versionLine({ bun, noetl, pglite }: Versions): string {
  return `bun ${bun}, noetl ${noetl}, pglite ${pglite}`;
}

export function jsonLine(figure: Figure, of: Versions): string {
  const { area, metric, value, unit, target, better, met, n, why } = figure;
  const shown = { area, metric, value, unit, target, better, met, n, versions: of };
  return JSON.stringify(why === undefined ? shown : { ...shown, why });
}

export interface Row {
  readonly area: string;
  readonly metric: string;
  readonly value: string;
  readonly target: string;
  readonly verdict: string;
}

export function rowOf({ area, metric, value, unit, target, better, met, why }: Figure): Row {
  return {
    area,
    metric,
    value: value === null ? "not measured" : `${readable(value)} ${unit}`,
    target: `${better === "lower" ? "≤" : "≥"} ${readable(target)} ${unit}`,
    verdict: why ?? (met ? "met" : "missed"),
  };
}

/** Four digits at most that say something; thousands apart. */
function readable(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/** @param metricWidth the length of the longest metric. */
export function tableLine(row: Row, metricWidth: number): string {
  const { area, metric, value, target, verdict } = row;
  return [
    area.padEnd(8),
    metric.padEnd(metricWidth),
    value.padStart(26),
    target.padStart(26),
    verdict,
  ].join("  ");
}

export const markdownHead = "| Area | Figure | Median | Target | |\n|---|---|---:|---:|---|";

export function markdownLine({ area, metric, value, target, verdict }: Row): string {
  return `| ${area} | ${metric} | ${value} | ${target} | ${verdict} |`;
}
