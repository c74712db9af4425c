// PostgreSQL inside this process, in a directory of its own: the database of the embedded shape.
// It owns how the engine is loaded, opened and closed, and who may open a directory.
//
// Durability: a commit is in the operating system's hands before it is acknowledged, so nothing
// acknowledged is lost when the process dies. The engine doesn't flush the disk (fsync is off in
// it), so a power failure may lose or damage the directory; use PostgreSQL where that matters.
// Its relaxed durability is left off: on a directory it gains no speed.

import { existsSync, renameSync, rmSync } from "node:fs";
import { constants, cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite, type PGliteOptions } from "@electric-sql/pglite";
import { isCompiled } from "#core/adapters/compiled";
import { lockDataDirectory } from "./data-directory.ts";
import { engineStatements } from "./pglite-statements.ts";
import type { Sql } from "./sql.ts";

/** The engine's files, for binaries in which it can't find them next to its own code. */
export type PgliteAssets = Required<
  Pick<PGliteOptions, "pgliteWasmModule" | "initdbWasmModule" | "fsBundle">
>;

export interface PgliteOpening {
  /** A directory made by `prepareDataDirectory`; used for a fresh database when it exists. */
  readonly prepared?: string;
}

/**
 * The engine has no background processes. Without statistics, and with plans kept from when tables
 * were small, an index is always taken where there is one. The write-ahead log is cut at a size
 * that is replayed in about a second after a kill. Buffers beyond the system's own are few.
 */
const settings = ["enable_seqscan=off", "max_wal_size=64MB", "shared_buffers=32MB"];

const startParams = [
  ...PGlite.defaultStartParams,
  ...settings.flatMap((setting) => ["-c", setting]),
];

/** Next to its own code the engine finds its files by itself. */
export async function engineAssets(): Promise<Partial<PgliteAssets>> {
  return isCompiled ? (await import("./pglite-assets.ts")).carriedAssets() : {};
}

const startEngine = async (dataDir: string): Promise<PGlite> =>
  PGlite.create({ ...(await engineAssets()), dataDir, startParams });

function engineSql(engine: PGlite, afterClose: () => void): Sql {
  let closing: Promise<void> | undefined;
  return {
    query: engineStatements(engine),
    close: () => {
      closing ??= engine.close().finally(afterClose);
      return closing;
    },
  };
}

/**
 * Ends every lease. For a process that has just opened a directory: only one may have it, so who
 * held them is dead, and nobody needs to be waited for.
 */
export async function endLeases(sql: Sql): Promise<void> {
  await sql.query("update noetl.command set lease_until = now() where status = 'leased'");
}

/**
 * Takes back the room of rows that were changed or removed; nothing else does it. To be called
 * every few minutes by a process that stays, when it has little to do: about 50 ms.
 */
export async function vacuum(sql: Sql): Promise<void> {
  await sql.query("vacuum noetl.command, noetl.execution");
}

/**
 * Makes a new database at `target`, which doesn't exist yet: from the prepared one in about 80 ms,
 * else from nothing in about 4 s. It is there whole or not at all, whenever the process dies.
 */
async function createDatabase(target: string, opening: PgliteOpening): Promise<void> {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  if (opening.prepared !== undefined && existsSync(opening.prepared)) {
    // A clone where the file system has them; never a hard link, for pages are written in place.
    const mode = constants.COPYFILE_FICLONE;
    await cp(opening.prepared, unfinished, { recursive: true, mode });
  } else {
    const engine = await startEngine(unfinished);
    await engine.close();
  }
  renameSync(unfinished, target);
}

/**
 * Opens the database in the directory, making both when there are none; undefined opens a scratch
 * database that is gone when it is closed. Statements run one after the other. The process stays
 * alive until `close`.
 * @throws Fault `conflict` when another process has the directory open.
 */
export async function openPglite(
  directory: string | undefined,
  opening: PgliteOpening = {},
): Promise<Sql> {
  const home = directory ?? (await mkdtemp(join(tmpdir(), "noetl-scratch-")));
  const lock = lockDataDirectory(home);
  const leave = (): void => {
    lock.release();
    if (directory === undefined) rmSync(home, { recursive: true, force: true });
  };
  try {
    const dataDir = join(home, "pgdata");
    if (!existsSync(dataDir)) await createDatabase(dataDir, opening);
    return engineSql(await startEngine(dataDir), leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** Makes a new migrated database at `target` with `fill`, to be copied later. */
export async function createPglite(
  target: string,
  fill: (sql: Sql) => Promise<void>,
): Promise<void> {
  const sql = engineSql(await startEngine(target), () => {});
  try {
    await fill(sql);
    await sql.query("checkpoint");
  } finally {
    await sql.close();
  }
}
