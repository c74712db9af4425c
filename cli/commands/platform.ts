// Commands on the platform around executions: who is there, and how much may run.

import type { Command } from "./command.ts";
import { jsonFlag as json, serverFlag as server } from "./flags.ts";

export const platformCommands: readonly Command[] = [
  {
    name: "workers",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which workers there are, and how busy they are",
    flags: {
      all: { kind: "switch", about: "also those that have been gone for less than a day" },
      json,
      server,
    },
    run: async (args) => (await import("#cli/runtime-commands")).workers(args),
  },
  {
    name: "replicas",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "which control planes there are over one database",
    flags: { json, server },
    run: async (args) => (await import("#cli/runtime-commands")).replicas(args),
  },
  {
    name: "rule",
    operands: "list | set KEY | delete KEY",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "how much may run of a playbook, pool, tenant or tool",
    flags: {
      max: { kind: "text", value: "N", about: "set: commands that may run at a time" },
      rate: { kind: "text", value: "R", about: "set: commands that may start in a second" },
      burst: { kind: "text", value: "B", about: "set: starts saved up while nothing started" },
      json,
      server,
    },
    run: async (args) => (await import("#cli/rules")).rule(args),
  },
  {
    name: "dead-letter",
    operands: "list | retry ID | drop ID",
    operandsMin: 1,
    operandsMax: Number.POSITIVE_INFINITY,
    about: "commands that were given up, and executions in quarantine",
    flags: { json, server },
    run: async (args) => (await import("#cli/dead-letters")).deadLetter(args),
  },
];
