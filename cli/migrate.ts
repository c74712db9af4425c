// `noetl migrate`: rewrites playbooks of older forms into the one that is documented. It is not built yet, and says so.

import type { Arguments } from "./arguments.ts";
import { exitUsage } from "./exit-codes.ts";

/** @returns 2: nothing was done. */
export async function migrate(_args: Arguments): Promise<number> {
  console.error("noetl: migrate is not built yet; nothing was done");
  return exitUsage;
}
