// Owns one question: which python runs moto, the stand-in for S3 that tests talk to. Where the
// machine has none, one is made in the cache of the checkout; where that fails, the reason is said.

import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "./install.ts";
import { python } from "./system-packages.ts";

const version = "5.2.1";
const environment = join(repositoryRoot, ".noetl", "cache", `moto-${version}`);
/** Packages come over a network that may be slow, or not there. */
const installMsMax = 180_000;

export type MotoPython = { readonly program: string } | { readonly missing: string };

let found: MotoPython | undefined;

/** Looked for once in a process; makes the environment, which may take minutes, if it must. */
export function motoPython(): MotoPython {
  found ??= existing() ?? alone(() => existing() ?? made());
  return found;
}

/**
 * One process at a time: two that made the environment at once would break each other's, and who
 * waited finds it made. The lock of a database file goes with its holder, however that one ends.
 */
function alone<Result>(action: () => Result): Result {
  mkdirSync(dirname(environment), { recursive: true });
  const lock = new Database(`${environment}.lock`);
  try {
    lock.run(`pragma busy_timeout = ${2 * installMsMax}`);
    lock.run("begin exclusive");
    return action();
  } finally {
    lock.close();
  }
}

function existing(): MotoPython | undefined {
  const programs = [join(environment, "bin", "python"), python()];
  const program = programs.find((path) => path !== undefined && hasMoto(path));
  return program === undefined ? undefined : { program };
}

function hasMoto(program: string): boolean {
  return existsSync(program) && ran([program, "-c", "import moto.server, moto.s3"]) === undefined;
}

function made(): MotoPython {
  const base = python();
  if (base === undefined) return { missing: "moto needs python3, which this machine lacks" };
  const program = join(environment, "bin", "python");
  const install = [
    program,
    "-m",
    "pip",
    "install",
    "--quiet",
    "--retries",
    "1",
    `moto[server,s3]==${version}`,
  ];
  const trouble = ran([base, "-m", "venv", environment]) ?? ran(install);
  if (trouble === undefined && hasMoto(program)) return { program };
  // Half an environment would be taken for a whole one by whoever looks at the folder.
  rmSync(environment, { recursive: true, force: true });
  const line = `python3 -m pip install 'moto[server,s3]==${version}'`;
  const reason = trouble ?? "what was installed can't be loaded";
  return { missing: `moto is not installed; install it with: ${line} (${reason})` };
}

/** What went wrong, in a line; undefined if nothing did. */
function ran(command: readonly string[]): string | undefined {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: installMsMax,
  });
  if (exitCode === 0) return undefined;
  const said = `${stdout}${stderr}`.trim().split("\n").at(-1) ?? "";
  return said === "" ? `${command.slice(0, 3).join(" ")} ended with ${exitCode}` : said;
}
