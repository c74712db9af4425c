// Files of master keys: the one that a setting names, and the one that a directory of a developer
// gets of its own. Only their owner may read them.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KeyFile } from "./key-ring.ts";

/** @param report is told, once, of a file that others may read. */
export function keyFile(path: string, report: (message: string) => void): KeyFile {
  let isTold = false;
  return {
    stamp: () => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? undefined : `${found.mtimeMs} ${found.size} ${found.ino}`;
    },
    read: () => {
      const othersMayRead = (statSync(path).mode & 0o077) !== 0;
      if (othersMayRead && !isTold && process.platform !== "win32") {
        isTold = true;
        report(`${path} holds master keys, and others than its owner may read it`);
      }
      return readFileSync(path, "utf8");
    },
  };
}

/**
 * The file of keys of a data directory, made with one key where there is none. Of two that make it
 * at the same time, one does, and both use that.
 */
export function devKeyFile(directory: string): string {
  const path = join(directory, "keys", "master.key");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const line = `dev-${randomBytes(4).toString("hex")}:${randomBytes(32).toString("base64")}\n`;
  try {
    writeFileSync(path, line, { flag: "wx", mode: 0o600 });
  } catch (thrown) {
    const isThere = thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST";
    if (!isThere) throw thrown;
  }
  return path;
}
