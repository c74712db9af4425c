// `bun run build [--outfile FILE]`: one binary for every process of the product, for this kind of
// machine. It carries the runtime, our code and every file that code needs beside it.

import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { BunPlugin } from "bun";
import { ensureDependencies, repositoryRoot } from "./install.ts";

const bindings = "@duckdb/node-bindings-";
const thisMachine = `${process.platform}-${process.arch}`;

/** DuckDB's client names the addons of every kind of machine; this one has only its own. */
const otherMachines: readonly string[] = [
  "linux-x64-musl",
  "linux-arm64",
  "linux-arm64-musl",
  "linux-x64",
  "darwin-arm64",
  "darwin-x64",
  "win32-arm64",
  "win32-x64",
]
  .filter((machine) => machine !== thisMachine)
  .map((machine) => `${bindings}${machine}/duckdb.node`);

/** The source names the library of one kind of machine; carried is the one of this machine. */
const librariesOfThisMachine: BunPlugin = {
  name: "libraries of this machine",
  setup: (build) => {
    const file = process.platform === "darwin" ? "libduckdb.dylib" : "libduckdb.so";
    const path = resolve(repositoryRoot, "node_modules", `${bindings}${thisMachine}`, file);
    build.onResolve({ filter: /\/libduckdb\.so$/ }, () => ({ path }));
  },
};

ensureDependencies();
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const [flag, file = "dist/noetl", ...rest] = argv.length === 0 ? ["--outfile"] : argv;
  if (flag !== "--outfile" || rest.length > 0) {
    console.error("usage: bun run build [--outfile FILE]");
    return 2;
  }
  const outfile = resolve(repositoryRoot, file);
  const beganMs = performance.now();
  if (!(await isBuilt(outfile))) return 1;
  const builtMs = performance.now() - beganMs;
  const megabytes = (statSync(outfile).size / 1_000_000).toFixed(0);
  const startMs = coldStartMs(outfile);
  console.log(
    `${outfile}: ${megabytes} MB, built in ${(builtMs / 1_000).toFixed(1)} s, ` +
      `starts in ${startMs.toFixed(0)} ms (median of 5, noetl version)`,
  );
  return 0;
}

/** A binary that runs keeps its file: the new one takes its name only when it is whole. */
async function isBuilt(outfile: string): Promise<boolean> {
  mkdirSync(dirname(outfile), { recursive: true });
  const unfinished = `${outfile}.${process.pid}`;
  const built = await Bun.build({
    entrypoints: [resolve(repositoryRoot, "cli/main.ts")],
    compile: {
      outfile: unfinished,
      // What lies in the folder of whoever calls it is no business of the binary.
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
    // Parsed ahead: a start costs a fraction of what it does from text.
    format: "esm",
    bytecode: true,
    // Names stay, so that what an error shows can be found in the source.
    minify: { whitespace: true, syntax: true },
    sourcemap: "none",
    external: [...otherMachines],
    plugins: [librariesOfThisMachine],
    throw: false,
  });
  for (const log of built.logs) console.error(String(log));
  if (built.success) {
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, outfile);
  } else {
    rmSync(unfinished, { force: true });
  }
  return built.success;
}

function coldStartMs(program: string): number {
  const times = Array.from({ length: 5 }, () => {
    const beganMs = performance.now();
    const { exitCode } = Bun.spawnSync([program, "version"], { stdout: "ignore" });
    if (exitCode !== 0) throw new Error(`${program} version ended with ${exitCode}`);
    return performance.now() - beganMs;
  });
  return times.sort((left, right) => left - right)[2] ?? 0;
}
