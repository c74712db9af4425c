// The stores of an embedded process that stays: PGlite in a directory.

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Duty } from "#control/roles/system";
import { lockDataDirectory } from "#control/store/data-directory";
import { ensurePartitions, migrate } from "#control/store/migrate";
import { endLeases, openPglite, vacuum } from "#control/store/pglite";
import { preparedDirectory } from "#control/store/prepared";
import { sqlStores } from "#control/store/stores";
import type { Stores } from "#core/ports/stores";

export interface LastingStores extends Stores {
  /** What this database needs of whoever keeps it open for long, every few minutes. */
  readonly duties: readonly Duty[];
}

/**
 * Opens PGlite in a directory; `cache` may hold a prepared database that makes the first start fast.
 * @throws Fault `conflict` when another process has the directory.
 */
export async function pgliteStores(directory: string, cache: string): Promise<LastingStores> {
  const sql = await openPglite(directory, { prepared: preparedDirectory(cache) });
  await migrate(sql);
  await ensurePartitions(sql);
  await endLeases(sql);
  const stores = sqlStores(sql);
  return {
    ...stores,
    duties: [
      {
        name: "vacuum",
        run: async () => {
          await vacuum(sql);
          return 0;
        },
      },
    ],
  };
}

/**
 * Removes everything that the directory holds.
 * @throws Fault `conflict` when a process has it open; then nothing is removed.
 */
export function removeData(directory: string): void {
  const lock = lockDataDirectory(directory);
  try {
    rmSync(join(directory, "pgdata"), { recursive: true, force: true });
  } finally {
    lock.release();
  }
}
