// Neon for the tests of one file: a proxy of our own in front of a PostgreSQL server, and migrated
// databases behind it, reached in either way.

import { afterAll } from "bun:test";
import { migrate } from "#control/store/migrate";
import { openNeonHttp } from "#control/store/neon-http";
import { openNeonSocket } from "#control/store/neon-socket";
import type { Sql } from "#control/store/sql";
import { type NeonProxy, startNeonProxy } from "#scripts/neon-proxy";
import { postgresWorld } from "#tests/contract/postgres-world";

export interface NeonDatabase {
  /** With the password that the driver wants to see. */
  readonly url: string;
  readonly proxy: NeonProxy;
}

export interface NeonWay {
  readonly name: string;
  open(database: NeonDatabase, silenceMs?: number): Sql;
}

export const neonWays: readonly NeonWay[] = [
  {
    name: "Neon over HTTP",
    open: ({ url, proxy: { fetchEndpoint } }, silenceMs) =>
      openNeonHttp(url, { fetchEndpoint, ...(silenceMs === undefined ? {} : { silenceMs }) }),
  },
  {
    name: "Neon over WebSocket",
    open: ({ url, proxy: { wsProxy } }, silenceMs) =>
      openNeonSocket(url, { wsProxy, ...(silenceMs === undefined ? {} : { silenceMs }) }),
  },
];

export interface NeonWorld {
  /** A new database without a schema. */
  newDatabase(): Promise<NeonDatabase>;
  /** A migrated database of the caller's own. */
  open(way: NeonWay): Promise<Sql>;
}

/** Starts server and proxy for the file's tests and stops them after those. */
export function neonWorld(): NeonWorld {
  const postgres = postgresWorld();
  let proxy: NeonProxy | undefined;
  afterAll(() => proxy?.stop());
  const newDatabase = async (): Promise<NeonDatabase> => {
    const url = new URL(await postgres.newDatabase());
    proxy ??= startNeonProxy({ postgresUrl: url.href });
    url.password = "any";
    return { url: url.href, proxy };
  };
  return {
    newDatabase,
    open: async (way) => {
      const sql = way.open(await newDatabase());
      await migrate(sql);
      return sql;
    },
  };
}
