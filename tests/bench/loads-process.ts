// A process of its own that puts the usual loads on the distributed shape and says what it found as
// one line of JSON. Started by distributed-shapes.ts and by hand:
//
//   bun tests/bench/loads-process.ts [chain] [crowd] [fan] [wide] [children] [etl] [--quick] [--roles=…]

import { type DistributedHouse, startDistributed } from "./bench-house.ts";
import { childrenText, childText, etlText, fanText, wideText } from "./bench-loads.ts";
import { chainText } from "./bench-plans.ts";

export interface LoadFound {
  readonly milliseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly runs: number;
  readonly steps: number;
  readonly cpuSecondsBy: Readonly<Record<string, number>>;
  readonly commits: number;
}

export type LoadName = "chain" | "crowd" | "fan" | "wide" | "children" | "etl";

const chainSteps = 10;
const items = 1_000;

interface Load {
  readonly runs: number;
  readonly lanes: number;
  readonly stepsPerRun: number;
  readonly path: string;
}

const loads: Readonly<Record<LoadName, Load>> = {
  chain: { runs: 100, lanes: 1, stepsPerRun: chainSteps, path: "chain" },
  crowd: { runs: 4_000, lanes: 64, stepsPerRun: chainSteps, path: "chain" },
  fan: { runs: 5, lanes: 1, stepsPerRun: items + 1, path: "fan" },
  wide: { runs: 5, lanes: 1, stepsPerRun: items + 2, path: "wide" },
  children: { runs: 5, lanes: 1, stepsPerRun: items + 1, path: "children" },
  etl: { runs: 1_000, lanes: 32, stepsPerRun: 3, path: "etl" },
};

const quickRuns = 2;

async function measured(house: DistributedHouse, load: Load, quick: boolean): Promise<LoadFound> {
  const runs = quick ? quickRuns : load.runs;
  const [cpuBefore, commitsBefore] = [await house.cpu(), await house.commits()];
  const times: number[] = [];
  const startedAtMs = performance.now();
  let left = runs;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const beganMs = performance.now();
      await house.run(load.path);
      times.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: load.lanes }, lane));
  const milliseconds = performance.now() - startedAtMs;
  const [cpuAfter, commitsAfter] = [await house.cpu(), await house.commits()];
  times.sort((left, right) => left - right);
  const at = (part: number): number => times[Math.ceil(part * times.length) - 1] ?? 0;
  return {
    milliseconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    runs,
    steps: runs * load.stepsPerRun,
    cpuSecondsBy: Object.fromEntries(
      Object.entries(cpuAfter).map(([name, seconds]) => [name, seconds - (cpuBefore[name] ?? 0)]),
    ),
    commits: commitsAfter - commitsBefore,
  };
}

/** A document of about a kilobyte, as the peers fetch it. */
function documentServer(): { readonly url: string; stop(): Promise<void> } {
  const list = Array.from({ length: 20 }, (_, n) => ({ sku: `sku-${n}`, qty: n, price: n * 1.5 }));
  const body = JSON.stringify({ id: 1, items: list, pad: "x".repeat(220) });
  const headers = { "content-type": "application/json" };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(body, { headers }),
  });
  return { url: server.url.href, stop: () => server.stop(true) };
}

export async function takeLoads(
  names: readonly LoadName[],
  quick: boolean,
  roles?: string,
): Promise<Partial<Record<LoadName, LoadFound>>> {
  const house = await startDistributed(roles === undefined ? {} : { roles });
  const documents = documentServer();
  try {
    await house.target.query(
      "create table etl_out (id bigserial primary key, run text, body jsonb, at timestamptz default now())",
    );
    const texts = [
      chainText(chainSteps),
      fanText(items),
      wideText(items),
      childText,
      childrenText(items),
      etlText(documents.url),
    ];
    for (const text of texts) await house.register(text);
    await measured(house, { ...loads.crowd, runs: quick ? 1 : 300, lanes: 8 }, false);
    const found: Partial<Record<LoadName, LoadFound>> = {};
    for (const name of names) {
      if (!quick)
        await measured(house, { ...loads[name], runs: Math.ceil(loads[name].runs / 20) }, false);
      found[name] = await measured(house, loads[name], quick);
    }
    return found;
  } finally {
    await documents.stop();
    await house.close();
  }
}

/** `--roles=api,sweeper` */
function rolesAsked(): string | undefined {
  return process.argv.find((flag) => flag.startsWith("--roles="))?.slice("--roles=".length);
}

if (import.meta.main) {
  const asked = process.argv.slice(2).filter((name): name is LoadName => name in loads);
  const names = asked.length > 0 ? asked : (Object.keys(loads) as LoadName[]);
  console.log(
    JSON.stringify(await takeLoads(names, process.argv.includes("--quick"), rolesAsked())),
  );
}
