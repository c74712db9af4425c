// Commands on the platform around executions: who is there, and how much may run.

import type { Command } from "./command.ts";
import { remoteFlags } from "./flags.ts";
import { group, remote, valueFlag } from "./leaf.ts";

const rules = () => import("#cli/rules");
const letters = () => import("#cli/dead-letters");

export const platformCommands: readonly Command[] = [
  {
    name: "workers",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which workers there are, and how busy they are",
    flags: {
      all: { kind: "switch", about: "also those that have been gone for less than a day" },
      ...remoteFlags,
    },
    run: async (args) => (await import("#cli/runtime-commands")).workers(args),
  },
  {
    name: "replicas",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which control planes there are over one database",
    flags: remoteFlags,
    run: async (args) => (await import("#cli/runtime-commands")).replicas(args),
  },
  group("rule", "how much may run of a playbook, pool, tenant or tool", [
    remote("list", { about: "the rules, and what runs under them" }, async (args) =>
      (await rules()).listRules(args),
    ),
    remote(
      "set KEY",
      {
        about: "make or change the rule of pool:NAME, playbook:PATH, tenant:NAME or tool:KIND",
        flags: {
          max: valueFlag("N", "commands that may run at a time"),
          rate: valueFlag("R", "commands that may start in a second"),
          burst: valueFlag("B", "starts saved up while nothing started"),
        },
      },
      async (args) => (await rules()).setRule(args),
    ),
    remote("delete KEY", { about: "remove a rule" }, async (args) =>
      (await rules()).deleteRule(args),
    ),
  ]),
  group("dead-letter", "commands that were given up, and executions in quarantine", [
    remote("list", { about: "all of them" }, async (args) => (await letters()).listLetters(args)),
    remote("retry ID", { about: "start it again" }, async (args) =>
      (await letters()).retryLetter(args),
    ),
    remote("drop ID", { about: "forget it" }, async (args) => (await letters()).dropLetter(args)),
  ]),
];
