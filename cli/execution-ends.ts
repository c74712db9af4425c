// `noetl rerun`, `finalize`, `cleanup` and `signal`: executions that start over, that are ended by
// hand, and that are told what they wait for.

import { type Arguments, UsageError } from "./arguments.ts";
import { given, idOf, jsonIn, oneOf, wholeNumber } from "./given.ts";
import { printed } from "./printed.ts";
import { runInput } from "./run-input.ts";
import { neededServer } from "./server.ts";

/** `rerun ID [--from STEP] [--set …] [--version V]`: a new execution. */
export async function rerun(args: Arguments): Promise<number> {
  const id = idOf(args);
  const key = args.text("dedup");
  const step = args.text("from");
  const input = runInput(args);
  const version = versionOf(args);
  if (step !== undefined && (version !== undefined || key !== undefined)) {
    throw new UsageError("--from with --version or --dedup: expected it without them");
  }
  const { client } = await neededServer(args);
  const workload = Object.keys(input).length === 0 ? undefined : input;
  const dedup = key === undefined ? undefined : { key };
  const answer =
    step === undefined
      ? await client.rerunExecution({ params: { id }, body: given({ workload, version, dedup }) })
      : await client.rerunFrom({ params: { id, step }, body: given({ workload }) });
  return printed(args, answer, (started) => [
    `${started.path} version ${started.version}, execution ${started.execution_id}` +
      `${started.status === "duplicate" ? ", started before" : ""}, rerun of ${id}`,
  ]);
}

function versionOf(args: Arguments): number | "same" | "newest" | undefined {
  const text = args.text("version");
  if (text === "same" || text === "newest") return text;
  return wholeNumber(args, "version");
}

export async function finalize(args: Arguments): Promise<number> {
  const id = idOf(args);
  const status = oneOf(args, "status", ["completed", "failed"]);
  const { client } = await neededServer(args);
  const body = given({ reason: args.text("reason"), error: args.text("error"), status });
  const answer = await client.finalizeExecution({ params: { id }, body });
  return printed(args, answer, ({ message }) => [`${id}: ${message}`]);
}

/** `cleanup --older-than-minutes N [--dry-run]`: cancels what has run for too long. */
export async function cleanup(args: Arguments): Promise<number> {
  const minutes = wholeNumber(args, "older-than-minutes");
  if (minutes === undefined) throw new UsageError("expected --older-than-minutes N");
  const limit = wholeNumber(args, "limit");
  const { client } = await neededServer(args);
  const answer = await client.cleanupExecutions({
    body: { older_than_minutes: minutes, dry_run: args.has("dry-run"), ...given({ limit }) },
  });
  return printed(args, answer, ({ message, execution_ids: ids }) => [message, ...ids]);
}

/** `signal ID KEY [--data JSON]`: also before the execution waits for it. */
export async function signal(args: Arguments): Promise<number> {
  const id = idOf(args);
  const [, key = ""] = args.operands;
  const text = args.text("data");
  const data = text === undefined ? {} : { data: jsonIn(text, "--data") };
  const { client } = await neededServer(args);
  const answer = await client.signalExecution({ params: { id }, body: { key, ...data } });
  return printed(args, answer, ({ status }) => [`${id}: ${key}: ${saidOf(status)}`]);
}

export type Answered = "accepted" | "duplicate" | "accepted_stale";

export function saidOf(status: Answered): string {
  switch (status) {
    case "accepted":
      return "accepted";
    case "duplicate":
      return "was answered before";
    case "accepted_stale":
      return "nobody waits for it any more";
    default:
      return status satisfies never;
  }
}
