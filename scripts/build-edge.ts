// `bun scripts/build-edge.ts`: the entries of the edge as one file each, for runtimes that take a
// module and no folder of them: dist/edge/control.js (Cloudflare Workers), dist/edge/control-deno.js.

import { join } from "node:path";
import { repositoryRoot } from "./install.ts";

export interface EdgeBuild {
  /** The files that were made, absolute. */
  readonly control: string;
  readonly controlDeno: string;
}

/** @throws Error with what the bundler found wrong. */
export async function buildEdge(folder = join(repositoryRoot, "dist", "edge")): Promise<EdgeBuild> {
  await bundle("control/edge.ts", join(folder, "control.js"));
  await bundle("control/deno.ts", join(folder, "control-deno.js"));
  return { control: join(folder, "control.js"), controlDeno: join(folder, "control-deno.js") };
}

async function bundle(entry: string, target: string): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(repositoryRoot, entry)],
    target: "browser",
    format: "esm",
    // What the runtimes bring themselves.
    external: ["node:*"],
    // Names stay: a stack trace from the edge is all that anyone will have.
    minify: { whitespace: true, syntax: true, identifiers: false },
    throw: false,
  });
  const [output] = built.outputs;
  if (!built.success || output === undefined) {
    throw new Error(`${entry} can't be bundled: ${built.logs.map(String).join("\n")}`);
  }
  await Bun.write(target, output);
}

if (import.meta.main) {
  for (const path of Object.values(await buildEdge())) {
    console.log(`${path} ${Math.ceil(Bun.file(path).size / 1024)} KiB`);
  }
}
