// What `bun run storm` does once everything it needs is installed: reads what was asked for, shows
// what happens, and prints one closing line of JSON.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "./install.ts";
import { cursorAsked, cursorStorm, cursorUsage } from "./storm-cursor-main.ts";
import type { StormProblem } from "./storm-report.ts";
import { runStorm } from "./storm-run.ts";
import { type ScenarioName, scenarios } from "./storm-scenarios.ts";

const names = Object.keys(scenarios).join(", ");
const usage = `usage: bun run storm [--seconds N] [--seed S] [--scenario NAME] [--json]
${cursorUsage}
scenarios: ${names}`;

interface Asked {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly seconds: number | undefined;
  readonly json: boolean;
}

const seedMax = 2 ** 31;
const problemsShown = 20;

/** @returns 0 when nothing was lost, recorded twice or stuck; 1 when something was; 2 for bad usage. */
export async function stormMain(argv: readonly string[]): Promise<number> {
  if (argv.includes("--cursor")) {
    const asked = cursorAsked(argv);
    if (typeof asked === "string") return misused(asked);
    return cursorStorm(asked, { tell: teller(asked.json), onHouse: closeOnSignal, kept });
  }
  const asked = parse(argv);
  if (typeof asked === "string") return misused(asked);
  const { scenario, seed, seconds, json } = asked;
  const tell = teller(json);
  const { report, output } = await runStorm({
    ...{ scenario, seed, tell },
    ...(seconds === undefined ? {} : { seconds }),
    onHouse: closeOnSignal,
  });
  const { problems, ...line } = report;
  for (const problem of problems.slice(0, problemsShown)) console.error(problemText(problem));
  if (problems.length > 0)
    console.error(`members wrote: ${await kept(`${scenario}-${seed}`, output)}`);
  console.log(JSON.stringify({ ...line, problems: problems.length }));
  return report.ok ? 0 : 1;
}

function misused(what: string): number {
  console.error(`${what}\n${usage}`);
  return 2;
}

function teller(isQuiet: boolean): (text: string) => void {
  const beganMs = performance.now();
  return (text) => {
    const at = ((performance.now() - beganMs) / 1_000).toFixed(1);
    if (!isQuiet) console.error(`${at.padStart(6)} s  ${text}`);
  };
}

/** What was asked for, or what is wrong with it. */
function parse(argv: readonly string[]): Asked | string {
  const text = { type: "string" } as const;
  const options = { seconds: text, seed: text, scenario: text, json: { type: "boolean" } } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options });
    const { scenario = "storm", json = false } = values;
    const seed = Number(values.seed ?? Math.floor(Math.random() * seedMax));
    const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
    if (!isScenario(scenario)) return `expected a scenario (${names}), found ${scenario}`;
    if (!Number.isInteger(seed)) return `expected a seed, found ${values.seed}`;
    if (seconds !== undefined && !(seconds >= 1)) {
      return `expected a number of seconds, found ${values.seconds}`;
    }
    return { scenario, seed, seconds, json };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}

/** Servers and members go with the storm, also when it is told to stop. */
function closeOnSignal(close: () => Promise<void>): void {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.once(signal, () => {
      void close().finally(() => process.exit(code));
    });
  }
}

function problemText({ kind, run, execution_id: id, what, log = [] }: StormProblem): string {
  const about = [run, id].filter((word) => word !== undefined).join(" ");
  return [`${kind}: ${about} ${what}`, ...log.map((line) => `    ${line}`)].join("\n");
}

async function kept(name: string, output: string): Promise<string> {
  const folder = join(repositoryRoot, ".noetl", "storm");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${name}.log`);
  await writeFile(file, output);
  return file;
}
