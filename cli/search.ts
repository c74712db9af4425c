// `noetl search TEXT`: ended executions that a description fits, the nearest first.

import type { Arguments } from "./arguments.ts";
import { given, oneOf, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine } from "./terminal-text.ts";

const errorColumns = 80;

export async function search(args: Arguments): Promise<number> {
  const query = {
    q: args.operands.join(" "),
    ...given({
      limit: wholeNumber(args, "limit"),
      status: oneOf(args, "status", ["completed", "failed", "cancelled"]),
      path: args.text("path"),
    }),
  };
  const { client } = await neededServer(args);
  return printed(args, await client.searchExecutions({ query }), ({ items }) =>
    items.length === 0
      ? ["nothing like it"]
      : tableLines(
          ["EXECUTION", "SCORE", "STATUS", "PLAYBOOK", "STARTED", "ERROR"],
          items.map((item) => [
            item.execution_id,
            item.score.toFixed(2),
            item.status,
            item.path,
            item.started_at,
            cutLine(item.error ?? "", errorColumns),
          ]),
        ),
  );
}
