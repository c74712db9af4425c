// Owns what the tests need from the machine beside Bun: where each program is, and how to get it on
// Debian. It refuses to install as anyone but root and leaves no server running behind an install.
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const postgresRoot = "/usr/lib/postgresql";

/** The folder that holds `initdb` and `postgres` of the newest PostgreSQL, or undefined. */
export function postgresBin(): string | undefined {
  const versions = existsSync(postgresRoot) ? readdirSync(postgresRoot) : [];
  const newestFirst = versions.sort((left, right) => Number(right) - Number(left));
  const folders = newestFirst.map((version) => join(postgresRoot, version, "bin"));
  const onPath = onSearchPath("initdb");
  if (onPath !== undefined) folders.push(dirname(onPath));
  return folders.find((folder) =>
    ["initdb", "postgres"].every((program) => existsSync(join(folder, program))),
  );
}

/** The NATS server program, or undefined. Debian keeps it in a folder that users don't search. */
export function natsServer(): string | undefined {
  return onSearchPath("nats-server") ?? ["/usr/sbin/nats-server"].find((path) => existsSync(path));
}

/** Any `python3`, the one on PATH first, or undefined. */
export function python(): string | undefined {
  return pythonCandidates()[0];
}

/**
 * A `python3` that can import jinja2, or undefined. The first one on PATH may be a private build
 * without the Debian modules, so the system's own is asked as well.
 */
export function pythonWithJinja(): string | undefined {
  return pythonCandidates().find((program) => {
    const asked = Bun.spawnSync([program, "-c", "import jinja2"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    return asked.exitCode === 0;
  });
}

function pythonCandidates(): readonly string[] {
  const candidates = [onSearchPath("python3"), "/usr/bin/python3"];
  const found = candidates.filter((path) => path !== undefined);
  return [...new Set(found)].filter((path) => existsSync(path));
}

/** A browser of the Chromium family, or undefined. */
export function chromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return names.map(onSearchPath).find((path) => path !== undefined);
}

/** PATH is read at the call: the runtime's own search would keep the one it was started with. */
function onSearchPath(program: string): string | undefined {
  return Bun.which(program, { PATH: process.env["PATH"] ?? "" }) ?? undefined;
}

/** Debian package names of what the tests need and this machine lacks; empty when all is there. */
export function missingPackages(): readonly string[] {
  return [
    ...(natsServer() === undefined ? ["nats-server"] : []),
    ...(postgresBin() === undefined ? ["postgresql"] : []),
    ...(pythonWithJinja() === undefined ? ["python3", "python3-jinja2"] : []),
  ];
}

/** The one line an administrator types to get packages; shown wherever something is missing. */
export function installLine(packages: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/**
 * Makes sure the machine has what the tests need. Installs as root, else prints the line to type.
 * Returns false, with the reason on standard error, when something is still missing.
 */
export function ensureSystemPackages(): boolean {
  const missing = missingPackages();
  if (missing.length === 0) return true;
  const apt = onSearchPath("apt-get");
  if (process.getuid?.() !== 0 || apt === undefined) {
    console.error("the tests need programs this machine lacks; as root, run this, then try again:");
    console.error(`  ${installLine(missing)}`);
    return false;
  }
  console.error(`installing ${missing.join(" ")}`);
  if (!withoutStartingServers(() => aptInstall(apt, missing))) return false;
  const still = missingPackages();
  if (still.length > 0) console.error(`still missing after the install: ${still.join(" ")}`);
  return still.length === 0;
}

function aptInstall(apt: string, packages: readonly string[]): boolean {
  // An administrator's own configuration file stays; nothing may wait for an answer.
  const quietly = ["-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
  return aptRun([apt, "update", "-qq"]) && aptRun([apt, "install", ...quietly, ...packages]);
}

/** Runs apt-get, whose many lines are shown only when it fails. */
function aptRun(command: readonly string[]): boolean {
  const ran = Bun.spawnSync([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (ran.exitCode === 0) return true;
  process.stderr.write(ran.stdout);
  process.stderr.write(ran.stderr);
  console.error(`${command.slice(0, 2).join(" ")} failed with ${ran.exitCode}`);
  return false;
}

/**
 * Debian starts a service when it is installed, and PostgreSQL makes a cluster of its own. Two
 * files tell it not to; each is written only where there is none. The first goes again after
 * action, the second stays, because later PostgreSQL packages read it too.
 */
function withoutStartingServers(action: () => boolean): boolean {
  const policy = "/usr/sbin/policy-rc.d";
  const cluster = "/etc/postgresql-common/createcluster.conf";
  const wrotePolicy = !existsSync(policy);
  if (wrotePolicy) {
    writeFileSync(policy, "#!/bin/sh\nexit 101\n");
    chmodSync(policy, 0o755);
  }
  if (!existsSync(cluster)) {
    mkdirSync(dirname(cluster), { recursive: true });
    writeFileSync(cluster, "create_main_cluster = false\n");
  }
  try {
    return action();
  } finally {
    if (wrotePolicy) rmSync(policy, { force: true });
  }
}
