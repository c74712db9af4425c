// The postgres tool: the statements of a call in one transaction over a warm connection, results
// exact by type, cancelled on the server when the call ends early (language reference §2.4).

import type { JsonObject } from "#core/model/json";
import { postgresPoolConnectionsMax, resultBytesMax } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { postgresAuth, redactor } from "./auth.ts";
import { configFailure, type Deadline, textField, withDeadline } from "./call-config.ts";
import { type Canceller, canceller } from "./postgres-cancel.ts";
import { isBroken, postgresFailure } from "./postgres-failure.ts";
import { type Lease, type PostgresPools, postgresPools } from "./postgres-pool.ts";
import {
  openSession,
  PreparedStatementError,
  runStatements,
  type SessionOptions,
} from "./postgres-session.ts";
import { type PostgresTarget, postgresTarget } from "./postgres-target.ts";
import { rowBytes, type SqlCall, sqlCall, sqlData } from "./sql-call.ts";
import { leavesSessionState, runsAlone, type SqlStatement, splitStatements } from "./sql-text.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";

export interface PostgresToolOptions {
  readonly rowBytesMax?: number;
}

/** Data: `{columns, rows, row_count}` or `{affected_rows}` of the last statement. */
export function postgresTool(options: PostgresToolOptions = {}): Tool {
  const pools = postgresPools();
  return {
    kind: "postgres",
    run: (config, context) =>
      withDeadline(config, context, async (deadline) => {
        const merged = await postgresAuth(config, context);
        const call = await sqlCall(config, context);
        const work: Work = {
          call,
          statements: statementsOf(call),
          target: postgresTarget(merged.config),
          deadline,
          context,
          session: {
            schema: textField(merged.config, "schema")?.value,
            params: call.params,
            rowBytesMax: rowBytes(config, options.rowBytesMax ?? resultBytesMax),
            deadline,
          },
          redact: redactor(merged.secrets),
        };
        return runCall(pools, work);
      }),
    close: () => pools.close(),
  };
}

interface Work {
  readonly call: SqlCall;
  readonly statements: readonly SqlStatement[];
  readonly target: PostgresTarget;
  readonly deadline: Deadline;
  readonly context: ToolContext;
  readonly session: Omit<SessionOptions, "inTransaction" | "tooLarge">;
  readonly redact: (text: string) => string;
}

function statementsOf(call: SqlCall): readonly SqlStatement[] {
  const statements = call.texts.flatMap((text) => splitStatements(text));
  if (statements.length === 0) {
    throw configFailure("command: expected a statement, found only comments");
  }
  if (call.params !== undefined && statements.length > 1) {
    throw configFailure(`params: expected one statement, found ${statements.length}`);
  }
  for (const { text, words } of statements) {
    if (words[0] === "COPY" && /\b(stdin|stdout)\b/i.test(text)) {
      throw configFailure(
        "command: COPY from or to the client is not supported; use the tool transfer",
      );
    }
  }
  return statements;
}

/**
 * Runs the call; a warm connection that turns out to be dead before the first statement is
 * replaced, since nothing has been done yet that a second time could do twice.
 */
async function runCall(pools: PostgresPools, work: Work): Promise<Output> {
  for (let stale = 0; ; stale++) {
    const output = await runOnce(pools, work, stale < postgresPoolConnectionsMax);
    if (output !== undefined) return output;
  }
}

/** The output of the call; undefined if it should be tried on another connection. */
async function runOnce(
  pools: PostgresPools,
  work: Work,
  mayTryAgain: boolean,
): Promise<Output | undefined> {
  let lease: Lease;
  try {
    lease = await pools.lease(work.target, work.deadline);
  } catch (error) {
    return failed(error, work);
  }
  const stop = canceller(pools, work.target, work.deadline);
  let clean = false;
  try {
    const output = await stop.bounded(runOn(lease, stop, work));
    clean = true;
    return output;
  } catch (error) {
    const started = stop.isAimed();
    if (!started && mayTryAgain && !stop.wasUsed() && isBroken(error)) return undefined;
    clean =
      started && !stop.wasUsed() && (await stop.bounded(rolledBack(lease)).catch(() => false));
    return failed(error, work);
  } finally {
    await stop.settled();
    // A late cancel would hit the next call: a connection that was aimed at is not reused.
    lease.release({ reusable: clean && !stop.wasUsed() && leavesNothing(work) });
  }
}

/** A connection goes back only if the next call cannot meet anything of this one. */
function leavesNothing({ statements }: Work): boolean {
  return !statements.some((statement) => runsAlone(statement) || leavesSessionState(statement));
}

async function rolledBack({ client }: Lease): Promise<boolean> {
  try {
    await client.query("ROLLBACK");
    return true;
  } catch {
    return false;
  }
}

async function runOn({ client }: Lease, stop: Canceller, work: Work): Promise<Output> {
  const inTransaction = !work.statements.some(runsAlone);
  const session = { ...work.session, inTransaction, tooLarge: stop.cancel };
  const notice = (message: { readonly message?: string | undefined }) => {
    if (message.message !== undefined) work.context.log("log", work.redact(message.message));
  };
  client.on("notice", notice);
  try {
    stop.aim(await openSession(client, session));
    const last = await runStatements(client, work.statements, session);
    const options = { statements: work.statements.length, asObjects: work.call.asObjects };
    const data: JsonObject = sqlData(last, options);
    return { status: "ok", data };
  } finally {
    client.removeListener("notice", notice);
  }
}

function failed(error: unknown, work: Work): Output {
  const ended = work.deadline.ended();
  if (ended !== undefined) throw ended;
  if (error instanceof ToolFailure) throw error;
  const { target, redact } = work;
  return error instanceof PreparedStatementError
    ? postgresFailure(error.cause, { target, redact, prefixChars: error.prefixChars })
    : postgresFailure(error, { target, redact });
}
