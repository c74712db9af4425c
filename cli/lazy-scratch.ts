// The scratch database behind the credential `pg_local`: PostgreSQL inside this process, on a port
// of this machine, started when it is first asked for. It is never the database of the log.
//
// All its connections share one session (pglite-socket): transactions run one after the other,
// and what a connection sets for itself is set for all.

import { existsSync, renameSync, rmSync } from "node:fs";
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CredentialRecord } from "#core/ports/control-plane";
import { scratchAlias } from "./credentials.ts";

/** Connections at once; the postgres tool opens at most eight for a target. */
const connectionsMax = 32;

export interface LazyScratch {
  /** Starts the database with the first call. */
  credential(): Promise<CredentialRecord>;
  close(): Promise<void>;
}

interface Scratch {
  readonly credential: CredentialRecord;
  close(): Promise<void>;
}

/** @param directory where its data stays between processes; undefined for one that goes with us. */
export function lazyScratch(directory?: string): LazyScratch {
  let starting: Promise<Scratch> | undefined;
  return {
    credential: async () => {
      starting ??= startScratch(directory);
      try {
        return (await starting).credential;
      } catch (thrown) {
        // The next one to ask may have better luck.
        starting = undefined;
        throw thrown;
      }
    },
    close: async () => {
      const started = await starting?.catch(() => undefined);
      await started?.close();
    },
  };
}

async function startScratch(directory: string | undefined): Promise<Scratch> {
  const [{ PGlite }, { PGLiteSocketServer }, { engineAssets }] = await Promise.all([
    import("@electric-sql/pglite"),
    import("@electric-sql/pglite-socket"),
    import("#control/store/pglite"),
  ]);
  const home = directory ?? (await mkdtemp(join(tmpdir(), "noetl-pg-local-")));
  const dataDir = join(home, "pgdata");
  if (!existsSync(dataDir)) await copyPrepared(dataDir);
  const db = await PGlite.create({ ...(await engineAssets()), dataDir });
  await db.exec("drop schema if exists noetl cascade");
  const server = new PGLiteSocketServer({
    db,
    host: "127.0.0.1",
    port: 0,
    maxConnections: connectionsMax,
  });
  await server.start();
  const port = Number(server.getServerConn().split(":").at(-1));
  const data = {
    host: "127.0.0.1",
    port,
    user: "postgres",
    password: "postgres",
    database: "postgres",
  };
  return {
    credential: { name: scratchAlias, type: "postgres", data },
    close: async () => {
      await server.stop();
      await db.close();
      if (directory === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The prepared database of the log is an empty one but for its schema, which is dropped. */
async function copyPrepared(target: string): Promise<void> {
  const { preparedDatabase } = await import("./prepared-database.ts");
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await cp(await preparedDatabase(), unfinished, { recursive: true });
  renameSync(unfinished, target);
}
