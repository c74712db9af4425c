// A process of its own for the embedded stack under load, so that its memory is only its own:
// chains through HTTP handlers, control plane, worker and PGlite, one after the other and many at
// once. Says what it found as one line of JSON; started by embedded-chains.ts.

import { type ExecutionId, executionId } from "#core/model/ids";
import { executionUpdate } from "#core/wire/subjects";
import { type House, startHouse } from "#tests/support/embedded";
import { chainText } from "./bench-plans.ts";

export interface ChainsFound {
  readonly msPerStep: number;
  readonly stepsPerSecond: number;
  /** The most that the process has held in memory, by the operating system's count. */
  readonly residentBytesMax: number;
}

const chainSteps = 10;
const atOnce = 64;
const warmChains = 200;
const chainsInTurn = 200;
const chainsAtOnce = 1_500;

/** Runs chains and knows when each has ended. */
function chainRuns(house: House): () => Promise<void> {
  const ended = new Set<string>();
  const waiting = new Map<string, (ended: boolean) => void>();
  // The bus takes `*` for any id, which no type says.
  const anyEnd = executionUpdate("*" as ExecutionId, "playbook.*");
  house.embedded.bus.subscribe(anyEnd, ({ subject }) => {
    if (subject.endsWith(".started")) return;
    const id = subject.split(".")[2] ?? "";
    const completed = subject.endsWith(".completed");
    if (completed) ended.add(id);
    waiting.get(id)?.(completed);
  });
  return async () => {
    const id = executionId(await house.start("chain"));
    const completed = ended.has(id) || (await new Promise<boolean>((end) => waiting.set(id, end)));
    waiting.delete(id);
    ended.delete(id);
    if (!completed) throw new Error(`execution ${id} did not complete`);
  };
}

/** Runs so many chains, with so many of them under way; in milliseconds. */
async function took(chain: () => Promise<void>, chains: number, lanes: number): Promise<number> {
  const startedAtMs = performance.now();
  let left = chains;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await chain();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return performance.now() - startedAtMs;
}

async function chains(quick: boolean): Promise<ChainsFound> {
  const playbooks = [chainText(chainSteps)];
  const house = await startHouse({ store: "pglite", playbooks, slots: atOnce });
  try {
    const chain = chainRuns(house);
    await took(chain, quick ? 1 : warmChains, 8);
    const [inTurn, crowd] = quick ? [2, atOnce] : [chainsInTurn, chainsAtOnce];
    const msPerStep = (await took(chain, inTurn, 1)) / (inTurn * chainSteps);
    const crowdMs = await took(chain, crowd, atOnce);
    const stepsPerSecond = ((crowd * chainSteps) / crowdMs) * 1_000;
    if (house.reports.length > 0) throw new Error(house.reports.join("; "));
    // The runtime counts in kibibytes.
    const residentBytesMax = process.resourceUsage().maxRSS * 1_024;
    return { msPerStep, stepsPerSecond, residentBytesMax };
  } finally {
    await house.close();
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await chains(process.argv.includes("--quick"))));
}
