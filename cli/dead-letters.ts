// `noetl dead-letter`: commands that were given up, and executions in quarantine.

import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine } from "./terminal-text.ts";

/** `dead-letter list | retry ID | drop ID`. */
export async function deadLetter(args: Arguments): Promise<number> {
  const [action, id, ...rest] = args.operands;
  if (rest.length > 0) throw new UsageError("expected one id at a time");
  switch (action) {
    case "list":
      return list(args);
    case "retry":
      return retry(args, idOf(id));
    case "drop":
      return drop(args, idOf(id));
    default:
      throw new UsageError(`expected list, retry or drop, found ${JSON.stringify(action)}`);
  }
}

function idOf(id: string | undefined): string {
  if (id !== undefined) return id;
  throw new UsageError("expected the id of a command, or of an execution in quarantine");
}

async function list(args: Arguments): Promise<number> {
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

async function retry(args: Arguments, id: string): Promise<number> {
  const { client } = await neededServer(args);
  const answer = await client.retryDeadLetter({ params: { command_id: id } });
  const { execution_id, status } = answer;
  const said = status === "started" ? `started again as ${execution_id}` : "out of quarantine";
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${id}: ${said}`);
  return exitOk;
}

async function drop(args: Arguments, id: string): Promise<number> {
  const { client } = await neededServer(args);
  const answer = await client.dropDeadLetter({ params: { command_id: id } });
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${id}: dropped`);
  return exitOk;
}
