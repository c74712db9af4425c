// SQL that somebody has run over the API. Whose database it may be is decided here: an administrator
// of a tenant names a credential of the tenant, whoever runs the installation names what they like.
// Values travel as parameters alone; every run stands in the audit log before it begins.

import { audited } from "#control/access/audit";
import { sealsIn } from "#control/secrets/credentials";
import { openRow } from "#control/secrets/source";
import type { ControlContext } from "#control/services/context";
import type { Principal } from "#core/model/access";
import { Fault } from "#core/model/fault";
import type { Json, JsonObject } from "#core/model/json";
import {
  auditedSqlChars,
  outsideSqlBytesMax,
  outsideSqlCharsMax,
  outsideSqlMs,
  outsideSqlParametersMax,
  outsideSqlRowsMax,
} from "#core/model/secret-limits";
import type { SqlAnswer, SqlPlace } from "#core/ports/outside-sql";

export interface SqlRequest {
  readonly tenant: string;
  readonly query?: string;
  readonly queryBase64?: string;
  readonly procedure?: string;
  readonly parameters: readonly Json[];
  readonly schema?: string;
  readonly database?: string;
  readonly credential?: string;
  readonly connectionString?: string;
}

/**
 * Runs one statement.
 * @throws Fault `invalid`, `forbidden`, `not_found`, `unavailable`, `timeout`, `too_large`.
 */
export async function executeSql(
  context: ControlContext,
  who: Principal,
  request: SqlRequest,
): Promise<SqlAnswer> {
  const text = textOf(request);
  const { tenant, credential, schema, parameters } = request;
  if (parameters.length > outsideSqlParametersMax) {
    throw new Fault("too_large", `expected at most ${outsideSqlParametersMax} parameters`);
  }
  const object =
    credential === undefined ? "database/installation" : `credential/${credential.slice(0, 200)}`;
  const about = { sha256: context.sha256(text), text: text.slice(0, auditedSqlChars) };
  const entry = { action: "sql.execute", object, tenant, about };
  let place: SqlPlace | undefined;
  try {
    place = await placeOf(context, who, request);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === "forbidden") {
      await audited(context, who, { ...entry, outcome: "refused" });
    }
    throw thrown;
  }
  const { outsideSql } = context;
  if (outsideSql === undefined) {
    throw new Fault("unavailable", "this control plane reaches no other databases");
  }
  await audited(context, who, entry);
  return outsideSql.run(place, {
    ...{ text, values: parameters, rowsMax: outsideSqlRowsMax },
    ...{ bytesMax: outsideSqlBytesMax, timeoutMs: outsideSqlMs },
    ...(schema === undefined ? {} : { schema }),
  });
}

function textOf({ query, queryBase64, procedure, parameters }: SqlRequest): string {
  const given = [query, queryBase64, procedure].filter((text) => text !== undefined);
  if (given.length !== 1) {
    const names = "query, query_base64 and procedure";
    throw new Fault("invalid", `expected one of ${names}, found ${given.length}`);
  }
  const text =
    procedure !== undefined
      ? callOf(procedure, parameters.length)
      : (query ?? fromBase64(queryBase64 ?? ""));
  if (text.trim() === "") throw new Fault("invalid", "expected a statement, found nothing");
  if (text.includes("\0")) throw new Fault("invalid", "expected a statement without NUL");
  if (text.length <= outsideSqlCharsMax) return text;
  throw new Fault("too_large", `expected a statement of at most ${outsideSqlCharsMax} characters`);
}

function fromBase64(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Fault("invalid", "query_base64: expected base64 of text in UTF-8");
  }
}

/** A name, in a schema or without, with `call` before it and empty parentheses behind, or not. */
const procedurePattern =
  /^\s*(?:call\s+)?([a-z_][a-z0-9_$]{0,62})(?:\.([a-z_][a-z0-9_$]{0,62}))?\s*(?:\(\s*\))?\s*;?\s*$/i;

function callOf(procedure: string, values: number): string {
  const [, first, second] = procedurePattern.exec(procedure) ?? [];
  if (first === undefined) {
    throw new Fault("invalid", "procedure: expected the name of one; its values are parameters");
  }
  // Names that are not quoted mean those in lower case.
  const name = [first, second]
    .flatMap((part) => (part === undefined ? [] : [`"${part.toLowerCase()}"`]))
    .join(".");
  const places = Array.from({ length: values }, (_, index) => `$${index + 1}`);
  return `call ${name}(${places.join(", ")})`;
}

/** Undefined for the database of the installation itself. */
async function placeOf(
  context: ControlContext,
  { platform }: Principal,
  request: SqlRequest,
): Promise<SqlPlace | undefined> {
  const { tenant, credential, connectionString, database } = request;
  const own = database === undefined ? {} : { database };
  if (credential !== undefined && connectionString !== undefined) {
    throw new Fault("invalid", "expected credential or connection_string, found both");
  }
  if (credential === undefined) {
    if (platform !== true) {
      throw new Fault(
        "forbidden",
        "only an administrator of the installation goes without a credential",
      );
    }
    if (connectionString !== undefined) return { connectionString };
    if (database === undefined) return undefined;
    throw new Fault("invalid", "database: expected a credential with it");
  }
  const row = await context.vault.get(tenant, credential);
  if (row !== undefined) {
    return { ...placeIn(row.type, await openRow(row, sealsIn(context)), credential), ...own };
  }
  // What an operator has put into a file is the installation's.
  const record = platform === true ? await context.credentials(credential) : undefined;
  if (record !== undefined) return { ...placeIn(record.type, record.data, credential), ...own };
  throw new Fault("not_found", `credential ${credential} does not exist`);
}

function placeIn(type: string, data: JsonObject, name: string): SqlPlace {
  if (!["postgres", "postgresql", "pg"].includes(type)) {
    throw new Fault("invalid", `credential ${name}: expected type postgres, found ${type}`);
  }
  const text = (...names: readonly string[]): string | undefined => {
    const found = names.map((field) => data[field]).find((value) => value != null && value !== "");
    return found === undefined ? undefined : String(found);
  };
  const port = Number(text("port", "db_port") ?? 5_432);
  const fields = {
    connectionString: text("connection_string", "dsn", "url"),
    host: text("host", "db_host"),
    user: text("user", "username", "db_user"),
    password: text("password", "db_password"),
    database: text("database", "dbname", "db_name"),
    sslMode: text("ssl_mode", "sslmode"),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), port: Number.isInteger(port) ? port : 5_432 };
}
