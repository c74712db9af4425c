// `noetl verify FILE|ID…`: proves of logs that nothing was changed, dropped or inserted: dense,
// chained, nothing after the end, one outcome a command, and a fold that takes every event. Of
// executions on a server also that everything beside the log says the same.

import { existsSync, readFileSync } from "node:fs";
import { runLogLines } from "#core/adapters/run-log";
import { type LogLine, verifyLog } from "#core/engine/verify";
import { messageOf } from "#core/model/fault";
import { executionId, isSnowflake } from "#core/model/ids";
import { pageSizeMax } from "#core/model/limits";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { verifyAll } from "./verify-all.ts";

interface Verdict {
  readonly log: string;
  readonly execution_id: string;
  readonly events: number;
  readonly status: string;
  readonly problems: readonly string[];
}

/** @returns 0 if every log is whole, else 1. */
export async function verify(args: Arguments): Promise<number> {
  if (args.has("all")) {
    if (args.operands.length > 0) throw new UsageError("expected --all or FILE|ID, found both");
    return verifyAll(args);
  }
  if (args.operands.length === 0) throw new UsageError("expected FILE|ID… or --all");
  const verdicts: Verdict[] = [];
  for (const name of args.operands) verdicts.push(await verdictOf(args, name));
  if (args.has("json")) console.log(JSON.stringify({ logs: verdicts }, null, 2));
  else for (const verdict of verdicts) print(verdict);
  return verdicts.every(({ problems }) => problems.length === 0) ? exitOk : exitFailed;
}

async function verdictOf(args: Arguments, name: string): Promise<Verdict> {
  const lines = await linesOf(args, name);
  const id = executionId(idIn(lines[0]?.text ?? ""));
  const { events, problems, state } = verifyLog(id, lines, (text) => Bun.SHA256.hash(text, "hex"));
  const empty = events === 0 ? ["the log is empty"] : [];
  const beside = existsSync(name) || events === 0 ? [] : await besideProblems(args, name);
  return {
    log: name,
    execution_id: id,
    events,
    status: state.status,
    problems: [...new Set([...empty, ...problems, ...beside])],
  };
}

/** What the server finds: rows, commands, snapshots and projections against the log. */
async function besideProblems(args: Arguments, name: string): Promise<readonly string[]> {
  const { client } = await neededServer(args);
  const { executions } = await client.verify({ query: { execution_id: name } });
  return executions.flatMap(({ problems }) => problems);
}

/** A file if there is one, else the execution on the server. */
async function linesOf(args: Arguments, name: string): Promise<readonly LogLine[]> {
  if (existsSync(name)) return runLogLines(readFileSync(name, "utf8"));
  if (!isSnowflake(name)) {
    throw new UsageError(`expected a log file or an execution id, found ${JSON.stringify(name)}`);
  }
  const { client } = await neededServer(args);
  const found: LogLine[] = [];
  for (;;) {
    const query = { after: found.length, limit: pageSizeMax };
    const { lines } = await client.executionLog({ params: { id: name }, query });
    if (lines.length === 0) return found;
    found.push(...lines);
  }
}

/** The execution that the first event names; the others have to name the same. */
function idIn(text: string): string {
  try {
    const event: unknown = JSON.parse(text);
    const named = typeof event === "object" && event !== null && "execution_id" in event;
    return named ? String(event.execution_id) : "";
  } catch (thrown) {
    return `unknown (${messageOf(thrown)})`;
  }
}

function print({ log, events, status, problems }: Verdict): void {
  if (problems.length === 0) console.log(`${log}: whole, ${events} events, ${status}`);
  for (const problem of problems) console.log(`${log}: ${problem}`);
}
