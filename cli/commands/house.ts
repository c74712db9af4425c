// Commands on this machine and its settings.

import type { Command } from "./command.ts";
import { jsonFlag as json } from "./flags.ts";
import { leaf } from "./leaf.ts";

export const houseCommands: readonly Command[] = [
  {
    name: "doctor",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "look at this machine and say what is missing",
    flags: { json },
    run: async (args) => (await import("#cli/doctor")).doctor({ json: args.has("json") }),
  },
  {
    name: "config",
    operands: "",
    operandsMin: 0,
    operandsMax: 0,
    about: "the effective settings and where they come from",
    flags: { json },
    run: async (args) => (await import("#cli/config-command")).config(args),
  },
  leaf(
    "completion SHELL",
    { about: "what bash, zsh or fish needs to complete command lines" },
    async (args) => (await import("#cli/completion")).completion(args),
  ),
];
