// The shapes that workflow engines are compared by, on the distributed house of one machine: one
// control plane, one worker, PostgreSQL with all its durability, NATS.

import { join } from "node:path";
import type { Measurement } from "#scripts/bench-figure";
import { repositoryRoot } from "#scripts/install";
import type { LoadFound, LoadName } from "./loads-process.ts";

const program = join(repositoryRoot, "tests/bench/loads-process.ts");

type Found = Readonly<Record<LoadName, LoadFound>>;

/** The loads in a process of their own, so that this one's memory and caches are not theirs. */
async function loads(names: readonly LoadName[], flags: readonly string[]): Promise<Found> {
  const command = [process.execPath, program, ...names, ...flags];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const exitCode = await child.exited;
  if (exitCode !== 0) throw new Error(`the loads ended with ${exitCode}: ${lastLine(errors)}`);
  // The program's own last line, in the shape that it exports.
  return JSON.parse(lastLine(out)) as Found;
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

const flagsOf = (quick: boolean): readonly string[] => (quick ? ["--quick"] : []);

const perSecond = ({ steps, milliseconds }: LoadFound): number => (steps / milliseconds) * 1_000;

const cpuPerThousand = ({ cpuSecondsBy, steps }: LoadFound): number =>
  (Object.values(cpuSecondsBy).reduce((sum, seconds) => sum + seconds, 0) / steps) * 1_000;

async function takeAll(quick: boolean): Promise<readonly number[]> {
  const names = ["chain", "crowd", "fan", "children", "etl"] as const;
  const { chain, crowd, fan, children, etl } = await loads(names, flagsOf(quick));
  return [
    chain.p50Ms / (chain.steps / chain.runs),
    perSecond(crowd),
    cpuPerThousand(crowd),
    crowd.commits / crowd.steps,
    fan.p50Ms,
    children.p50Ms,
    (etl.runs / etl.milliseconds) * 1_000,
  ];
}

/** Without the roles that read the log again: what a step alone costs. */
async function takeBare(quick: boolean): Promise<readonly number[]> {
  const { crowd } = await loads(["crowd"], ["--roles=api,sweeper", ...flagsOf(quick)]);
  return [perSecond(crowd), cpuPerThousand(crowd)];
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      {
        metric: "step of a 10-step chain, one by one, p50",
        unit: "ms",
        target: 1.2,
        better: "lower",
      },
      { metric: "64 chains at once", unit: "steps/s", target: 6_000, better: "higher" },
      { metric: "64 chains, CPU of all processes", unit: "s/1000", target: 0.3, better: "lower" },
      { metric: "64 chains, commits per step", unit: "", target: 0.05, better: "lower" },
      { metric: "fan-out of 1,000 and a join, p50", unit: "ms", target: 350, better: "lower" },
      { metric: "1,000 sub-playbooks and a join, p50", unit: "ms", target: 600, better: "lower" },
      {
        metric: "GET, transform, INSERT; 32 in flight",
        unit: "runs/s",
        target: 400,
        better: "higher",
      },
    ],
    runs: 3,
    take: takeAll,
  },
  {
    targets: [
      {
        metric: "64 chains, roles api and sweeper only",
        unit: "steps/s",
        target: 6_000,
        better: "higher",
      },
      { metric: "64 chains, these roles, CPU", unit: "s/1000", target: 0.3, better: "lower" },
    ],
    runs: 3,
    take: takeBare,
  },
];
