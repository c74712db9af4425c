// One process per data directory. A second one that opened it would see no error and lose what it
// commits, so it is refused here, with who has it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FolderLock, lockFolder } from "#core/adapters/folder-lock";
import { Fault } from "#core/model/fault";

const holderFile = "process.json";

interface Holder {
  readonly pid: number;
  /** When the process took the directory, in ISO 8601: for people. */
  readonly since: string;
}

export type DataDirectoryLock = FolderLock;

/** Who holds the directory: what people need to find it, never what the lock goes by. */
function holderOf(directory: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(join(directory, holderFile), "utf8"));
    // Written by `lockDataDirectory` alone; what is missing shows as unknown.
    return holder as Holder;
  } catch {
    return undefined;
  }
}

/**
 * Takes the directory, which is made when it doesn't exist, for this process.
 * @throws Fault `conflict` naming the process that has it.
 */
export function lockDataDirectory(directory: string): DataDirectoryLock {
  const lock = lockFolder(directory);
  if (lock === undefined) {
    const holder = holderOf(directory);
    const who = holder === undefined ? "another process" : `process ${holder.pid}`;
    const since = holder === undefined ? "" : ` since ${holder.since}`;
    throw new Fault(
      "conflict",
      `${directory} is in use by ${who}${since}; stop it first, or choose another directory`,
    );
  }
  const holder: Holder = { pid: process.pid, since: new Date().toISOString() };
  writeFileSync(join(directory, holderFile), JSON.stringify(holder));
  return lock;
}
