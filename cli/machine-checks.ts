// Owns the single looks of `noetl doctor`: programs and their versions, ports, disk and clock. Each
// answers a row, never throws, and says only what it could see.
import { existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  chromium,
  installLine,
  natsServer,
  postgresBin,
  python,
  pythonWithJinja,
} from "#scripts/system-packages";
import packageJson from "../package.json" with { type: "json" };
import type { MachineCheck } from "./doctor.ts";
import { portHolder } from "./port-holder.ts";

/** Below this the embedded database may stop in the middle of a run. */
const diskFreeBytesMin = 512 * 1_048_576;
const clockSampleMs = 200;
/** Two clocks of one machine that part by more than this in a sample were being moved. */
const clockDriftMsMax = 50;
const programTimeoutMs = 5_000;

/** The product, the runtime, and the packages whose behaviour shows through. */
export function versionChecks(): readonly MachineCheck[] {
  const { version, dependencies } = packageJson;
  const shown = ["elysia", "arktype", "@electric-sql/pglite", "@duckdb/node-api"] as const;
  const packages = shown.map((name) => `${name} ${dependencies[name]}`);
  return [
    { name: "noetl", status: "ok", found: version },
    { name: "bun", status: "ok", found: `${Bun.version} at ${process.execPath}` },
    { name: "packages", status: "ok", found: packages.join(", ") },
  ];
}

/** Programs beside Bun. All are optional: the advice says which part of the product uses each. */
export function programChecks(): readonly MachineCheck[] {
  const postgres = postgresBin();
  return [
    program("python3", python(), { packages: ["python3"], use: "python steps" }),
    program("python3 with jinja2", pythonWithJinja(), {
      packages: ["python3", "python3-jinja2"],
      use: "the tests of the template language",
    }),
    program("nats-server", natsServer(), {
      packages: ["nats-server"],
      use: "the distributed shape on this machine, and its tests",
    }),
    program("PostgreSQL", postgres === undefined ? undefined : resolve(postgres, "postgres"), {
      packages: ["postgresql"],
      use: "the distributed shape on this machine, and its tests",
    }),
    program("chromium", chromium(), { packages: ["chromium"], use: "the tests of the console" }),
  ];
}

type ProgramNeed = { readonly packages: readonly string[]; readonly use: string };

function program(name: string, path: string | undefined, need: ProgramNeed): MachineCheck {
  if (path === undefined) {
    const advice = `for ${need.use}: ${installLine(need.packages)}`;
    return { name, status: "warning", found: "not found", advice };
  }
  const asked = Bun.spawnSync([path, "--version"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: programTimeoutMs,
  });
  const said = `${asked.stdout}${asked.stderr}`.split("\n")[0] ?? "";
  const version = /\d+(?:\.\d+)+/.exec(said)?.[0];
  if (asked.exitCode === 0 && version !== undefined) {
    return { name, status: "ok", found: `${version} at ${path}` };
  }
  const found = `${path} --version ended with ${asked.exitCode ?? "a signal"}`;
  return { name, status: "warning", found, advice: `for ${need.use}: install it again` };
}

/** Whether a port can be taken now, and who has it if not; the product then takes another. */
export async function portCheck(use: string, port: number): Promise<MachineCheck> {
  const name = `port ${port}`;
  if (canListen(port)) return { name, status: "ok", found: `free for the ${use}` };
  const holder = portHolder(port);
  const found =
    holder === undefined ? "taken, by whom is not visible to you" : `taken by ${holder}`;
  return { name, status: "warning", found, advice: `the ${use} takes the next free port instead` };
}

function canListen(port: number): boolean {
  try {
    const listener = Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {} } });
    listener.stop(true);
    return true;
  } catch {
    return false;
  }
}

/** The space left where the embedded shape writes, or where it will once it is started. */
export function diskCheck(directory: string): MachineCheck {
  const name = "disk";
  let place = resolve(directory);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  try {
    const { bavail, bsize } = statfsSync(place);
    const freeBytes = bavail * bsize;
    const found = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free under ${place}`;
    if (freeBytes >= diskFreeBytesMin) return { name, status: "ok", found };
    return { name, status: "problem", found, advice: "free half a gibibyte, or move the folder" };
  } catch (error) {
    const found = `${place} can't be measured: ${error instanceof Error ? error.message : error}`;
    return { name, status: "warning", found };
  }
}

/**
 * Compares the wall clock with the steady one over a short sample, and with the time this program
 * was built for. It can't see the true time: that would need another machine's clock.
 */
export async function clockCheck(): Promise<MachineCheck> {
  const name = "clock";
  const wallMs = Date.now();
  const steadyMs = performance.now();
  await Bun.sleep(clockSampleMs);
  const driftMs = Math.abs(Date.now() - wallMs - (performance.now() - steadyMs));
  const now = new Date().toISOString();
  if (wallMs < Date.UTC(2026, 0)) {
    const advice = "set the clock: ids and leases carry its time";
    return { name, status: "problem", found: `${now} is before this version was made`, advice };
  }
  if (driftMs > clockDriftMsMax) {
    const found = `moved ${Math.round(driftMs)} ms in ${clockSampleMs} ms`;
    const advice = "let one service at a time correct the clock, and by slewing";
    return { name, status: "warning", found, advice };
  }
  const synchronized = existsSync("/run/systemd/timesync/synchronized");
  const source = synchronized ? "synchronised by systemd" : "whether it is synchronised is unknown";
  return { name, status: "ok", found: `${now}, steady, ${source}` };
}
