// Looks at the processes of this machine, for tests that prove nothing is left running.

import { readdirSync, readFileSync } from "node:fs";

/** Processes that live (zombies don't) and whose command line or environment holds the text. */
export function livingProcesses(text: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isAlive(pid))
    .filter((pid) => `${read(pid, "cmdline")} ${read(pid, "environ")}`.includes(text));
}

/** True while the process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const status = read(pid, "stat");
  return status !== "" && !/\) [ZX] /.test(status);
}

/** Awaits a condition that other processes bring about; the test's own timeout bounds it. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
