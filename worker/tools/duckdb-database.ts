// Opens DuckDB confined: SQL reaches only the worker's file roots, installs nothing, and cannot
// change that. A file is open once per process, since its lock does not hold within one process.

import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

import { isCompiled } from "#core/adapters/compiled";
import { messageOf } from "#core/model/fault";
import { databasePath, realRoots } from "./duckdb-path.ts";
import type { DuckdbApi } from "./duckdb-values.ts";
import { type ToolContext, ToolFailure } from "./tool.ts";

/** A connection that calls take turns on, since tables they share may be temporary ones. */
export interface DuckdbSession {
  /** A folder that only this database may read and write, besides the roots; made when asked for. */
  exchange(): Promise<string>;
  inTurn<Result>(work: (connection: DuckDBConnection) => Promise<Result>): Promise<Result>;
}

interface OpenInstance {
  readonly instance: DuckDBInstance;
  readonly temporary: string;
  readonly exchange: string;
}

/** Opens sessions; one per tool, as it counts who uses which file. */
export interface DuckdbOpener {
  /** On a file, or on the database in memory that the tasks of one command share. */
  session(database: string, context: ToolContext): Promise<DuckdbSession>;
  /** On a database in memory that nobody else sees. */
  scratch(context: ToolContext): Promise<ScratchSession>;
}

export interface ScratchSession {
  readonly session: DuckdbSession;
  close(): Promise<void>;
}

export interface DuckdbOpenerOptions {
  readonly externalAccess: boolean;
  readonly extensions: string | undefined;
  readonly memoryBytesMax: number;
  /** Runs before the database is confined, such as loading what it is made of. */
  readonly prepare?: (connection: DuckDBConnection) => Promise<void>;
}

export function duckdbOpener(options: DuckdbOpenerOptions): DuckdbOpener {
  return {
    scratch: async (context) => {
      const roots = await realRoots(context.policy.fileRoots);
      const key = `:memory:${randomUUID()}`;
      const shared = await retained(key, () => openInstance(":memory:", roots, options));
      return openSession(key, shared);
    },
    session: async (database, context) => {
      const { fileRoots } = context.policy;
      const path = database === ":memory:" ? database : await databasePath(database, fileRoots);
      return context.resources.use(`duckdb:${path}`, async () => {
        const roots = await realRoots(fileRoots);
        const key = path === ":memory:" ? `:memory:${randomUUID()}` : path;
        const shared = await retained(key, () => openInstance(path, roots, options));
        const { session, close } = await openSession(key, shared);
        return { value: session, close };
      });
    },
  };
}

async function openSession(key: string, shared: OpenInstance): Promise<ScratchSession> {
  const connection = await shared.instance.connect();
  return {
    session: sessionOn(connection, shared),
    close: async () => {
      connection.closeSync();
      await released(key);
    },
  };
}

function sessionOn(connection: DuckDBConnection, { exchange }: OpenInstance): DuckdbSession {
  let last: Promise<unknown> = Promise.resolve();
  return {
    exchange: async () => {
      await mkdir(exchange, { recursive: true, mode: 0o700 });
      return exchange;
    },
    inTurn: (work) => {
      const turn = last.then(() => work(connection));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

// --- instances ----------------------------------------------------------------------------

/** Of the whole process: two tools with one file would be two writers that see no lock. */
const instances = new Map<string, { readonly opened: Promise<OpenInstance>; users: number }>();

async function retained(key: string, open: () => Promise<OpenInstance>): Promise<OpenInstance> {
  const entry = instances.get(key) ?? { opened: open(), users: 0 };
  instances.set(key, entry);
  entry.users++;
  try {
    return await entry.opened;
  } catch (error) {
    if (instances.get(key) === entry) instances.delete(key);
    throw error;
  }
}

async function released(key: string): Promise<void> {
  const entry = instances.get(key);
  if (entry === undefined) return;
  entry.users--;
  if (entry.users > 0) return;
  instances.delete(key);
  const { instance, temporary } = await entry.opened;
  instance.closeSync();
  await rm(temporary, { recursive: true, force: true });
}

async function openInstance(
  path: string,
  roots: readonly string[],
  options: DuckdbOpenerOptions,
): Promise<OpenInstance> {
  const { DuckDBInstance } = await duckdbApi();
  if (path !== ":memory:") await mkdir(dirname(path), { recursive: true });
  const temporary = join(tmpdir(), `noetl-duckdb-${randomUUID()}`);
  const exchange = join(temporary, "exchange");
  const install = String(options.externalAccess);
  const instance = await DuckDBInstance.create(path, {
    autoinstall_known_extensions: install,
    autoload_known_extensions: install,
    allow_community_extensions: "false",
    memory_limit: `${Math.floor(options.memoryBytesMax / 1_048_576)}MiB`,
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET temp_directory = ${quoted(temporary)}`);
    await connection.run("SET allow_persistent_secrets = false");
    if (options.extensions !== undefined) {
      await connection.run(`SET extension_directory = ${quoted(resolve(options.extensions))}`);
    }
    await options.prepare?.(connection);
    if (!options.externalAccess) {
      const allowed = [...roots, exchange].map(quoted).join(", ");
      await connection.run(`SET allowed_directories = [${allowed}]`);
      await connection.run("SET enable_external_access = false");
    }
    await connection.run("SET lock_configuration = true");
  } catch (error) {
    instance.closeSync();
    throw error;
  } finally {
    connection.closeSync();
  }
  return { instance, temporary, exchange };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The client, loaded on first use: a worker that runs no duckdb step never maps its library. */
export async function duckdbApi(): Promise<DuckdbApi> {
  try {
    if (isCompiled) await (await import("./duckdb-library.ts")).loadCarriedLibrary();
    return await import("@duckdb/node-api");
  } catch (error) {
    const library = `@duckdb/node-bindings-${process.platform}-${process.arch}`;
    const message = isCompiled
      ? `DuckDB could not be loaded: ${messageOf(error)}`
      : `DuckDB has no native library here; install it with: bun add ${library}`;
    throw new ToolFailure({ kind: "missing_program", message, retryable: false }, { cause: error });
  }
}
