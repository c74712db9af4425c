// `noetl rule`: what may run at a time, and how much may start in a second.

import type { ApiClient } from "#core/adapters/api-client";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitOk } from "./exit-codes.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";
import { durationText } from "./terminal-text.ts";

type Rule = Awaited<ReturnType<ApiClient["listRules"]>>["rules"][number];

function numberOf(args: Arguments, flag: string): number | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`--${flag}: expected a number, found ${JSON.stringify(text)}`);
}

export async function listRules(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const { rules } = await client.listRules();
  if (args.has("json")) {
    console.log(JSON.stringify({ rules }, null, 2));
    return exitOk;
  }
  if (rules.length === 0) console.log("no rules");
  else for (const line of tableLines(columns, rules.map(rowOf))) console.log(line);
  return exitOk;
}

const columns = ["RULE", "MAX", "RUNNING", "RATE", "BURST", "NEXT START"];

function rowOf(state: Rule): readonly string[] {
  const { key, max_running: max, per_second: rate, burst, running, next_start_ms: next } = state;
  return [
    key,
    max === undefined ? "" : String(max),
    max === undefined ? "" : String(running),
    rate === undefined ? "" : `${rate}/s`,
    burst === undefined ? "" : String(burst),
    next === undefined ? "" : next === 0 ? "now" : `in ${durationText(next)}`,
  ];
}

/** `rule set KEY --max N --rate R --burst B`. */
export async function setRule(args: Arguments): Promise<number> {
  const [key = ""] = args.operands;
  const [max, rate, burst] = ["max", "rate", "burst"].map((flag) => numberOf(args, flag));
  const { client } = await neededServer(args);
  const state = await client.putRule({
    params: { key },
    body: {
      ...(max === undefined ? {} : { max_running: max }),
      ...(rate === undefined ? {} : { per_second: rate }),
      ...(burst === undefined ? {} : { burst }),
    },
  });
  if (args.has("json")) console.log(JSON.stringify(state, null, 2));
  else for (const line of tableLines(columns, [rowOf(state)])) console.log(line);
  return exitOk;
}

export async function deleteRule(args: Arguments): Promise<number> {
  const [key = ""] = args.operands;
  const { client } = await neededServer(args);
  const answer = await client.deleteRule({ params: { key } });
  console.log(args.has("json") ? JSON.stringify(answer, null, 2) : `${key}: deleted`);
  return exitOk;
}
