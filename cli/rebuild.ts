// `noetl rebuild ID…|--all`: makes projections anew from the logs, and puts rows right that say
// otherwise than their log, while the system runs.

import type { ApiClient } from "#core/adapters/api-client";
import { isSnowflake } from "#core/model/ids";
import { verifyPageDefault } from "#core/model/limits";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";

type Rebuilt = Awaited<ReturnType<ApiClient["rebuild"]>>["executions"][number];

/** @returns 0 if everything says what the logs say now, else 1. */
export async function rebuild(args: Arguments): Promise<number> {
  const { operands } = args;
  if (args.has("all") === operands.length > 0) throw new UsageError("expected ID… or --all");
  for (const id of operands) {
    if (!isSnowflake(id)) {
      throw new UsageError(`expected an execution id, found ${JSON.stringify(id)}`);
    }
  }
  const { client } = await neededServer(args);
  const work = workOf(args);
  const told: Rebuilt[] = [];
  let executions = 0;
  for await (const page of pages(client, operands, work)) {
    executions += page.length;
    const changed = page.filter(({ repaired, problems }) => repaired.length + problems.length > 0);
    told.push(...changed);
    if (!args.has("json")) for (const one of changed) print(one);
  }
  if (args.has("json")) console.log(JSON.stringify({ executions, changed: told }, null, 2));
  else console.log(`${executions} executions, ${told.length} of them put right or in need of it`);
  return told.every(({ problems }) => problems.length === 0) ? exitOk : exitFailed;
}

interface Work {
  readonly projections?: boolean;
  readonly repair?: boolean;
}

/** Both unless one is named. */
function workOf(args: Arguments): Work {
  const projections = args.has("projections");
  const repair = args.has("repair");
  return projections || repair ? { projections, repair } : {};
}

async function* pages(
  client: ApiClient,
  ids: readonly string[],
  work: Work,
): AsyncGenerator<readonly Rebuilt[]> {
  if (ids.length > 0) {
    for (let from = 0; from < ids.length; from += verifyPageDefault) {
      const own = ids.slice(from, from + verifyPageDefault);
      yield (await client.rebuild({ body: { execution_ids: own, ...work } })).executions;
    }
    return;
  }
  for (let after: string | null | undefined; after !== null; ) {
    const from = after === undefined ? {} : { after };
    const answer = await client.rebuild({ body: { limit: verifyPageDefault, ...from, ...work } });
    yield answer.executions;
    after = answer.next;
  }
}

function print({ execution_id: id, repaired, problems }: Rebuilt): void {
  for (const what of repaired) console.log(`${id}: put right: ${what}`);
  for (const problem of problems) console.log(`${id}: still: ${problem}`);
}
