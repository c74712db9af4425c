// Queues that are drained by workers who are killed while they drain them, and by a control plane
// that goes and comes back: each row's effects under one key, and none left behind. The full size is
// `bun run storm --cursor`.

import { expect, test } from "bun:test";
import { type CursorStormReport, runCursorStorm } from "#scripts/storm-cursor";
import type { CursorSource } from "#scripts/storm-cursor-queue";

const limitMs = 300_000;
const seed = 20_261_122;

async function storm(
  source: CursorSource,
  size: { readonly rows: number; readonly kills: number },
): Promise<CursorStormReport> {
  const { report, output } = await runCursorStorm({ source, ...size, workers: 4, seed });
  if (!report.ok) process.stderr.write(`${output}\n`);
  return report;
}

test(
  "every row of a table is done under one key, and was in one frame",
  async () => {
    const size = { rows: 12_000, kills: 4 };
    const report = await storm("postgres", size);
    expect(report).toMatchObject({
      ...{ problems: [], kills: { worker: size.kills, control: 1 } },
      ...{ done: size.rows, done_twice: 0, claimed_again: 0 },
    });
    // Workers were lost in the middle of frames: what they had done of them was done again.
    expect(report.repeated).toBeGreaterThan(0);
    expect(report.reissued).toBeGreaterThan(0);
  },
  limitMs,
);

test(
  "every message of a stream is done under one key, also those that come again",
  async () => {
    const size = { rows: 6_000, kills: 3 };
    const report = await storm("nats", size);
    expect(report).toMatchObject({
      ...{ problems: [], kills: { worker: size.kills, control: 1, nats: 1 } },
      ...{ done: size.rows, done_twice: 0 },
    });
    // Acknowledgements were lost: these messages were in a second frame.
    expect(report.claimed_again).toBeGreaterThan(0);
  },
  limitMs,
);
