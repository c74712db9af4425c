// `noetl test`: runs the tests that stand beside playbooks. It is not built yet, and says so.

import type { Arguments } from "./arguments.ts";
import { exitUsage } from "./exit-codes.ts";

/** @returns 2: nothing was done. */
export async function test(_args: Arguments): Promise<number> {
  console.error("noetl: test is not built yet; nothing was done");
  return exitUsage;
}
