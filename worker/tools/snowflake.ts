// The snowflake tool: statements in a session to themselves, the last one's rows as the data. The
// service's client runs in processes of its own, of which a few stay warm for a while.

import type { JsonObject } from "#core/model/json";
import { idleProcessMs } from "#core/model/limits";
import type { Output } from "#core/model/outcome";
import { snowflakeProcessesMax } from "#core/model/run-tool-limits";
import { withDeadline } from "./call-config.ts";
import { outputOf } from "./code-call.ts";
import type { StatementResult } from "./snowflake-client.ts";
import { snowflakeCall } from "./snowflake-config.ts";
import { SnowflakeProcess } from "./snowflake-process.ts";
import { sqlData } from "./sql-call.ts";
import { type Tool, type ToolContext, ToolFailure } from "./tool.ts";
import { WarmPool } from "./warm-pool.ts";

/** Data: `{status, row_count, result, columns}`, with `statement_count` where there were several. */
export function snowflakeTool(): Tool {
  const pool = new WarmPool({
    start: () => new SnowflakeProcess(process.env),
    max: snowflakeProcessesMax,
    idleMax: 0,
    idleMs: idleProcessMs,
  });
  const run = (config: JsonObject, context: ToolContext): Promise<Output> =>
    withDeadline(config, context, async ({ signal, ended }) => {
      const call = await snowflakeCall(config, context);
      const runner = await pool.take(signal);
      const reply = await runner?.call(call, signal).finally(() => pool.give(runner));
      const why = ended();
      if (reply?.kind === "results") return outputWith(reply.results);
      if (why !== undefined) throw why;
      if (reply === undefined) throw new TypeError("expected a process, or the call's end");
      throw new ToolFailure(reply.failure);
    });
  return {
    kind: "snowflake",
    run: (config, context) => outputOf(() => run(config, context)),
    close: () => pool.close(),
  };
}

function outputWith(results: readonly StatementResult[]): Output {
  const last = results.at(-1);
  if (last === undefined) throw new TypeError("expected a result of each statement");
  return { status: "ok", data: dataOf(last, results.length) };
}

function dataOf({ columns, rows, affectedRows }: StatementResult, statements: number): JsonObject {
  const shaped = sqlData({ kind: "rows", columns, rows }, { statements, asObjects: true });
  const { rows: result = [], ...rest } = shaped;
  const affected = affectedRows === undefined ? {} : { affected_rows: affectedRows };
  return { status: "success", ...rest, result, ...affected };
}
