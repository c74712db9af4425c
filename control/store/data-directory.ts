// One process per data directory. A second one that opened it would see no error and lose what it
// commits, so it is refused here. The lock is the kernel's, held through an open database file:
// it ends with its process however that ends, no matter which process has the same id later.

import { Database } from "bun:sqlite";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "#core/model/fault";

const lockFile = "process.lock";
const holderFile = "process.json";

/** Reachable from here, so that no collection of garbage closes a lock that is still held. */
const heldLocks = new Set<Database>();

interface Holder {
  readonly pid: number;
  /** When the process took the directory, in ISO 8601: for people. */
  readonly since: string;
}

export interface DataDirectoryLock {
  /** Lets the next process in. Doing it twice is doing it once. */
  release(): void;
}

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
  mkdirSync(directory, { recursive: true });
  const lock = new Database(join(directory, lockFile), { create: true });
  try {
    lock.run("pragma busy_timeout = 0");
    lock.run("begin exclusive");
  } catch {
    lock.close();
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
  heldLocks.add(lock);
  return {
    release: () => {
      if (heldLocks.delete(lock)) lock.close();
    },
  };
}
