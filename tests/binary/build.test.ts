// `bun run build` itself: what it says, and that a build that fails takes nothing away.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "#scripts/install";
import { noetl, type Workplace, workplace } from "#tests/cli/noetl";
import { binaryTestMs, buildBinary } from "./binary.ts";

let place: Workplace;

/** A checkout as small as can be, whose program can't be built. */
beforeAll(() => {
  place = workplace({
    "package.json": "{}",
    "cli/main.ts": 'import "./missing.ts";\n',
    "dist/noetl": "the one before",
  });
  mkdirSync(place.path("node_modules"));
  for (const script of ["scripts/build.ts", "scripts/install.ts"]) {
    mkdirSync(dirname(place.path(script)), { recursive: true });
    cpSync(join(repositoryRoot, script), place.path(script));
  }
});
afterAll(() => place.remove());

test(
  "a build that fails says why and leaves the binary that was there",
  async () => {
    const { exitCode, err } = await buildBinary("dist/noetl", place.folder);
    expect(exitCode).toBe(1);
    expect(err).toContain("./missing.ts");
    expect(readdirSync(place.path("dist"))).toEqual(["noetl"]);
    expect(readFileSync(place.path("dist/noetl"), "utf8")).toBe("the one before");
  },
  binaryTestMs,
);

test("a flag that there is not is refused with the usage", async () => {
  const script = [process.execPath, place.path("scripts/build.ts")];
  const { exitCode, err } = await noetl(["--target", "x"], { cwd: place.folder, program: script });
  expect({ exitCode, err }).toEqual({
    exitCode: 2,
    err: "usage: bun run build [--outfile FILE]\n",
  });
});
