// `noetl dead-letter`: commands that were given up, and executions in quarantine.

import type { Arguments } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine } from "./terminal-text.ts";

export async function listLetters(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const { dead_letters: letters } = await client.listDeadLetters({ query: {} });
  if (args.has("json")) {
    console.log(JSON.stringify({ dead_letters: letters }, null, 2));
    return exitOk;
  }
  if (letters.length === 0) {
    console.log("no dead letters");
    return exitOk;
  }
  const rows = letters.map((letter) => [
    letter.command_id ?? letter.execution_id,
    letter.reason,
    letter.at,
    letter.worker ?? "",
    cutLine(letter.message, messageColumns),
  ]);
  const head = ["ID", "REASON", "AT", "WORKER", "MESSAGE"];
  for (const line of tableLines(head, rows)) console.log(line);
  return exitOk;
}

const messageColumns = 100;

/** A command that was given up, or an execution in quarantine. */
export async function retryLetter(args: Arguments): Promise<number> {
  const [id = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.retryDeadLetter({ params: { command_id: id } });
  const { execution_id, status } = answer;
  const said = status === "started" ? `started again as ${execution_id}` : "out of quarantine";
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${id}: ${said}`);
  return exitOk;
}

export async function dropLetter(args: Arguments): Promise<number> {
  const [id = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.dropDeadLetter({ params: { command_id: id } });
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${id}: dropped`);
  return exitOk;
}
