// Owns one question about this machine: which process listens on a TCP port. It reads /proc, so it
// answers on Linux, and only for processes whose files the user may see.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const listening = "0A";

/** The name and id of the process that listens on a port, or undefined when it can't be seen. */
export function portHolder(port: number): string | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((f) => inodesOf(f, port)));
  if (inodes.size === 0) return undefined;
  const pids = entriesOf("/proc").filter((name) => /^\d+$/.test(name));
  const pid = pids.find((candidate) => holdsOneOf(candidate, inodes));
  if (pid === undefined) return undefined;
  return `${readText(`/proc/${pid}/comm`).trim()} (process ${pid})`;
}

/** Socket numbers that listen on a port, from a table whose addresses are `HEX:PORT`. */
function inodesOf(tablePath: string, port: number): readonly string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readText(tablePath)
    .split("\n")
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local = "", , state]) => local.endsWith(suffix) && state === listening)
    .flatMap((fields) => fields[9] ?? []);
}

function holdsOneOf(pid: string, inodes: ReadonlySet<string>): boolean {
  return entriesOf(`/proc/${pid}/fd`).some((descriptor) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      return inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
    } catch {
      // The descriptor was closed between the listing and the look.
      return false;
    }
  });
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
