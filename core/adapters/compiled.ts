// Whether this is the compiled binary, which has no checkout and no node_modules around it: what it
// needs beside code is carried inside, as files that are read by path. For the operating system's
// own loader such a file is unpacked, where nobody else can have put another in its place.

import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Fault, messageOf } from "#core/model/fault";

/** Where the runtime shows what a binary carries. */
const carried = "/$bunfs/";

export const isCompiled: boolean = import.meta.dir.startsWith(carried);

/**
 * Gives `load` a real file with the bytes of a carried one. The file is unpacked once for each
 * content and user, in a folder below the temporary one that the user alone may write to; any
 * number of processes may ask at once. Where somebody else has taken that folder's name, it is
 * unpacked for this process only and removed when it has been loaded.
 * @throws Fault `unavailable` naming the folder when the file can't be written there or not loaded.
 */
export async function loadUnpacked<Loaded>(
  path: string,
  name: string,
  load: (file: string) => Loaded,
): Promise<Loaded> {
  if (!path.startsWith(carried)) return load(path);
  const parent = tmpdir();
  try {
    checkParent(parent);
    // The runtime names what it carries after the content.
    const own = ownFolder(join(parent, `noetl-${userId()}-${basename(path)}`));
    if (own !== undefined) return load(await unpacked(path, join(own, name)));
    const once = mkdtempSync(join(parent, "noetl-once-"));
    try {
      return load(await unpacked(path, join(once, name)));
    } finally {
      rmSync(once, { recursive: true, force: true });
    }
  } catch (thrown) {
    throw new Fault(
      "unavailable",
      `${name} could not be unpacked and loaded in ${parent}: ${messageOf(thrown)}; expected a folder with ` +
        `${Math.ceil(Bun.file(path).size / 1_000_000)} MB free that may be written to and holds ` +
        "programs (no noexec), which TMPDIR may name",
      { cause: thrown },
    );
  }
}

/** Where others may rename what is ours, no check of it holds for long. */
function checkParent(folder: string): void {
  const { mode } = statSync(folder);
  const [others, sticky] = [0o002, 0o1000];
  if ((mode & others) === 0 || (mode & sticky) !== 0) return;
  throw new Fault("forbidden", "anybody may remove what is in it (no sticky bit)");
}

const userId = (): number => process.getuid?.() ?? 0;

/** A name that others can guess is used only when nobody else can have put anything there. */
function ownFolder(folder: string): string | undefined {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  return found.isDirectory() && isOurs(found) ? folder : undefined;
}

function isOurs({ uid, mode }: Stats): boolean {
  return uid === userId() && (mode & 0o022) === 0;
}

/** Whole or not there: what is written gets its name at the end, and the last to finish wins. */
async function unpacked(path: string, target: string): Promise<string> {
  const source = Bun.file(path);
  const found = lstatSync(target, { throwIfNoEntry: false });
  if (found?.isFile() === true && isOurs(found) && found.size === source.size) return target;
  const unfinished = `${target}.${Bun.randomUUIDv7()}`;
  try {
    const file = openSync(unfinished, "wx", 0o700);
    try {
      writeFileSync(file, await source.bytes());
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, target);
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    throw thrown;
  }
  return target;
}
