// The spools of the workers of one machine, a folder for each below a common one. A folder belongs
// to the process that locks it; what a dead process left in its folder is taken over by the next
// that starts, and stays there until it has been reported.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "#core/model/outcome";
import { fileSpool, keyText, type Spool, spoolFile } from "./spool.ts";

interface Lock {
  release(): void;
}

export interface SpoolFoldersOptions {
  readonly directory: string;
  /** Takes a folder by a lock that ends with the process; undefined when another one has it. */
  readonly lock: (folder: string) => Lock | undefined;
}

export interface SpoolFolder extends Spool {
  /** Its own folder. */
  readonly folder: string;
  /** Lets other processes have its folders; what is in them stays. */
  close(): void;
}

const folderName = /^worker-(\d+)$/;

/** Takes the first free folder for this worker, and those that dead ones left something in. */
export function spoolFolder({ directory, lock }: SpoolFoldersOptions): SpoolFolder {
  const own = takeOwn(directory, lock);
  const left = takeLeft(directory, own.folder, lock);
  /** Where an outcome of a dead worker is kept. */
  const adopted = new Map<string, Spool>();

  const loadLeft = async (): Promise<readonly Outcome[]> => {
    const all: Outcome[] = [];
    for (const { spool } of left) {
      const outcomes = await spool.load();
      for (const outcome of outcomes) adopted.set(keyText(outcome), spool);
      all.push(...outcomes);
    }
    return all;
  };

  return {
    folder: own.folder,
    load: async () => [...(await loadLeft()), ...(await own.spool.load())],
    keep: (outcomes) =>
      own.spool.keep(outcomes.filter((outcome) => !adopted.has(keyText(outcome)))),
    drop: async (keys) => {
      await own.spool.drop(keys.filter((key) => !adopted.has(keyText(key))));
      for (const { spool } of left) {
        const mine = keys.filter((key) => adopted.get(keyText(key)) === spool);
        await spool.drop(mine);
        for (const key of mine) adopted.delete(keyText(key));
      }
    },
    close: () => {
      for (const { release } of [own, ...left]) release();
    },
  };
}

interface Taken extends Lock {
  readonly folder: string;
  readonly spool: Spool;
}

type TakeLock = SpoolFoldersOptions["lock"];

function taken(folder: string, lock: TakeLock): Taken | undefined {
  const held = lock(folder);
  if (held === undefined) return undefined;
  return { folder, spool: fileSpool(folder), release: () => held.release() };
}

function takeOwn(directory: string, lock: TakeLock): Taken {
  for (let number = 1; ; number++) {
    const own = taken(join(directory, `worker-${number}`), lock);
    if (own !== undefined) return own;
  }
}

/** Folders with a spool that no process has; a living worker looks after its own. */
function takeLeft(directory: string, own: string, lock: TakeLock): readonly Taken[] {
  return readdirSync(directory)
    .filter((name) => folderName.test(name))
    .map((name) => join(directory, name))
    .filter((folder) => folder !== own && existsSync(join(folder, spoolFile)))
    .flatMap((folder) => taken(folder, lock) ?? []);
}
