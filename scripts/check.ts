// `bun run check`: what must hold before a review, in under fifteen seconds. Every check is a
// process of its own, two at a time, and ends in one line: name, verdict, how long it took. Long
// tests run in their short form here, and in full in `bun run test`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureDependencies, repositoryRoot } from "./install.ts";
import { briefVariable } from "./test-amount.ts";

type Check = { readonly name: string; readonly command: readonly string[] };

ensureDependencies();
process.exitCode = await main();

async function main(): Promise<number> {
  const waiting = [...checks()];
  const verdicts: boolean[] = [];
  const lane = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      verdicts.push(await passes(check));
    }
  };
  await Promise.all([lane(), lane()]);
  return verdicts.every((ok) => ok) ? 0 : 1;
}

/** The checks in the order they start; the unit tests and the compiler take longest, so they lead. */
function checks(): readonly Check[] {
  const bun = process.execPath;
  const testing = [bun, "test", "--only-failures"];
  const installed = (path: string) => join(repositoryRoot, "node_modules", path);
  const colors = `--colors=${process.stdout.isTTY ? "force" : "off"}`;
  const hasUnitTests = existsSync(join(repositoryRoot, "tests/unit"));
  return [
    ...(hasUnitTests ? [{ name: "unit", command: [...testing, "./tests/unit/"] }] : []),
    { name: "types", command: [bun, installed("typescript/bin/tsc"), "-p", "."] },
    { name: "lint", command: [bun, installed("@biomejs/biome/bin/biome"), "ci", colors, "."] },
    { name: "tidy", command: [...testing, "./tests/tidy.test.ts", "./tests/tidy/"] },
    { name: "generated", command: [bun, "scripts/generate.ts", "--check"] },
  ];
}

/** Runs one check, prints its line, and below it what the check said when it failed. */
async function passes({ name, command }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const child = Bun.spawn([...command], {
    cwd: repositoryRoot,
    env: { ...process.env, [briefVariable]: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const tookMs = Math.round(performance.now() - startedAt);
  const ok = exitCode === 0;
  console.log(`${name.padEnd(10)} ${(ok ? "ok" : "failed").padEnd(6)} ${tookMs} ms`);
  if (!ok) console.log(`${out}${err}`.trimEnd());
  return ok;
}
