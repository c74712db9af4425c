// The prepared database that new ones are copied from: where it is kept, and that it is there.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { prepareDataDirectory, preparedDirectory } from "#control/store/prepared";
import { isCompiled } from "#core/adapters/compiled";
import { prepareDatabaseArgument } from "./hidden-arguments.ts";

/** Inside a compiled binary there is no checkout to keep it with; the working directory serves. */
const home = isCompiled ? process.cwd() : resolve(import.meta.dir, "..");

/** With the checkout, whatever directory a command runs in. */
export const cacheDirectory = resolve(home, ".noetl", "cache");

export function isDatabasePrepared(): boolean {
  return existsSync(preparedDirectory(cacheDirectory));
}

/**
 * Makes the prepared database if it isn't there, in a process of its own: making it takes four
 * seconds and leaves a gigabyte of memory behind that no other start needs.
 * @returns where it is.
 */
export async function preparedDatabase(): Promise<string> {
  const target = preparedDirectory(cacheDirectory);
  if (existsSync(target)) return target;
  const own = isCompiled ? prepareDatabaseArgument : resolve(home, "scripts/prepare-pglite.ts");
  const child = Bun.spawn([process.execPath, own], { stdin: "ignore", stdout: "ignore" });
  await child.exited;
  // Looks again, and makes it here where the other process could not.
  await prepareDataDirectory(cacheDirectory);
  return target;
}

/** Makes it in this process, which should end after that. */
export async function prepareHere(): Promise<void> {
  await prepareDataDirectory(cacheDirectory);
}
