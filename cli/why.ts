// `noetl why`: what holds an execution up.

import { isSnowflake } from "#core/model/ids";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";

/** `why ID [STEP]`: a line for each thing that something of the execution waits for. */
export async function why(args: Arguments): Promise<number> {
  const [id = "", step] = args.operands;
  if (!isSnowflake(id)) {
    throw new UsageError(`expected an execution id, found ${JSON.stringify(id)}`);
  }
  const { client } = await neededServer(args);
  const answer = await client.why({ params: { id }, query: step === undefined ? {} : { step } });
  if (args.has("json")) console.log(JSON.stringify(answer, null, 2));
  else for (const line of answer.text) console.log(line);
  return exitOk;
}
