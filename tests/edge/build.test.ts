// The modules that are built for the edge: each is whole, and asks for nothing but what every
// runtime has.
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEdge } from "#scripts/build-edge";

test("a module of the edge imports node:crypto alone, and is small enough to be taken", async () => {
  const folder = await mkdtemp(join(tmpdir(), "noetl-edge-"));
  try {
    for (const path of Object.values(await buildEdge(folder))) {
      const text = await Bun.file(path).text();
      const { imports } = new Bun.Transpiler({ loader: "js" }).scan(text);
      expect(new Set(imports.map((found) => found.path))).toEqual(new Set(["node:crypto"]));
      // Workers take 3 MB of a compressed module on every plan.
      expect(Bun.gzipSync(text).length).toBeLessThan(1_500_000);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
