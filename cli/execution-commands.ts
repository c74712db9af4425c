// `noetl list`, `status`, `cancel` and `events`: executions of a control plane, and logs of runs
// in this directory.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient } from "#core/adapters/api-client";
import { readRunLog } from "#core/adapters/run-log";
import { decodeEvent } from "#core/model/codec";
import type { Event } from "#core/model/event";
import { pageSizeMax } from "#core/model/limits";
import type { Arguments } from "./arguments.ts";
import { readConfiguration } from "./config.ts";
import { exitOk } from "./exit-codes.ts";
import { given, idOf, moment, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { isServerNamed, neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { cutLine, durationText, plainText, valueLines } from "./terminal-text.ts";

const resultLinesMax = 40;

type Execution = Awaited<ReturnType<ApiClient["listExecutions"]>>[number];

const listedDefault = 20;

/** `list [TYPE]`: executions, newest first; with a type of the catalog, what the catalog has of it. */
export async function list(args: Arguments): Promise<number> {
  const [type] = args.operands;
  if (type !== undefined && !/^executions?$/i.test(type)) {
    return (await import("./catalog-commands.ts")).listCatalog(args, type);
  }
  const limit = wholeNumber(args, "limit");
  const filter = given({
    status: args.text("status"),
    path: args.text("path"),
    path_prefix: args.text("prefix"),
    version: wholeNumber(args, "version"),
    parent_execution_id: args.text("parent"),
    started_after: moment(args, "since"),
    started_before: moment(args, "until"),
    tenant: args.text("tenant"),
    before: args.text("before"),
  });
  const { client } = await neededServer(args);
  const executions: Execution[] = [];
  const wanted = args.has("all") ? (limit ?? Number.POSITIVE_INFINITY) : (limit ?? listedDefault);
  for (let before = args.text("before"); executions.length < wanted; ) {
    const size = Math.min(pageSizeMax, wanted - executions.length);
    const from = before === undefined ? {} : { before };
    const page = await client.listExecutions({ query: { ...filter, ...from, limit: size } });
    executions.push(...page);
    before = page.at(-1)?.execution_id;
    if (page.length < size) break;
  }
  return printed(args, { executions }, () =>
    tableLines(["EXECUTION", "STATUS", "PLAYBOOK", "STARTED", "TOOK"], executions.map(rowOf)),
  );
}

function rowOf(execution: Execution): readonly string[] {
  const { duration_seconds: took } = execution;
  return [
    execution.execution_id,
    execution.status.toLowerCase(),
    `${execution.path} v${execution.version}`,
    execution.start_time,
    took === undefined ? "" : durationText(took * 1_000),
  ];
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
  if (detail.error !== undefined) console.log(plainText(`error: ${detail.error}`));
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
    body: { cascade: !args.has("no-cascade"), ...(reason === undefined ? {} : { reason }) },
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
  if (isServerNamed(args)) return undefined;
  const { values } = readConfiguration();
  const file = join(values.NOETL_DIRECTORY, "runs", `${id}.jsonl`);
  if (!existsSync(file)) return undefined;
  const sha256 = (text: string): string => Bun.SHA256.hash(text, "hex");
  return readRunLog(readFileSync(file, "utf8"), sha256).map(decodeEvent);
}

/** Every page of it: a server that is away has told of no end. */
async function remoteLog(args: Arguments, id: string): Promise<readonly Event[]> {
  const { client } = await neededServer(args);
  const log: Event[] = [];
  for (;;) {
    const query = { after: log.at(-1)?.seq ?? 0, limit: pageSizeMax };
    const { lines } = await client.executionLog({ params: { id }, query });
    if (lines.length === 0) return log;
    log.push(...lines.map(({ text }) => decodeEvent(text)));
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
