// `noetl list`, `status`, `cancel` and `events`: executions of a control plane, and logs of runs
// in this directory.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readRunLog } from "#core/adapters/run-log";
import { decodeEvent } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { executionId, isSnowflake } from "#core/model/ids";
import { type Arguments, UsageError } from "./arguments.ts";
import { readConfiguration } from "./config.ts";
import { exitOk } from "./exit-codes.ts";
import { remoteSource } from "./run-source.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine, durationText, valueLines } from "./terminal-text.ts";

const resultLinesMax = 40;

/** `list [--status S] [--path P] [--limit N]`: executions, newest first. */
export async function list(args: Arguments): Promise<number> {
  const limit = args.text("limit");
  if (limit !== undefined && !/^[1-9]\d*$/.test(limit)) {
    throw new UsageError(`--limit: expected a number from 1, found ${JSON.stringify(limit)}`);
  }
  const status = args.text("status");
  const path = args.text("path");
  const { client } = await neededServer(args);
  const executions = await client.listExecutions({
    query: {
      limit: Number(limit ?? 20),
      ...(status === undefined ? {} : { status }),
      ...(path === undefined ? {} : { path }),
    },
  });
  if (args.has("json")) {
    console.log(JSON.stringify({ executions }, null, 2));
    return exitOk;
  }
  const rows = executions.map((execution) => [
    execution.execution_id,
    execution.status.toLowerCase(),
    `${execution.path} v${execution.version}`,
    execution.start_time,
    execution.duration_seconds === undefined
      ? ""
      : durationText(execution.duration_seconds * 1_000),
  ]);
  const head = ["EXECUTION", "STATUS", "PLAYBOOK", "STARTED", "TOOK"];
  for (const line of tableLines(head, rows)) console.log(line);
  return exitOk;
}

/** `status ID`: where an execution stands, with its steps and result. */
export async function status(args: Arguments): Promise<number> {
  const id = idOf(args);
  const { client } = await neededServer(args);
  const detail = await client.getExecution({ params: { id } });
  if (args.has("json")) {
    console.log(JSON.stringify(detail, null, 2));
    return exitOk;
  }
  const took = detail.duration_seconds;
  const end = took === undefined ? "" : ` after ${durationText(took * 1_000)}`;
  console.log(`${detail.path} version ${detail.version}, execution ${detail.execution_id}`);
  console.log(`${detail.status.toLowerCase()}${end}, started ${detail.start_time}`);
  if (detail.error !== undefined) console.log(`error: ${detail.error}`);
  const rows = detail.steps.map((step) => [step.step, step.status, String(step.visits)]);
  if (rows.length > 0) {
    for (const line of tableLines(["STEP", "STATUS", "VISITS"], rows)) console.log(line);
  }
  if (detail.result !== undefined && detail.result !== null) {
    const [first = "", ...rest] = valueLines(detail.result, resultLinesMax);
    console.log([`result: ${first}`, ...rest].join("\n"));
  }
  return exitOk;
}

/** `cancel ID [-r REASON]`: an execution that has ended already is no error. */
export async function cancel(args: Arguments): Promise<number> {
  const id = idOf(args);
  const reason = args.text("reason");
  const { client } = await neededServer(args);
  const answer = await client.cancelExecution({
    params: { id },
    body: { cascade: true, ...(reason === undefined ? {} : { reason }) },
  });
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${id}: ${answer.message}`);
  return exitOk;
}

/** `events ID`: the log of an execution; the checked file of a run in this directory comes first. */
export async function events(args: Arguments): Promise<number> {
  const id = idOf(args);
  const log = localLog(args, id) ?? (await remoteLog(args, id));
  if (args.has("json")) {
    console.log(JSON.stringify({ execution_id: id, events: log }, null, 2));
    return exitOk;
  }
  const columns = process.stdout.isTTY === true ? process.stdout.columns : 200;
  for (const event of log) console.log(cutLine(eventLine(event), columns));
  return exitOk;
}

function localLog(args: Arguments, id: string): readonly Event[] | undefined {
  if (args.text("server") !== undefined) return undefined;
  const { values } = readConfiguration();
  const file = join(values.NOETL_DIRECTORY, "runs", `${id}.jsonl`);
  if (!existsSync(file)) return undefined;
  const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
  return readRunLog(readFileSync(file, "utf8"), sha256).map(decodeEvent);
}

async function remoteLog(args: Arguments, id: string): Promise<readonly Event[]> {
  const { client } = await neededServer(args);
  const source = remoteSource(client);
  const log: Event[] = [];
  for (;;) {
    const page = await source.read(executionId(id), log.at(-1)?.seq ?? 0);
    if (page.length === 0) return log;
    log.push(...page);
  }
}

const shownElsewhere: ReadonlySet<string> = new Set([
  "execution_id",
  "seq",
  "event_id",
  "time",
  "schema_version",
  "type",
]);

/** `12 05:54:43.108 step.enter step=start visit=1`. */
function eventLine(event: Event): string {
  const time = new Date(event.time).toISOString().slice(11, 23);
  const fields = Object.entries(event)
    .filter(([name]) => !shownElsewhere.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${String(event.seq).padStart(4)} ${time} ${event.type} ${fields.join(" ")}`;
}

function idOf(args: Arguments): string {
  const [id = ""] = args.operands;
  if (isSnowflake(id)) return id;
  throw new UsageError(`expected an execution id, found ${JSON.stringify(id)}`);
}
