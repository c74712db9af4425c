// Keeps connections warm, a small pool for each target; the count of pools is bounded, idle
// connections close. A connection that may carry state of its last call is not reused.

import type { Client, Pool, PoolClient } from "pg";

import {
  postgresConnectMs,
  postgresIdleMs,
  postgresPoolConnectionsMax,
  postgresPoolsMax,
} from "#core/model/limits";
import type { Deadline } from "./call-config.ts";
import type { PostgresTarget } from "./postgres-target.ts";

export interface Lease {
  readonly client: PoolClient;
  /** Closes the connection instead of keeping it when `reusable` is false. */
  release(options: { readonly reusable: boolean }): void;
}

export interface PostgresPools {
  lease(target: PostgresTarget, deadline: Deadline): Promise<Lease>;
  /** A connection outside the pools, for cancelling: a full pool must not block it. */
  connect(target: PostgresTarget): Promise<Client>;
  close(): Promise<void>;
}

interface Entry {
  readonly pool: Pool;
  users: number;
}

export function postgresPools(): PostgresPools {
  const entries = new Map<string, Entry>();
  const entryOf = async (target: PostgresTarget): Promise<Entry> => {
    // The password is part of the key: whoever does not know it gets no warm connection.
    const key = JSON.stringify(target);
    const { Pool, Client } = await import("pg");
    const known = entries.get(key);
    const entry = known ?? { pool: newPool(Pool, Client, target), users: 0 };
    entries.delete(key);
    entries.set(key, entry);
    evict(entries, entry);
    return entry;
  };
  return {
    lease: async (target, deadline) => {
      const entry = await entryOf(target);
      entry.users++;
      try {
        const client = await connected(entry, deadline);
        return leaseOf(entry, client);
      } catch (error) {
        entry.users--;
        throw error;
      }
    },
    connect: async (target) => {
      const { Client } = await import("pg");
      const client = new Client(clientConfig(target));
      // Without a listener, a connection that breaks later would end the process.
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    close: async () => {
      const pools = [...entries.values()].map((entry) => entry.pool);
      entries.clear();
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

function clientConfig(target: PostgresTarget) {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    // A function, since the client would replace empty text by PGPASSWORD or a password file.
    password: () => target.password,
    database: target.database,
    ssl: target.tls === "off" ? false : { rejectUnauthorized: target.tls === "verified" },
    application_name: "noetl",
    connectionTimeoutMillis: postgresConnectMs,
    keepAlive: true,
  };
}

function newPool(PoolClass: typeof Pool, ClientClass: typeof Client, target: PostgresTarget): Pool {
  // The pool's own limit would count the wait for a free connection too; a call waits for one as
  // long as its deadline lets it, but an attempt to connect must not hold its place for ever.
  class BoundedClient extends ClientClass {
    constructor() {
      super(clientConfig(target));
    }
  }
  const pool = new PoolClass({
    Client: BoundedClient,
    max: postgresPoolConnectionsMax,
    idleTimeoutMillis: postgresIdleMs,
    allowExitOnIdle: true,
  });
  // Idle connections that the server closes are no news; the next call opens another.
  pool.on("error", () => undefined);
  return pool;
}

function evict(entries: Map<string, Entry>, current: Entry): void {
  for (const [key, entry] of entries) {
    if (entries.size <= postgresPoolsMax) return;
    if (entry === current || entry.users > 0) continue;
    entries.delete(key);
    entry.pool.end().catch(() => undefined);
  }
}

function leaseOf(entry: Entry, client: PoolClient): Lease {
  const ignore = () => undefined;
  client.on("error", ignore);
  return {
    client,
    release: ({ reusable }) => {
      entry.users--;
      client.removeListener("error", ignore);
      client.release(!reusable);
    },
  };
}

/** A client of the pool, or the deadline's failure; one that comes too late goes back unused. */
async function connected(entry: Entry, deadline: Deadline): Promise<PoolClient> {
  const client = entry.pool.connect();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const abort = () => reject(deadline.ended());
  if (deadline.signal.aborted) abort();
  deadline.signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([client, ended]);
  } catch (error) {
    client.then((late) => late.release()).catch(() => undefined);
    throw error;
  } finally {
    deadline.signal.removeEventListener("abort", abort);
  }
}
