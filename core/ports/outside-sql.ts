// SQL on a database that is not the product's own, or on that one by whoever runs it: one statement
// at a time, bounded in time and in what it answers.

import type { Json, JsonObject } from "#core/model/json";

/** Where to connect; the fields as credentials have them. */
export interface SqlPlace {
  readonly connectionString?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** `disable`, `prefer`, `require` or stricter. */
  readonly sslMode?: string;
}

export interface SqlCall {
  readonly text: string;
  /** For `$1` to `$n`. */
  readonly values: readonly Json[];
  /** Looked into first for names without a schema. */
  readonly schema?: string;
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

/** A refusal by the database itself is an answer, in its own words. */
export type SqlAnswer = { readonly rows: readonly JsonObject[] } | { readonly refused: string };

export interface OutsideSql {
  /**
   * Connects, runs the statement in a transaction of its own, and leaves.
   * @param place undefined for the database that the product itself works on.
   * @throws Fault `unavailable` for a database that can't be reached, or when there is none;
   * `too_large`, `timeout`.
   */
  run(place: SqlPlace | undefined, call: SqlCall): Promise<SqlAnswer>;
}
