// What the stores need of a database: one statement at a time, parameters apart from the text. No
// transaction spans two calls, so a driver that speaks HTTP fits as well as a connection.

import { Fault } from "#core/model/fault";

export type SqlValue = string | number | boolean | null | Uint8Array;

/**
 * A database. Every statement commits by itself. Rows come back with `bigint`, `json` and times
 * cast to text by the statements themselves, `bytea` as bytes, the rest as JavaScript has it.
 */
export interface Sql {
  /**
   * Runs one statement with `$1…$n` bound to the values.
   * @throws Fault `unavailable` when it may or may not have been done, or may go well the next
   * time; `internal`, with the SQLSTATE, when the database refuses it for good.
   */
  query<Row>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** What a driver knows of a failed statement. Names of schema objects are safe to show. */
export interface SqlFailure {
  /** Five characters; absent when the failure didn't come from the database. */
  readonly sqlState?: string | undefined;
  readonly table?: string | undefined;
  readonly constraint?: string | undefined;
}

/**
 * Serialization failure, deadlock, lock not available; cancelled or timed out; shutdown and crash
 * of the server, or one that only reads for now; lost connections; no room for more of them, of
 * memory, of disk.
 */
const passing = /^(?:40001|40P01|55P03|57014|57P0\d|25006|08...|53...)$/;

/**
 * The fault for a failed statement. Messages of a database quote the data that it refused, so
 * neither its message nor its detail is passed on.
 */
export function sqlFault(failure: SqlFailure): Fault {
  const { sqlState, table, constraint } = failure;
  if (sqlState === undefined) {
    return new Fault("unavailable", "the database did not answer, the outcome is unknown");
  }
  if (passing.test(sqlState)) {
    return new Fault("unavailable", `the database gave up the statement with SQLSTATE ${sqlState}`);
  }
  const where = [table, constraint].filter((name) => name !== undefined).join(", ");
  const on = where === "" ? "" : ` on ${where}`;
  return new Fault("internal", `the database refused the statement with SQLSTATE ${sqlState}${on}`);
}
