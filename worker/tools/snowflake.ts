// The snowflake tool: statements in a session to themselves, the last one's rows as the data.

import type { JsonObject } from "#core/model/json";
import type { Output } from "#core/model/outcome";
import { withDeadline } from "./call-config.ts";
import { outputOf } from "./code-call.ts";
import { runSession, type StatementResult } from "./snowflake-client.ts";
import { snowflakeCall } from "./snowflake-config.ts";
import { sqlData } from "./sql-call.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** Data: `{status, row_count, result, columns}`, with `statement_count` where there were several. */
export function snowflakeTool(): Tool {
  const run = (config: JsonObject, context: ToolContext): Promise<Output> =>
    withDeadline(config, context, async (deadline) => {
      const call = await snowflakeCall(config, context);
      const results = await runSession(call, deadline);
      const last = results.at(-1);
      if (last === undefined) throw new TypeError("expected a result of each statement");
      return { status: "ok", data: dataOf(last, results.length) };
    });
  return { kind: "snowflake", run: (config, context) => outputOf(() => run(config, context)) };
}

function dataOf({ columns, rows, affectedRows }: StatementResult, statements: number): JsonObject {
  const shaped = sqlData({ kind: "rows", columns, rows }, { statements, asObjects: true });
  const { rows: result = [], ...rest } = shaped;
  const affected = affectedRows === undefined ? {} : { affected_rows: affectedRows };
  return { status: "success", ...rest, result, ...affected };
}
