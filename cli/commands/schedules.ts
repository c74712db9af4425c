// Commands on schedules.

import type { Flag } from "#cli/arguments";
import type { Command } from "./command.ts";
import { inputFlags } from "./flags.ts";
import { group, remote, switchFlag, valueFlag } from "./leaf.ts";

const load = () => import("#cli/schedule-commands");

const when: Readonly<Record<string, Flag>> = {
  cron: valueFlag("EXPRESSION", "five fields, six with seconds in front, or @hourly and the like"),
  every: valueFlag("TIME", "an interval in place of it: 30s, 15m, 1h"),
  timezone: valueFlag("ZONE", "whose clock the expression means (UTC)"),
};
const limit = valueFlag("N", "at most so many");

const create = remote(
  "create PATH",
  {
    about: "start a playbook of the catalog by the calendar or in intervals",
    also: ["add"],
    flags: {
      ...when,
      name: valueFlag("NAME", "what it is called"),
      version: valueFlag("N", "this version; the newest at each tick without it"),
      overlap: valueFlag("WHAT", "when the last one still runs (allow)", {
        among: ["allow", "skip", "queue", "cancel_previous"],
      }),
      "catch-up": valueFlag("N", "ticks that are made up for after an outage (1)"),
      jitter: valueFlag("TIME", "spread starts over so long"),
      starts: valueFlag("TIME", "no tick before"),
      ends: valueFlag("TIME", "no tick after"),
      disabled: switchFlag("made, and not yet in force"),
      ...inputFlags,
    },
  },
  async (args) => (await load()).createSchedule(args),
);

export const scheduleCommands: readonly Command[] = [
  group("schedule", "playbooks that start by the calendar", [
    create,
    remote(
      "list",
      {
        about: "all of them, by name",
        flags: {
          path: valueFlag("PATH", "of this playbook"),
          query: valueFlag("TEXT", "with this in the name or path", { short: "q" }),
          limit,
          after: valueFlag("NAME", "go on after this one"),
        },
      },
      async (args) => (await load()).listSchedules(args),
    ),
    remote("get ID", { about: "one of them" }, async (args) => (await load()).getSchedule(args)),
    remote(
      "pause ID",
      {
        about: "start nothing for now",
        flags: { until: valueFlag("TIME", "until then: a time, or 2h") },
      },
      async (args) => (await load()).pauseSchedule(args),
    ),
    remote(
      "resume ID",
      { about: "go on", flags: { "catch-up": switchFlag("make up for the ticks since") } },
      async (args) => (await load()).resumeSchedule(args),
    ),
    remote("delete ID", { about: "remove it; its executions stay" }, async (args) =>
      (await load()).deleteSchedule(args),
    ),
    remote(
      "trigger ID",
      {
        about: "start it now, beside its ticks",
        flags: { "request-id": valueFlag("TEXT", "starts it once, however often it is asked") },
      },
      async (args) => (await load()).triggerSchedule(args),
    ),
    remote(
      "backfill ID",
      {
        about: "start the ticks of a time that lies back",
        flags: {
          from: valueFlag("TIME", "the first one: a time, or 7d for so long ago"),
          to: valueFlag("TIME", "the last one"),
          limit,
          "dry-run": switchFlag("only say which"),
        },
      },
      async (args) => (await load()).backfillSchedule(args),
    ),
    remote(
      "next [ID]",
      {
        about: "the ticks to come, also of one that isn't there yet",
        flags: { ...when, count: valueFlag("N", "how many (5)") },
      },
      async (args) => (await load()).nextTicks(args),
    ),
    remote(
      "ticks ID",
      {
        about: "what became of its ticks, newest first",
        flags: { limit, before: valueFlag("TIME", "older than this") },
      },
      async (args) => (await load()).pastTicks(args),
    ),
  ]),
];
