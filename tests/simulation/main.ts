// The simulator as a program, behind `bun run simulate`: runs seeds, and shows of each that fails
// what broke, the faults it takes, and what happened last.
//
// Ends with 0 when every seed held, 1 when one did not, 2 when it was called in a way it doesn't know.

import { parseArgs } from "node:util";
import { type FaultKind, faultKinds } from "./faults.ts";
import { plantedBugs } from "./planted.ts";
import { shrink } from "./shrink.ts";
import { type SimulationOptions, type SimulationResult, simulate } from "./simulate.ts";

const usage = `usage: bun run simulate [--seeds N] [--seed S] [--without KIND,…] [--bug NAME] [--trace] [--json]
fault kinds: ${faultKinds.join(", ")}
planted bugs: ${Object.keys(plantedBugs).join(", ")}`;

interface Asked {
  readonly first: number;
  readonly seeds: number;
  readonly without: readonly FaultKind[];
  readonly bug: string | undefined;
  readonly trace: boolean;
  readonly json: boolean;
}

const seedsDefault = 500;
const seedMax = 2 ** 31;
const failuresShown = 3;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const asked = parse(argv);
  if (typeof asked === "string") {
    process.stderr.write(`${asked}\n${usage}\n`);
    return 2;
  }
  const startedAt = performance.now();
  const failed: number[] = [];
  let ran = 0;
  for (
    ;
    ran < asked.seeds && failed.length < (asked.bug === undefined ? failuresShown : 1);
    ran++
  ) {
    const seed = asked.first + ran;
    const result = await simulate({ ...optionsOf(asked), seed });
    if (asked.seeds === 1 && result.failure === undefined) show(asked, lineOf(result), result);
    if (result.failure === undefined) continue;
    failed.push(seed);
    await showFailure(asked, result);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const summary = { seeds: ran, first: asked.first, failed, per_second: Math.round(ran / seconds) };
  const line = `${ran} seeds from ${asked.first}, ${failed.length} failed, ${summary.per_second} seeds/s`;
  show(asked, line, summary);
  return failed.length === 0 ? 0 : 1;
}

function optionsOf({ without, bug, trace }: Asked): Omit<SimulationOptions, "seed"> {
  return {
    without,
    ...(bug === undefined ? {} : { bug }),
    ...(trace ? { onNote: (note) => void process.stderr.write(`${note}\n`) } : {}),
  };
}

/** What was asked for, or what is wrong with it. */
function parse(argv: readonly string[]): Asked | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        seeds: { type: "string" },
        seed: { type: "string" },
        without: { type: "string" },
        bug: { type: "string" },
        trace: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const { seed, bug, trace, json } = values;
    const seeds = Number(values.seeds ?? (seed === undefined ? seedsDefault : 1));
    const first = Number(seed ?? Math.floor(Math.random() * seedMax));
    if (!Number.isInteger(seeds) || seeds < 1)
      return `expected a number of seeds, found ${values.seeds}`;
    if (!Number.isInteger(first)) return `expected a seed, found ${seed}`;
    if (bug !== undefined && plantedBugs[bug] === undefined)
      return `expected a planted bug, found ${bug}`;
    const without = (values.without ?? "").split(",").filter((kind) => kind !== "");
    const known = without.filter((kind): kind is FaultKind =>
      faultKinds.some((own) => own === kind),
    );
    if (known.length < without.length) return `expected kinds of faults, found ${values.without}`;
    return { first, seeds, without: known, bug, trace, json };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

async function showFailure(asked: Asked, found: SimulationResult): Promise<void> {
  const { onNote: _told, ...options } = optionsOf(asked);
  const { result, without } = await shrink({ ...options, seed: found.seed }, found);
  const { failure } = result;
  if (failure === undefined) return;
  const again = [
    `bun run simulate --seed ${result.seed}`,
    ...(without.length === 0 ? [] : [`--without '${without.join(",")}'`]),
    ...(asked.bug === undefined ? [] : [`--bug '${asked.bug}'`]),
  ].join(" ");
  const text = [
    `seed ${result.seed}: ${failure.rule}`,
    `  ${failure.message}`,
    `  faults it takes: ${result.kinds.join(", ") || "none"}`,
    `  again: ${again}`,
    "  the last things that happened (virtual milliseconds, who, what):",
    ...failure.notes.map((note) => `    ${note}`),
  ].join("\n");
  show(asked, text, { ...result, without });
}

function lineOf({ seed, kinds, steps, virtualMs, executions, digest }: SimulationResult): string {
  const seconds = (virtualMs / 1000).toFixed(0);
  return (
    `seed ${seed}: ${executions} executions ended in ${seconds} virtual seconds and ${steps} steps\n` +
    `  faults: ${kinds.join(", ") || "none"}\n  digest of the trace: ${digest}`
  );
}

function show({ json }: Asked, text: string, value: unknown): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}
