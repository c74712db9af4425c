// A real PostgreSQL server for one test file, without durability: nothing of it must survive.

import { type ScratchPostgres, scratchPostgres } from "#scripts/scratch-postgres";

export { postgresMissing, type ScratchPostgres } from "#scripts/scratch-postgres";

const settings = [
  "fsync=off",
  "synchronous_commit=off",
  "full_page_writes=off",
  "shared_buffers=32MB",
  "autovacuum=off",
];

/** Starts a server that trusts every local connection, fast and forgetful. */
export function startPostgres(
  options: { readonly settings?: readonly string[] } = {},
): Promise<ScratchPostgres> {
  return scratchPostgres({ settings: [...settings, ...(options.settings ?? [])] });
}
