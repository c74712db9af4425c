// One connection of a transfer to PostgreSQL: leased, in one transaction with settings that make
// values exact, cancelled on the server when the call ends early, its errors without any value.

import { postgresAuth, redactor } from "./auth.ts";
import { textField } from "./call-config.ts";
import { type Canceller, canceller } from "./postgres-cancel.ts";
import { postgresFailure } from "./postgres-failure.ts";
import type { Lease, PostgresPools } from "./postgres-pool.ts";
import { type PostgresTarget, postgresTarget } from "./postgres-target.ts";
import { ToolFailure } from "./tool.ts";
import { type EndOptions, failureAt, failureIn, quotedName } from "./transfer-ends.ts";

/** Longer than a step waits for a table that others hold is longer than it should. */
const lockTimeoutMs = 30_000;

export interface PostgresCall {
  readonly client: Lease["client"];
  /** Runs one piece of work; its failure names the end and holds no value. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  query(sql: string, values?: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  begin(characteristics: string): Promise<void>;
  /** Ends the lease; the connection is kept only if all went well. */
  release(options: { readonly reusable: boolean }): Promise<void>;
  failure(error: unknown): ToolFailure;
}

export async function postgresCall(
  pools: PostgresPools,
  end: "source" | "target",
  options: EndOptions,
): Promise<PostgresCall> {
  const { context, deadline } = options;
  const { config, secrets } = await postgresAuth(options.config, context);
  const target = postgresTarget(config);
  const redact = redactor(secrets);
  const failure = (error: unknown): ToolFailure => failed(error, { end, target, redact, deadline });
  let lease: Lease;
  try {
    lease = await pools.lease(target, deadline);
  } catch (error) {
    throw failure(error);
  }
  const stop: Canceller = canceller(pools, target, deadline);
  const { client } = lease;
  const run = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await stop.bounded(work());
    } catch (error) {
      throw failure(error);
    }
  };
  const query = (sql: string, values: readonly string[] = []) =>
    run(async () => {
      const types = { getTypeParser: () => (value: string) => value };
      const asked = { text: sql, values: [...values], rowMode: "array" as const, types };
      return (await client.query<(string | null)[]>(asked)).rows;
    });
  const schema = textField(config, "schema")?.value;
  return {
    client,
    run,
    query,
    failure,
    begin: async (characteristics) => {
      await query(`BEGIN ${characteristics}`);
      await run(() => client.query(settings(schema)));
      const rows = await query("SELECT pg_backend_pid()");
      stop.aim(Number(rows[0]?.[0]));
    },
    release: async ({ reusable }) => {
      await stop.settled();
      lease.release({ reusable: reusable && !stop.wasUsed() });
    },
  };
}

function settings(schema: string | undefined): string {
  return [
    "datestyle = 'ISO'",
    "intervalstyle = 'postgres'",
    "timezone = 'UTC'",
    "bytea_output = 'hex'",
    "extra_float_digits = 1",
    "client_encoding = 'UTF8'",
    `lock_timeout = ${lockTimeoutMs}`,
    ...(schema === undefined ? [] : [`search_path = ${quotedName(schema)}, public`]),
  ]
    .map((setting) => `SET LOCAL ${setting}`)
    .join("; ");
}

interface FailedAt {
  readonly end: "source" | "target";
  readonly target: PostgresTarget;
  readonly redact: (text: string) => string;
  readonly deadline: EndOptions["deadline"];
}

function failed(error: unknown, { end, target, redact, deadline }: FailedAt): ToolFailure {
  const ended = deadline.ended();
  if (ended !== undefined) return ended;
  if (error instanceof ToolFailure) return error;
  return failureAt(end, failureIn(postgresFailure(error, { target, redact })));
}
