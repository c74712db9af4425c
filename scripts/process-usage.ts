// What processes use, as Linux counts it: the CPU time and the memory of a process and of all that
// it started.

import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks of a second: the kernel shows this many on every Linux. */
const ticksPerSecond = 100;

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

function entryOf(pid: number): Entry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold anything, brackets too; what follows its end does not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const at = (place: number): number => Number(fields[place]);
    // Own time and that of children which have ended, both in user and in system mode.
    return { pid, parent: at(1), ticks: at(11) + at(12) + at(13) + at(14) };
  } catch {
    return undefined;
  }
}

/** The process and all that it started, those that live. */
export function familyOf(pid: number): readonly number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => entryOf(Number(name)) ?? []);
  const family = [pid];
  for (const member of family) {
    for (const { pid: child, parent } of all) if (parent === member) family.push(child);
  }
  return family;
}

/** Seconds of CPU that the process and its family have used. */
export function cpuSecondsOf(pid: number): number {
  const ticks = familyOf(pid).reduce((sum, member) => sum + (entryOf(member)?.ticks ?? 0), 0);
  return ticks / ticksPerSecond;
}

/** Bytes of memory that the process holds; shared pages count whole. */
export function residentBytesOf(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** The most that it has held so far. */
export function residentBytesMaxOf(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

/** 0 where the process is gone, or there is no /proc. */
function statusBytes(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1];
    return Number(kibibytes ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
