// Owns one question: are the dependencies of the lockfile in node_modules, and if not, put them
// there. It imports nothing but the runtime, because it runs before anything else is installed.
import { existsSync, statSync, utimesSync } from "node:fs";
import { resolve } from "node:path";

/** The root of the checkout, absolute. Every script works from here, wherever it was called. */
export const repositoryRoot = resolve(import.meta.dir, "..");

const lockfile = resolve(repositoryRoot, "bun.lock");
const installed = resolve(repositoryRoot, "node_modules");

/** Tells the second process of `ensureDependencies` that it is the second: one is enough. */
const secondProcess = "DEPENDENCIES_JUST_INSTALLED";

/**
 * True when node_modules is there and no older than the lockfile: two looks at the file system, for
 * commands that must start at once.
 */
export function dependenciesPresent(): boolean {
  if (!existsSync(installed)) return false;
  return !existsSync(lockfile) || statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs;
}

/**
 * Brings node_modules to what bun.lock says and returns the exit code of the installer, 0 when all
 * is well. The runtime that runs us does the work, so no `bun` has to be on PATH. Output appears
 * only when something had to be fetched or went wrong: a lockfile already satisfied says nothing.
 */
export function installDependencies(): number {
  const upToDate = dependenciesPresent();
  if (!upToDate) process.stderr.write("installing dependencies from bun.lock\n");
  const install = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile"], {
    cwd: repositoryRoot,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (install.exitCode !== 0) {
    process.stderr.write(install.stdout);
    process.stderr.write(install.stderr);
    process.stderr.write(`bun install --frozen-lockfile failed with ${install.exitCode}\n`);
  } else if (!upToDate && existsSync(installed) && existsSync(lockfile)) {
    markCurrent();
  }
  return install.exitCode;
}

/** An install that changed nothing leaves an old date; a lockfile may carry one in the future. */
function markCurrent(): void {
  const seconds = Math.max(Date.now(), Math.ceil(statSync(lockfile).mtimeMs)) / 1000;
  try {
    utimesSync(installed, seconds, seconds);
  } catch {
    // Only the owner may set a date. The price is that the next command looks again.
  }
}

/**
 * Installs only when node_modules is missing or older than the lockfile, then starts this same
 * command again in a new process and ends with its exit code: a runtime that began without
 * node_modules has already remembered that it is not there. Returns at once in any other case.
 */
export function ensureDependencies(): void {
  if (process.env[secondProcess] !== undefined) {
    // Not for the programs that this one will start in turn.
    delete process.env[secondProcess];
    return;
  }
  if (dependenciesPresent()) return;
  const code = installDependencies();
  if (code !== 0) process.exit(code);
  const again = Bun.spawnSync([process.execPath, ...process.argv.slice(1)], {
    env: { ...process.env, [secondProcess]: "1" },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  process.exit(again.exitCode ?? 1);
}
