// `noetl schedule`: playbooks that are started by the calendar or in intervals.

import type { ApiClient } from "#core/adapters/api-client";
import { type Arguments, UsageError } from "./arguments.ts";
import { exitFailed, exitOk } from "./exit-codes.ts";
import { given, moment, oneOf, seconds, wholeNumber } from "./given.ts";
import { fieldLines, printed } from "./printed.ts";
import { runInput } from "./run-input.ts";
import { neededServer } from "./server.ts";
import { tableLines } from "./table.ts";

type Schedule = Awaited<ReturnType<ApiClient["getSchedule"]>>;

export const overlaps = ["allow", "skip", "queue", "cancel_previous"] as const;

export async function createSchedule(args: Arguments): Promise<number> {
  const [path = ""] = args.operands;
  const every = args.text("every");
  const jitter = args.text("jitter");
  const workload = runInput(args);
  const cron = args.text("cron");
  if ((cron === undefined) === (every === undefined)) {
    throw new UsageError("expected one of --cron EXPRESSION and --every TIME");
  }
  const body = {
    path,
    ...given({
      name: args.text("name"),
      version: wholeNumber(args, "version"),
      cron,
      interval_seconds: every === undefined ? undefined : seconds(every, "every"),
      timezone: args.text("timezone"),
      starts_at: moment(args, "starts"),
      ends_at: moment(args, "ends"),
      jitter_seconds: jitter === undefined ? undefined : seconds(jitter, "jitter"),
      overlap: oneOf(args, "overlap", overlaps),
      catch_up: wholeNumber(args, "catch-up", 0),
      workload: Object.keys(workload).length === 0 ? undefined : workload,
      enabled: args.has("disabled") ? false : undefined,
    }),
  };
  const { client } = await neededServer(args);
  return printed(args, await client.createSchedule({ body }), scheduleLines);
}

function scheduleLines(schedule: Schedule): readonly string[] {
  return fieldLines(schedule);
}

export async function listSchedules(args: Arguments): Promise<number> {
  const query = given({
    path: args.text("path"),
    q: args.text("query"),
    after: args.text("after"),
    limit: wholeNumber(args, "limit"),
  });
  const { client } = await neededServer(args);
  return printed(args, await client.listSchedules({ query }), ({ schedules, next_after: next }) => [
    ...tableLines(
      ["SCHEDULE", "NAME", "PLAYBOOK", "WHEN", "STATUS", "NEXT", "LAST"],
      schedules.map((schedule) => [
        schedule.schedule_id,
        schedule.name,
        schedule.path,
        whenText(schedule),
        schedule.enabled ? schedule.status : "disabled",
        schedule.next_at ?? "",
        schedule.last_status ?? "",
      ]),
    ),
    ...(next === null ? [] : [`more with --after ${next}`]),
  ]);
}

function whenText({ cron, interval_seconds: every, timezone }: Schedule): string {
  return cron === null ? `every ${every ?? "?"} s` : `${cron} ${timezone}`;
}

const paramsOf = ({ operands }: Arguments) => ({ id: operands[0] ?? "" });

export async function getSchedule(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  return printed(args, await client.getSchedule({ params: paramsOf(args) }), scheduleLines);
}

export async function pauseSchedule(args: Arguments): Promise<number> {
  const until = args.text("until");
  const body = until === undefined ? {} : { until: future(until, "until") };
  const { client } = await neededServer(args);
  const answer = await client.pauseSchedule({ params: paramsOf(args), body });
  return printed(args, answer, ({ name, paused_until: end }) => [
    `${name}: paused${end === null ? "" : ` until ${end}`}`,
  ]);
}

/** A time ahead: as it is, or as how long from now. */
function future(text: string, flag: string): string {
  if (!/^\d{1,9}[smhd]$/.test(text)) return text;
  return new Date(Date.now() + seconds(text, flag) * 1_000).toISOString();
}

export async function resumeSchedule(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const body = { catch_up: args.has("catch-up") };
  const answer = await client.resumeSchedule({ params: paramsOf(args), body });
  return printed(args, answer, ({ name, next_at: next }) => [
    `${name}: ${next === null ? "no tick is to come" : `next at ${next}`}`,
  ]);
}

export async function deleteSchedule(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const answer = await client.deleteSchedule({ params: paramsOf(args) });
  return printed(args, answer, ({ schedule_id: id }) => [`${id}: deleted`]);
}

export async function triggerSchedule(args: Arguments): Promise<number> {
  const { client } = await neededServer(args);
  const body = given({ request_id: args.text("request-id") });
  const answer = await client.triggerSchedule({ params: paramsOf(args), body });
  return printed(args, answer, ({ execution_id: id, existed }) => [
    `${existed ? "was started already: " : "started "}execution ${id}`,
  ]);
}

export async function backfillSchedule(args: Arguments): Promise<number> {
  const [from, to] = [moment(args, "from"), moment(args, "to")];
  if (from === undefined || to === undefined) throw new UsageError("expected --from and --to");
  const limit = wholeNumber(args, "limit");
  const { client } = await neededServer(args);
  const answer = await client.backfillSchedule({
    params: paramsOf(args),
    body: { from, to, dry_run: args.has("dry-run"), ...given({ limit }) },
  });
  printed(args, answer, ({ ticks, next_from: next }) => [
    ...tableLines(
      ["TICK", "STATUS", "EXECUTION", "MESSAGE"],
      ticks.map(({ tick, status, execution_id: id = "", message = "" }) => [
        tick,
        status,
        id,
        message,
      ]),
    ),
    ...(next === null ? [] : [`more with --from ${next}`]),
  ]);
  return answer.ticks.some(({ status }) => status === "failed") ? exitFailed : exitOk;
}

/** `schedule next ID`, or of one that isn't there yet: `schedule next --cron "…"`. */
export async function nextTicks(args: Arguments): Promise<number> {
  const count = wholeNumber(args, "count") ?? 5;
  const [cron, every] = [args.text("cron"), args.text("every")];
  const isPreview = cron !== undefined || every !== undefined;
  if (isPreview === args.operands.length > 0) {
    throw new UsageError("expected a schedule, or one of --cron and --every");
  }
  const { client } = await neededServer(args);
  const answer = isPreview
    ? await client.previewSchedule({
        body: {
          count,
          ...given({
            cron,
            interval_seconds: every === undefined ? undefined : seconds(every, "every"),
            timezone: args.text("timezone"),
          }),
        },
      })
    : await client.scheduleNext({ params: paramsOf(args), query: { count } });
  return printed(args, answer, ({ ticks }) =>
    ticks.length === 0 ? ["no tick is to come"] : ticks,
  );
}

export async function pastTicks(args: Arguments): Promise<number> {
  const query = given({ before: moment(args, "before"), limit: wholeNumber(args, "limit") });
  const { client } = await neededServer(args);
  const answer = await client.scheduleTicks({ params: paramsOf(args), query });
  return printed(args, answer, ({ ticks, next_before: next }) => [
    ...tableLines(
      ["TICK", "OUTCOME", "EXECUTION", "MESSAGE"],
      ticks.map(({ tick, outcome, execution_id: id = "", message = "" }) => [
        tick,
        outcome,
        id,
        message,
      ]),
    ),
    ...(next === null ? [] : [`more with --before ${next}`]),
  ]);
}
