// Owns `.noetl/dev.json`: where the running `noetl dev` of a directory tells others its address.
// It says what was true when it was written; who reads it checks that the process still answers.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface DevFile {
  readonly pid: number;
  readonly url: string;
  /** RFC 3339. */
  readonly started_at: string;
  readonly version: string;
  /** Lets whoever can read the file in, as the administrator of this machine. */
  readonly token?: string;
}

const devFile = (directory: string): string => join(directory, "dev.json");

const ownerOnly = 0o600;

/** Puts the file in place whole, to be read by nobody else: it may hold a token. */
export function writeDevFile(directory: string, content: DevFile): void {
  mkdirSync(directory, { recursive: true });
  const unfinished = `${devFile(directory)}.${content.pid}`;
  // A file that is left of a process of the same number would keep its own mode.
  rmSync(unfinished, { force: true });
  writeFileSync(unfinished, `${JSON.stringify(content, null, 2)}\n`, { mode: ownerOnly });
  renameSync(unfinished, devFile(directory));
}

/** Removes the file that this process wrote; another's stays. */
export function removeDevFile(directory: string): void {
  if (readDevFile(directory)?.pid === process.pid) rmSync(devFile(directory), { force: true });
}

/** What the file says, whether or not that process still lives; undefined without a whole file. */
export function readDevFile(directory: string): DevFile | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(devFile(directory), "utf8"));
    return isDevFile(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isDevFile(content: unknown): content is DevFile {
  if (typeof content !== "object" || content === null) return false;
  return (
    "pid" in content &&
    typeof content.pid === "number" &&
    "url" in content &&
    typeof content.url === "string"
  );
}

/** What the file says of a process that still lives. */
export function runningDev(directory: string): DevFile | undefined {
  const content = readDevFile(directory);
  return content !== undefined && isAlive(content.pid) ? content : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // A process of somebody else may not be asked, but is there.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
