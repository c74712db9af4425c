// What a python step of one line costs in a runner that is warm.

import type { Measurement } from "#scripts/bench-figure";
import { median } from "#scripts/bench-figure";
import { toolContext } from "#tests/tools/context";
import { pythonTool } from "#worker/tools/python";

const warmCalls = 50;
const calls = 500;
const config = { code: "result = 1 + 1" };

async function warmCallMs(quick: boolean): Promise<number> {
  if (Bun.which("python3") === null) throw new Error("expected python3 on PATH, found none");
  const tool = pythonTool();
  const call = async (): Promise<number> => {
    const context = toolContext();
    const startedAtMs = performance.now();
    const { status, data, error } = await tool.run(config, context);
    const tookMs = performance.now() - startedAtMs;
    if (status === "ok" && data === 2) return tookMs;
    throw new Error(`expected the result 2, found ${error?.message ?? JSON.stringify(data)}`);
  };
  try {
    for (let made = 0; made < (quick ? 1 : warmCalls); made++) await call();
    const times: number[] = [];
    for (let made = 0; made < (quick ? 3 : calls); made++) times.push(await call());
    return median(times);
  } finally {
    await tool.close();
  }
}

export const measurements: readonly Measurement[] = [
  {
    targets: [
      { metric: "python step of one line, warm, p50", unit: "ms", target: 1, better: "lower" },
    ],
    runs: 3,
    take: async (quick) => [await warmCallMs(quick)],
  },
];
