// `noetl logs`: what the tools of an execution printed, and what they print while it runs.

import { isSnowflake } from "#core/model/ids";
import { pageSizeMax } from "#core/model/limits";
import type { ShownLogLine } from "#core/wire/api-step-logs";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { followLogs } from "./log-stream.ts";
import { neededServer } from "./server.ts";

const streams = ["stdout", "stderr", "log"] as const;
type Stream = (typeof streams)[number];

/** `logs ID [--step S] [--stream NAME] [--follow] [--json]`; with `--json` one line each. */
export async function logs(args: Arguments): Promise<number> {
  const [id = ""] = args.operands;
  if (!isSnowflake(id)) {
    throw new UsageError(`expected an execution id, found ${JSON.stringify(id)}`);
  }
  const step = args.text("step");
  const stream = streamOf(args.text("stream"));
  const query = {
    ...(step === undefined ? {} : { step }),
    ...(stream === undefined ? {} : { stream }),
  };
  const server = await neededServer(args);
  const print = args.has("json")
    ? (line: ShownLogLine): void => console.log(JSON.stringify(line))
    : (line: ShownLogLine): void => console.log(lineText(line));
  if (args.has("follow")) {
    const { url: baseUrl, fetch } = server;
    await followLogs({ baseUrl, fetch, executionId: id, query, onLine: print });
    return exitOk;
  }
  for (let after = 0; ; ) {
    const page = await server.client.executionLogs({
      params: { id },
      query: { ...query, after, limit: pageSizeMax },
    });
    for (const line of page.lines) print(line);
    if (page.next_after !== null) {
      after = page.next_after;
      continue;
    }
    if (page.refused > 0) {
      console.error(`noetl: ${page.refused} more lines were printed; there was no room for them`);
    }
    return exitOk;
  }
}

function streamOf(text: string | undefined): Stream | undefined {
  if (text === undefined) return undefined;
  const found = streams.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--stream: expected one of ${streams.join(", ")}, found ${JSON.stringify(text)}`,
  );
}

/** `05:54:43.108 stderr fetch: not found`; further attempts say which they are. */
function lineText({ time, stream, step, attempt, text }: ShownLogLine): string {
  const which = attempt === 1 ? "" : ` (attempt ${attempt})`;
  return `${time.slice(11, 23)} ${stream} ${step}${which}: ${text}`;
}
