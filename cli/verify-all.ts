// `noetl verify --all`: every execution of a control plane, page by page, while it runs. The server
// does the comparing; what is kept here is one page, the problems, and one digest over all heads.

import { verifyPageDefault } from "#core/model/limits";
import type { Arguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";

interface Problem {
  readonly execution_id: string;
  readonly problem: string;
}

/** @returns 0 if everything says what the logs say, else 1. */
export async function verifyAll(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const isJson = args.has("json");
  const digest = new Bun.CryptoHasher("sha256");
  const problems: Problem[] = [];
  let executions = 0;
  let events = 0;
  let last = "";
  for (let after = startOf(args); ; ) {
    const query = { limit: verifyPageDefault, ...(after === undefined ? {} : { after }) };
    const page = await client.verify({ query });
    for (const one of page.executions) {
      executions++;
      events += one.events;
      last = one.execution_id;
      digest.update(`${one.execution_id} ${one.events} ${one.digest}\n`);
      for (const problem of one.problems) {
        problems.push({ execution_id: one.execution_id, problem });
        if (!isJson) console.log(`${one.execution_id}: ${problem}`);
      }
    }
    if (page.next === null) break;
    after = page.next;
  }
  const found = digest.digest("hex");
  if (isJson) {
    const report = { executions, events, problems, digest: found, last };
    console.log(JSON.stringify(report, null, 2));
  } else {
    const verdict = problems.length === 0 ? "whole" : `${problems.length} problems`;
    console.log(`${executions} executions, ${events} events: ${verdict}`);
    console.log(`digest over all heads: ${found}`);
  }
  return problems.length === 0 ? exitOk : exitFailed;
}

/** `--after ID`: goes on where an earlier run was stopped. */
function startOf(args: Arguments): string | undefined {
  const after = args.text("after");
  if (after === undefined || /^[1-9]\d{0,18}$/.test(after)) return after;
  throw new UsageError(`--after: expected an execution id, found ${JSON.stringify(after)}`);
}
