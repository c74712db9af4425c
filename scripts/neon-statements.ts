// Statements over HTTP as Neon takes them: one, or several in a transaction, in a JSON document;
// rows as lists of texts, beside the numbers of their types, from which the driver makes values.

import { Pool, type PoolClient } from "pg";

export interface StatementServer {
  /** Runs what the document asks for. An error of the database is an answer with status 400. */
  answer(document: string, headers: Headers): Promise<Response>;
  close(): Promise<void>;
}

interface Statement {
  readonly query: string;
  readonly params?: readonly unknown[];
}

const connectionsMax = 20;

/** Texts stay texts: what they mean is the driver's business. */
const unread = { getTypeParser: () => (value: unknown) => value } as never;

/** The fields of a database's error that travel, by the names that the driver knows. */
const errorFields = [
  ...["message", "severity", "code", "detail", "hint", "position", "internalPosition"],
  ...["internalQuery", "where", "schema", "table", "column", "dataType", "constraint"],
  ...["file", "line", "routine"],
];

const isolationLevels: Readonly<Record<string, string>> = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
};

/** Serves every database of the server behind the address, which must trust connections. */
export function neonStatements(target: URL): StatementServer {
  const pools = new Map<string, Pool>();

  const poolFor = (headers: Headers): Pool => {
    const asked = new URL(headers.get("neon-connection-string") ?? "");
    const known = pools.get(asked.pathname);
    if (known !== undefined) return known;
    const connectionString = new URL(asked.pathname, target).href;
    const pool = new Pool({ connectionString, max: connectionsMax });
    // A connection that breaks fails the statement it was for, and nothing else.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    pools.set(asked.pathname, pool);
    return pool;
  };

  return {
    answer: async (document, headers) => {
      try {
        const body = JSON.parse(document) as Body;
        return Response.json(await answered(poolFor(headers), body, headers));
      } catch (thrown) {
        const failure = databaseError(thrown);
        if (failure !== undefined) return Response.json(failure, { status: 400 });
        return new Response("no answer of the database", { status: 502 });
      }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

type Body = Statement | { readonly queries: readonly Statement[] };

async function answered(pool: Pool, body: Body, headers: Headers): Promise<object> {
  const client = await pool.connect();
  let isBroken = false;
  try {
    if (!("queries" in body)) return await run(client, body);
    return { results: await transaction(client, body.queries, headers) };
  } catch (thrown) {
    isBroken = databaseError(thrown) === undefined;
    throw thrown;
  } finally {
    client.release(isBroken);
  }
}

async function run(client: PoolClient, { query, params = [] }: Statement): Promise<object> {
  const result = await client.query({
    text: query,
    values: [...params],
    rowMode: "array",
    types: unread,
  });
  const { command, rowCount, rows, fields } = result;
  return { command, rowCount, rows, fields, rowAsArray: true };
}

async function transaction(
  client: PoolClient,
  statements: readonly Statement[],
  headers: Headers,
): Promise<readonly object[]> {
  const isolation = isolationLevels[headers.get("neon-batch-isolation-level") ?? ""];
  const modes = [
    ...(isolation === undefined ? [] : [`isolation level ${isolation}`]),
    ...(headers.get("neon-batch-read-only") === "true" ? ["read only"] : []),
    ...(headers.get("neon-batch-deferrable") === "true" ? ["deferrable"] : []),
  ];
  await client.query(`begin ${modes.join(", ")}`);
  try {
    const results: object[] = [];
    for (const statement of statements) results.push(await run(client, statement));
    await client.query("commit");
    return results;
  } catch (thrown) {
    await client.query("rollback");
    throw thrown;
  }
}

function databaseError(thrown: unknown): Record<string, unknown> | undefined {
  if (!(thrown instanceof Error) || !("severity" in thrown)) return undefined;
  return Object.fromEntries(errorFields.map((name) => [name, Reflect.get(thrown, name) ?? null]));
}
