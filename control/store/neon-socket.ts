// Neon over WebSocket: a few connections that are kept, as on a PostgreSQL server. For processes
// that stay; a runtime that keeps requests apart has the way over HTTP.

import { Client, type ClientConfig, Pool } from "@neondatabase/serverless";
import { databaseConnectionsMax, databaseConnectMs, databaseSilenceMs } from "#core/model/limits";
import { neonFailure, neonTypes } from "./neon-values.ts";
import { type Sql, type SqlValue, sqlFault } from "./sql.ts";

export interface NeonSocketOptions {
  readonly connections?: number;
  /** `host:port/path` of a proxy of one's own without encryption; by default Neon's, with it. */
  readonly wsProxy?: string;
  /** No answer within so many milliseconds means that the connection is dead. */
  readonly silenceMs?: number;
}

/** Such a proxy hands on what it gets: encryption and a password sent ahead are Neon's own. */
function proxiedClient(wsProxy: string): typeof Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      Object.assign(this.neonConfig, {
        wsProxy,
        useSecureWebSocket: false,
        pipelineConnect: false,
        pipelineTLS: false,
      });
    }
  };
}

/**
 * Opens a pool; nothing is connected before the first statement. A connection that failed is given
 * up, and the statements that follow make others.
 */
export function openNeonSocket(url: string, options: NeonSocketOptions = {}): Sql {
  const { connections = databaseConnectionsMax, silenceMs = databaseSilenceMs, wsProxy } = options;
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: databaseConnectMs,
    query_timeout: silenceMs,
    types: neonTypes,
  });
  if (wsProxy !== undefined) pool.Client = proxiedClient(wsProxy);
  // An idle connection that breaks is out of the pool already; unheard, it would end the process.
  pool.on("error", () => {});
  let closing: Promise<void> | undefined;
  return {
    query: async <Row>(text: string, values: readonly SqlValue[] = []) => {
      try {
        const { rows } = await pool.query(text, [...values]);
        // The statement's own text says what its rows hold.
        return rows as readonly Row[];
      } catch (thrown) {
        throw sqlFault(neonFailure(thrown));
      }
    },
    close: () => {
      closing ??= pool.end();
      return closing;
    },
  };
}
