// A folder on a file system of its own that is small enough to be filled: for disks that are full.
// Only root may mount one; elsewhere the tests that need it say so and are passed over.

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly folder: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  clear(): void;
  remove(): void;
}

/** @returns undefined where no file system may be mounted. */
export function smallDisk(megabytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), "noetl-disk-"));
  const mounted = did("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder);
  if (!mounted) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: () => fill(ballast),
    clear: () => rmSync(ballast, { force: true }),
    remove: () => {
      did("umount", "--lazy", folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function did(...command: readonly string[]): boolean {
  if (Bun.which(command[0] ?? "") === null) return false;
  return Bun.spawnSync([...command], { stdout: "ignore", stderr: "ignore" }).success;
}

/** In large pieces first, in small ones at the end: a page of a database must not fit any more. */
function fill(file: string): void {
  const descriptor = openSync(file, "a");
  for (const bytes of [1_048_576, 4_096]) {
    try {
      for (;;) writeSync(descriptor, new Uint8Array(bytes));
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ENOSPC")) throw thrown;
    }
  }
  closeSync(descriptor);
}
