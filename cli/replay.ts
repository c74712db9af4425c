// `noetl replay ID`: the state of an execution as of an event or a time, from its log.

import { isSnowflake } from "#core/model/ids";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine } from "./terminal-text.ts";

const columnsMax = 200;

export async function replay(args: Arguments): Promise<number> {
  const [id = ""] = args.operands;
  if (!isSnowflake(id)) {
    throw new UsageError(`expected an execution id, found ${JSON.stringify(id)}`);
  }
  const seq = args.text("seq");
  if (seq !== undefined && !/^[1-9]\d{0,8}$/.test(seq)) {
    throw new UsageError(`--seq: expected the number of an event, found ${JSON.stringify(seq)}`);
  }
  const time = args.text("at");
  const { client } = await neededServer(args);
  const state = await client.replayState({
    params: { id },
    query: {
      ...(seq === undefined ? {} : { as_of_seq: Number(seq) }),
      ...(time === undefined ? {} : { as_of_time: time }),
    },
  });
  if (args.has("json")) {
    console.log(JSON.stringify(state, null, 2));
    return exitOk;
  }
  const { as_of: asOf, head } = state;
  console.log(`${state.path} version ${state.version}, execution ${state.execution_id}`);
  console.log(`${state.status.toLowerCase()} at event ${asOf.seq} of ${head}, ${asOf.time}`);
  const steps = state.steps.map(({ step, status, visits }) => [step, status, String(visits)]);
  if (steps.length > 0) {
    for (const line of tableLines(["STEP", "STATUS", "VISITS"], steps)) console.log(line);
  }
  for (const { command_id: command, attempt, waiting } of state.commands) {
    console.log(`open: ${command}, attempt ${attempt}${waiting ? ", waits for a time" : ""}`);
  }
  for (const { step, done, failed, total } of state.loops) {
    console.log(`loop: ${step}, ${done} of ${total} done, ${failed} failed`);
  }
  for (const [name, value] of Object.entries(state.variables)) {
    console.log(cutLine(`${name} = ${JSON.stringify(value)}`, columnsMax));
  }
  console.log(`checksum: ${state.checksum}`);
  return exitOk;
}
