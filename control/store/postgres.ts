// A PostgreSQL server as the stores see it, through the runtime's own client: a few connections,
// statements pipelined on each, plans kept by the server.

import { SQL } from "bun";
import { Fault } from "#core/model/fault";
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
  /** Certificates in PEM that the server's is checked against; the line is then encrypted. */
  readonly ca?: string;
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
 * @throws Fault `invalid` for an address that can't be any.
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
        throw noLine(thrown) ?? sqlFault(failureOf(thrown));
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
  const { connections = databaseConnectionsMax, application = "noetl", ca } = options;
  try {
    return new SQL(url, {
      max: connections,
      connectionTimeout: databaseConnectMs / 1_000,
      connection: { ...parameters, application_name: application },
      ...(ca === undefined ? {} : { tls: { ca } }),
    });
  } catch {
    // What the driver says may quote the address, and with it the password.
    throw new Fault("invalid", `the address of the database: expected ${addressShape}`);
  }
}

const addressShape =
  "postgres://user:password@host:5432/name, sslmode one of disable, prefer, require, verify-ca, verify-full";

/** How a certificate is refused, in the words of the runtime: OpenSSL's, and those for names. */
const refusedCertificate = /^(?:UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT)/;

/** A line that is not as safe as it was asked to be carries nothing, the password neither. */
function noLine(thrown: unknown): Fault | undefined {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (refusedCertificate.test(code)) {
    return new Fault("unavailable", `the database's certificate is not trusted: ${code}`);
  }
  if (code !== "ERR_POSTGRES_TLS_NOT_AVAILABLE") return undefined;
  return new Fault("unavailable", "the database offers no encryption, and its address asks for it");
}

/** As far as it may be told; an error without a SQLSTATE is not an answer of the server. */
function failureOf(thrown: unknown): SqlFailure {
  if (!(thrown instanceof SQL.PostgresError)) return {};
  const { errno, table, constraint } = thrown;
  return { sqlState: errno, table, constraint };
}
