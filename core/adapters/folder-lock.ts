// One process per folder. The lock is the kernel's, held through an open database file: it ends
// with its process however that ends, no matter which process has the same id later.

import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

export const lockFile = "process.lock";

/** Reachable from here, so that no collection of garbage closes a lock that is still held. */
const heldLocks = new Set<Database>();

export interface FolderLock {
  /** Lets the next process in. Doing it twice is doing it once. */
  release(): void;
}

/** Takes the folder, which is made when it doesn't exist; undefined when a process has it. */
export function lockFolder(folder: string): FolderLock | undefined {
  mkdirSync(folder, { recursive: true });
  const lock = new Database(join(folder, lockFile), { create: true });
  try {
    lock.run("pragma busy_timeout = 0");
    lock.run("begin exclusive");
  } catch {
    lock.close();
    return undefined;
  }
  heldLocks.add(lock);
  return {
    release: () => {
      if (heldLocks.delete(lock)) lock.close();
    },
  };
}
