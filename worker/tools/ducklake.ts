// The ducklake tool: SQL on a DuckLake, whose tables are files and whose catalog is a database. The
// lake is attached before DuckDB is confined; what the playbook's SQL reaches is as for duckdb.

import { join, resolve } from "node:path";

import { messageOf } from "#core/model/fault";
import type { JsonObject } from "#core/model/json";
import { duckdbMemoryBytesMax, resultBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { postgresAuth, redactor } from "./auth.ts";
import { configFailure, scalarText, textField, withDeadline } from "./call-config.ts";
import { duckdbFailure, runDuckdbCall } from "./duckdb.ts";
import { duckdbOpener } from "./duckdb-database.ts";
import { pathInRoots } from "./duckdb-path.ts";
import { rowBytes, sqlCall } from "./sql-call.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export interface DucklakeToolOptions {
  /** The folder of DuckDB's extensions, laid out as DuckDB does: version, platform, file. */
  readonly extensions?: string;
  readonly memoryBytesMax?: number;
  readonly rowBytesMax?: number;
}

/** Data: as the duckdb tool's. */
export function ducklakeTool(options: DucklakeToolOptions = {}): Tool {
  return {
    kind: "ducklake",
    run: (config, context) =>
      withDeadline(config, context, async (deadline) => {
        const call = await sqlCall(config, context);
        const rowBytesMax = rowBytes(config, options.rowBytesMax ?? resultBytesMax);
        const lake = await lakeOf(config, context);
        const redact = redactor(lake.secrets);
        try {
          const opener = duckdbOpener({
            externalAccess: false,
            extensions: options.extensions,
            memoryBytesMax: options.memoryBytesMax ?? duckdbMemoryBytesMax,
            prepare: (connection) => prepared(connection, lake, options.extensions),
          });
          const { session, close } = await opener.scratch(context);
          try {
            return await session.inTurn(async (connection): Promise<Output> => {
              await connection.run(`USE ${quotedName(lake.name)}`);
              return runDuckdbCall(connection, call, { deadline, rowBytesMax });
            });
          } finally {
            await close();
          }
        } catch (error) {
          if (error instanceof ToolFailure) throw error;
          const { failure } = deadline.ended() ?? duckdbFailure(error);
          throw new ToolFailure({ ...failure, message: redact(failure.message) });
        }
      }),
  };
}

/** A lake as SQL names it. */
export interface Lake {
  readonly name: string;
  /** Extensions that reading it takes, ducklake first. */
  readonly extensions: readonly string[];
  /** What `ATTACH` is given after `ducklake:`. */
  readonly connection: string;
  readonly dataPath: string | undefined;
  readonly secrets: readonly string[];
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The lake of a call. Files of the catalog and of the data lie within the worker's roots.
 * @throws ToolFailure of kind `config` for a connection of an unknown scheme.
 */
export async function lakeOf(config: JsonObject, context: ToolContext): Promise<Lake> {
  const { fileRoots } = context.policy;
  const name = textField(config, "catalog_name")?.value ?? "lake";
  if (!plainName.test(name)) throw configFailure("catalog_name: expected letters, digits and _");
  const given = textField(config, "catalog_connection")?.value;
  if (given === undefined) {
    throw configFailure("catalog_connection: expected postgres:…, sqlite:… or a file");
  }
  const data = textField(config, "data_path")?.value;
  if (data !== undefined && /^[a-z0-9]+:\/\//i.test(data)) {
    throw configFailure(
      "data_path: expected a folder within the worker's roots; addresses are not supported",
    );
  }
  const dataPath = data === undefined ? undefined : await pathInRoots("data_path", data, fileRoots);
  if (/^postgres(ql)?:/i.test(given)) {
    const { connection, secrets } = await postgresCatalog(given, config, context);
    const extensions = ["ducklake", "postgres_scanner"];
    return { name, extensions, connection, dataPath, secrets };
  }
  const [, scheme = "", path = ""] = /^(?:(sqlite|duckdb|ducklake):)?(.*)$/i.exec(given) ?? [];
  if (/^[a-z]+:/i.test(path)) {
    throw configFailure("catalog_connection: expected postgres:…, sqlite:… or a file");
  }
  const file = await pathInRoots("catalog_connection", path, fileRoots);
  const isSqlite = scheme.toLowerCase() === "sqlite";
  return {
    name,
    extensions: isSqlite ? ["ducklake", "sqlite_scanner"] : ["ducklake"],
    connection: isSqlite ? `sqlite:${file}` : file,
    dataPath,
    secrets: [],
  };
}

/** The words of libpq, from the connection itself or from a credential of type postgres. */
async function postgresCatalog(given: string, config: JsonObject, context: ToolContext) {
  const text = given.replace(/^postgres(ql)?:(?!\/\/)/i, "").trim();
  const { config: merged, secrets } = await postgresAuth(
    { ...(config["auth"] === undefined ? {} : { auth: config["auth"] }) },
    context,
  );
  const words = ["host", "port", "user", "password"].flatMap((word) => {
    const value = scalarText(merged[word]);
    return value === undefined ? [] : [`${word}=${quotedWord(value)}`];
  });
  const database = scalarText(merged["database"]);
  if (database !== undefined) words.push(`dbname=${quotedWord(database)}`);
  const own = /password\s*=\s*'?([^'\s]+)/i.exec(text)?.[1];
  const connection = `postgres:${[text, ...words].filter((word) => word !== "").join(" ")}`;
  return { connection, secrets: own === undefined ? secrets : [...secrets, own] };
}

function quotedWord(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
}

/** The statements that make a lake of a database, in order. */
export function lakeStatements(lake: Lake): readonly string[] {
  const data = lake.dataPath === undefined ? "" : ` (DATA_PATH ${quotedText(`${lake.dataPath}/`)})`;
  return [
    ...lake.extensions.map((extension) => `LOAD ${extension}`),
    `ATTACH ${quotedText(`ducklake:${lake.connection}`)} AS ${quotedName(lake.name)}${data}`,
  ];
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

interface Connection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string): Promise<{ getRowsJson(): unknown[][] }>;
}

async function prepared(
  connection: Connection,
  lake: Lake,
  folder: string | undefined,
): Promise<void> {
  for (const statement of lakeStatements(lake)) {
    const extension = /^LOAD (\w+)$/.exec(statement)?.[1];
    try {
      await connection.run(statement);
    } catch (error) {
      if (extension === undefined) throw error;
      throw await missing(connection, extension, { folder, error });
    }
  }
}

async function missing(
  connection: Connection,
  extension: string,
  { folder, error }: { readonly folder: string | undefined; readonly error: unknown },
): Promise<ToolFailure> {
  const asked = "SELECT version(), (SELECT platform FROM pragma_platform())";
  const [row = []] = (await connection.runAndReadAll(asked)).getRowsJson();
  const [version, platform] = row.map(String);
  const file = `${extension}.duckdb_extension`;
  const place =
    folder === undefined ? "" : join(resolve(folder), String(version), String(platform), file);
  const how = `get it with DuckDB ${version}: SET extension_directory to the folder; INSTALL ${extension}`;
  const message =
    folder === undefined
      ? `DuckDB's ${file} is not there; set NOETL_DUCKDB_EXTENSIONS to a folder of extensions, and ${how}`
      : `DuckDB cannot load ${place}; ${how}`;
  return new ToolFailure(
    { kind: "missing_program", message, retryable: false },
    { cause: messageOf(error) },
  );
}
