// A file far larger than the memory a transfer may take goes through it: nothing gathers on the way.

import { expect, test } from "bun:test";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { repositoryRoot } from "#scripts/install";

const fileBytes = 200 * 1_048_576;
const memoryBytesMax = 400 * 1_048_576;
const msMax = 120_000;

async function largeCsv(path: string): Promise<number> {
  const stream = createWriteStream(path);
  stream.write("id,name,note\n");
  const note = 'grüße, with ""quotes"" and text '.repeat(3);
  let rows = 0;
  for (let bytes = 0; bytes < fileBytes; ) {
    const lines = Array.from({ length: 1_000 }, () => `${++rows},name ${rows},"${note}"\n`).join(
      "",
    );
    bytes += Buffer.byteLength(lines);
    if (!stream.write(lines)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  await new Promise<void>((resolve) => stream.end(resolve));
  return rows;
}

test(
  "200 MB of csv go into DuckDB within 400 MB of memory",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "noetl-transfer-memory-"));
    try {
      const rows = await largeCsv(join(root, "large.csv"));
      const program = new URL("./transfer-process.ts", import.meta.url).pathname;
      const child = Bun.spawn([process.execPath, program, root], {
        cwd: repositoryRoot,
        stdout: "pipe",
        stderr: "inherit",
      });
      const told: unknown = JSON.parse(await new Response(child.stdout).text());
      expect(told).toMatchObject({ rows, error: null });
      const { maxRssBytes } = told as { readonly maxRssBytes: number };
      expect(maxRssBytes).toBeLessThan(memoryBytesMax);
    } finally {
      await rm(root, { recursive: true });
    }
  },
  msMax,
);
