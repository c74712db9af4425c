// The registry's contract on a database: time passes by making what is stored older.
import { sqlRuntime } from "#control/store/runtime";
import type { Sql } from "#control/store/sql";
import { runtimeRegistryContract } from "./runtime-registry.ts";

const aged = "$1::float8 * interval '1 millisecond'";

const agedProcesses = `update noetl.runtime set started_at = started_at - ${aged},
  heartbeat = heartbeat - ${aged}, expires_at = expires_at - ${aged}`;
const agedMachines = `update noetl.machine set held_until = held_until - ${aged},
  free_at = free_at - ${aged}`;
const freed =
  "update noetl.machine set holder = null, held_until = '-infinity', free_at = '-infinity'";

/** Runs the contract on a migrated database that is this test's own. */
export function sqlRuntimeContract(name: string, open: () => Promise<Sql>): void {
  runtimeRegistryContract(name, async () => {
    const sql = await open();
    return {
      runtime: sqlRuntime(sql),
      advance: async (durationMs) => {
        await sql.query(agedProcesses, [durationMs]);
        await sql.query(agedMachines, [durationMs]);
      },
      reset: async () => {
        await sql.query("delete from noetl.runtime");
        await sql.query(freed);
      },
      close: () => sql.close(),
    };
  });
}
