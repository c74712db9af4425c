// Commands by which executions start over, end by hand, and are answered.

import type { Command } from "./command.ts";
import { inputFlags } from "./flags.ts";
import { group, remote, switchFlag, valueFlag } from "./leaf.ts";

const ends = () => import("#cli/execution-ends");
const approvals = () => import("#cli/approval-commands");

const limit = valueFlag("N", "at most so many");
const after = valueFlag("ID", "go on after this one");
const comment = valueFlag("TEXT", "why, for the log");

export const executionEndCommands: readonly Command[] = [
  remote(
    "rerun ID",
    {
      about: "start an execution over, as a new one",
      flags: {
        from: valueFlag("STEP", "begin at this step, with what was known before it"),
        version: valueFlag("V", "same, newest or a number (same)", { short: "V" }),
        dedup: valueFlag("KEY", "what this key has started is not started again"),
        ...inputFlags,
      },
    },
    async (args) => (await ends()).rerun(args),
  ),
  remote(
    "finalize ID",
    {
      about: "end an execution by hand, as completed or as failed",
      flags: {
        status: valueFlag("STATUS", "completed or failed", { among: ["completed", "failed"] }),
        reason: valueFlag("TEXT", "why, for the log", { short: "r" }),
        error: valueFlag("TEXT", "what it failed with"),
      },
    },
    async (args) => (await ends()).finalize(args),
  ),
  remote(
    "cleanup",
    {
      about: "cancel what has run for too long",
      flags: {
        "older-than-minutes": valueFlag("N", "longer than this"),
        limit,
        "dry-run": switchFlag("only say which"),
      },
    },
    async (args) => (await ends()).cleanup(args),
  ),
  remote(
    "signal ID KEY",
    {
      about: "tell an execution what it waits for, also before it waits",
      flags: { data: valueFlag("JSON", "what the step is given") },
    },
    async (args) => (await ends()).signal(args),
  ),
  remote(
    "waits [ID]",
    {
      about: "what executions wait for",
      flags: {
        for: valueFlag("KIND", "timer, signal, approval or callback", {
          among: ["timer", "signal", "approval", "callback"],
        }),
        after,
        limit,
      },
    },
    async (args) => (await approvals()).listWaits(args),
  ),
  group("approvals", "decisions that executions wait for", [
    remote("list", { about: "those that you may give", flags: { after, limit } }, async (args) =>
      (await approvals()).listApprovals(args),
    ),
    remote("approve ID KEY", { about: "say yes", flags: { comment } }, async (args) =>
      (await approvals()).decide(args, "approve"),
    ),
    remote("reject ID KEY", { about: "say no", flags: { comment } }, async (args) =>
      (await approvals()).decide(args, "reject"),
    ),
    remote(
      "link ID KEY",
      {
        about: "a token by which somebody without an account answers",
        flags: {
          role: valueFlag("NAME", "in whose name"),
          expires: valueFlag("TIME", "how long it is good: 12h, 7d"),
        },
      },
      async (args) => (await approvals()).approvalLink(args),
    ),
  ]),
];
