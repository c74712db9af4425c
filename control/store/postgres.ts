// A PostgreSQL server as the stores see it, through the runtime's own client: a few connections,
// statements pipelined on each, plans kept by the server.

import { SQL } from "bun";
import {
  databaseConnectionsMax,
  databaseConnectMs,
  databaseSilenceMs,
  databaseStatementMs,
} from "#core/model/limits";
import { type Sql, type SqlFailure, type SqlValue, sqlFault } from "./sql.ts";

export interface PostgresOptions {
  readonly connections?: number;
  /** Shown in the server's list of sessions. */
  readonly application?: string;
  /** No answer for so many milliseconds means that the connections are dead. */
  readonly silenceMs?: number;
}

/**
 * Sent when a connection opens. Every statement of the stores has an index to go by, and a plan
 * that was made while a table was small must not be kept once it is large; compiling a plan costs
 * more than running one of these.
 */
const parameters = { enable_seqscan: "off", jit: "off", statement_timeout: databaseStatementMs };

const silent = Symbol("silent");

/**
 * Opens a pool; nothing is connected before the first statement. Connections that are lost are
 * made anew by the statements that follow.
 */
export function openPostgres(url: string, options: PostgresOptions = {}): Sql {
  const { silenceMs = databaseSilenceMs } = options;
  let pool = connect(url, options);
  let isClosed = false;

  /** A peer that vanished without a word would keep its connections busy for ever. */
  const replace = (dead: SQL): void => {
    if (pool !== dead || isClosed) return;
    pool = connect(url, options);
    void dead.close({ timeout: 0 }).catch(() => {});
  };

  const answer = async (
    text: string,
    values: readonly SqlValue[],
  ): Promise<readonly unknown[] | typeof silent> => {
    const used = pool;
    const late = Promise.withResolvers<typeof silent>();
    const timer = setTimeout(() => late.resolve(silent), silenceMs);
    try {
      const rows = await Promise.race([used.unsafe(text, [...values]), late.promise]);
      if (rows === silent) replace(used);
      return rows as readonly unknown[] | typeof silent;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    query: async <Row>(text: string, values: readonly SqlValue[] = []) => {
      let rows: readonly unknown[] | typeof silent;
      try {
        rows = await answer(text, values);
      } catch (thrown) {
        throw sqlFault(failureOf(thrown));
      }
      if (rows === silent) throw sqlFault({});
      // The statement's own text says what its rows hold.
      return rows as readonly Row[];
    },
    close: async () => {
      isClosed = true;
      await pool.close({ timeout: 0 });
    },
  };
}

function connect(url: string, options: PostgresOptions): SQL {
  const { connections = databaseConnectionsMax, application = "noetl" } = options;
  return new SQL(url, {
    max: connections,
    connectionTimeout: databaseConnectMs / 1_000,
    connection: { ...parameters, application_name: application },
  });
}

/** As far as it may be told; an error without a SQLSTATE is not an answer of the server. */
function failureOf(thrown: unknown): SqlFailure {
  if (!(thrown instanceof SQL.PostgresError)) return {};
  const { errno, table, constraint } = thrown;
  return { sqlState: errno, table, constraint };
}
